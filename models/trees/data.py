"""The 1,797 digits of 8x8 pixels that scikit-learn carries, split."""

import numpy as np
from sklearn import datasets

HELD_BACK = 400
SPLIT_SEED = 2


def split():
    """Training and held-back digits: `(pixels, labels), (pixels, labels)`.

    Pixels are uint8 [n, 64], 0 black to 16 white, row by row; labels int64 [n].
    """
    pixels, labels = datasets.load_digits(return_X_y=True)
    pixels, labels = pixels.astype(np.uint8), labels.astype(np.int64)
    # RandomState, unlike the newer generators, promises the same stream in every numpy release.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(pixels))
    train, held_back = order[:-HELD_BACK], order[-HELD_BACK:]
    return (pixels[train], labels[train]), (pixels[held_back], labels[held_back])
