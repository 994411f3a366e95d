"""Writes `testdata/`: prompts from the held-back works, and what onnxruntime generates. Run after `train.py`."""

import pathlib

import numpy as np

import recorded
from gpt import data, train

HERE = pathlib.Path(__file__).parent
COUNT = 20


def main():
    args = data.arguments(__doc__)
    _, held_back = data.load(args.texts)
    folder = HERE / "testdata"
    folder.mkdir(exist_ok=True)
    prompts = train.prompts(held_back, COUNT)
    texts = recorded.outputs(HERE / "gpt.onnx", prompts)["text"]
    np.save(folder / "inputs.npy", prompts)
    np.save(folder / "gpt.text.npy", texts)
    for prompt, text in zip(prompts, texts):
        print(f"{data.decode(prompt)!r} -> {data.decode(text)!r}")
    recorded.write_report(folder, {"gpt": {}}, testdata=COUNT)


if __name__ == "__main__":
    main()
