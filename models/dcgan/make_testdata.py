"""Writes `testdata/` and `drawn.png`: chance, digits wanted, and what onnxruntime draws. Run after `train.py`."""

import pathlib

import numpy as np
from PIL import Image

import recorded

HERE = pathlib.Path(__file__).parent
COUNT = 20
# How many are drawn to see whether another network can read them.
JUDGED = 2000
SEED = 3


def wishes(count):
    """Latent vectors float32 [n, 16], one-hot digits float32 [n, 10] and the digits; the digits in turn."""
    digits = np.arange(count) % 10
    latent = np.random.RandomState(SEED).standard_normal((count, 16)).astype(np.float32)
    return latent, np.eye(10, dtype=np.float32)[digits], digits


def sheet(images, across):
    """The images side by side, as bytes."""
    rows = images.reshape(-1, across, 28, 28).transpose(0, 2, 1, 3)
    return np.rint(rows.reshape(-1, across * 28) * 255).astype(np.uint8)


def main():
    latent, one_hot, digits = wishes(JUDGED)
    images = recorded.outputs(HERE / "dcgan.onnx", latent, one_hot)["image"]
    folder = HERE / "testdata"
    folder.mkdir(exist_ok=True)
    np.save(folder / "latent.npy", latent[:COUNT])
    np.save(folder / "digit.npy", one_hot[:COUNT])
    np.save(folder / "dcgan.image.npy", images[:COUNT])
    Image.fromarray(sheet(images[:100], 10)).save(HERE / "drawn.png")

    read = recorded.outputs(HERE.parent / "mnist" / "cnn.onnx", images)["logits"].argmax(1)
    measured = {"read_as_wanted_by_cnn": int((read == digits).sum()), "drawn": JUDGED}
    recorded.write_report(folder, {"dcgan": measured}, testdata=COUNT)


if __name__ == "__main__":
    main()
