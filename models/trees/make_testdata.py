"""Writes `testdata/`: held-back digits, and what onnxruntime makes of them. Run after `train.py`."""

import pathlib

import numpy as np

import recorded
from trees import data

HERE = pathlib.Path(__file__).parent
COUNT = 50


def main():
    _, (pixels, labels) = data.split()
    folder = HERE / "testdata"
    folder.mkdir(exist_ok=True)
    np.save(folder / "inputs.npy", pixels[:COUNT])
    np.save(folder / "labels.npy", labels[:COUNT].astype(np.uint8))

    out = recorded.outputs(HERE / "trees.onnx", pixels.astype(np.float32))
    for name, values in out.items():
        np.save(folder / f"trees.{name}.npy", values[:COUNT])
    models = {"trees": recorded.accuracy(out["label"], labels, COUNT)}
    recorded.write_report(folder, models, held_back=len(labels), testdata=COUNT)


if __name__ == "__main__":
    main()
