"""Writes `testdata/` of `lstm/` and `encoder/`: what onnxruntime makes of the digits in `mnist/testdata/`.

Run after the `train.py` of both.
"""

import pathlib

import recorded
from mnist import data

HERE = pathlib.Path(__file__).parent
MODELS = ("lstm", "encoder")
# As many as mnist/testdata/ has.
COUNT = 200


def main():
    args = data.arguments(__doc__)
    _, (images, labels) = data.split(args.digits)
    for name in MODELS:
        path = HERE / name / f"{name}.onnx"
        measured = recorded.record_classifier(path, data.as_float(images), labels, COUNT)
        recorded.write_report(path.parent / "testdata", {name: measured}, held_back=len(labels), testdata=COUNT)


if __name__ == "__main__":
    main()
