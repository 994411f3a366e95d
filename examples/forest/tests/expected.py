"""Writes the case of the example: a held-back site, and what onnxruntime makes of it."""

import pathlib
import sys

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import train  # noqa: E402


def main():
    _, (features, is_phishing), names = train.split()
    model = onnxruntime.InferenceSession(train.OUT, providers=["CPUExecutionProvider"])
    scores = np.array([model.run(["probabilities"], {"features": site[None]})[0][0, 1] for site in features])
    right = (scores > 0.5) == is_phishing
    print(f"accuracy on {len(right)} held-back sites: {right.mean():.2%}")

    # A phishing site that is found out by a majority that is not overwhelming. The rounded share must not hang on the order in
    # which the trees are added up.
    percent = scores.astype(float) * 100
    decided = np.abs(percent - np.floor(percent) - 0.5) > 0.01
    chosen = np.flatnonzero(right & is_phishing & decided & (scores < 0.8))[0]

    lines = [f"{name} = {value:g}\n" for name, value in zip(names, features[chosen], strict=True)]
    (HERE / "site.txt").write_text("".join(lines))
    (HERE / "verdict.txt").write_text(f"phishing, {percent[chosen]:.0f} %\n")


if __name__ == "__main__":
    main()
