"""Writes `testdata/`: held-back pictures, and what onnxruntime makes of them. Run after `train.py`."""

import pathlib

import numpy as np
from PIL import Image

import recorded
from shapes import data

HERE = pathlib.Path(__file__).parent
MODELS = ("resnet", "mobilenet")
COUNT = 50


def write_pictures(folder, images, labels):
    """The first picture of each class among those of `testdata`, as `NAME_INDEX.png`."""
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for label, name in enumerate(data.NAMES):
        index = int(np.flatnonzero(labels == label)[0])
        Image.fromarray(images[index].transpose(1, 2, 0)).save(folder / f"{name}_{index:04}.png")


def main():
    _, (images, labels) = data.split()
    folder = HERE / "testdata"
    folder.mkdir(exist_ok=True)
    np.save(folder / "inputs.npy", images[:COUNT])
    np.save(folder / "labels.npy", labels[:COUNT])
    write_pictures(HERE / "pictures", images[:COUNT], labels[:COUNT])
    measured = {
        name: recorded.record_classifier(HERE / f"{name}.onnx", data.as_float(images), labels, COUNT) for name in MODELS
    }
    recorded.write_report(folder, measured, held_back=len(labels), testdata=COUNT)


if __name__ == "__main__":
    main()
