"""Writes `src/flowers.rs`, the irises that scikit-learn carries, without those that the tests ask for."""

import pathlib

import numpy as np
from sklearn import datasets

HERE = pathlib.Path(__file__).parent

# Every tenth is held back, of each species alike: they come sorted, fifty each.
HELD_BACK_EVERY = 10

HEAD = """\
//! Irises: R. A. Fisher, "The use of multiple measurements in taxonomic problems", 1936.
// Written by make_flowers.py: do not edit.

/// Sepal length, sepal width, petal length, petal width, in millimetres.
pub type Flower = [u8; 4];

"""


def split():
    """Known and held-back flowers: `(millimetres, species), (millimetres, species)`, and the species' names."""
    iris = datasets.load_iris()
    # They were measured to the millimetre, and come in centimetres.
    millimetres = np.rint(iris.data * 10).astype(np.uint8)
    held_back = np.arange(len(millimetres)) % HELD_BACK_EVERY == 0
    known = millimetres[~held_back], iris.target[~held_back]
    return known, (millimetres[held_back], iris.target[held_back]), [str(name) for name in iris.target_names]


def main():
    (flowers, species), _, names = split()
    listed = ", ".join(f'"{name}"' for name in names)
    rows = "".join(
        f"    ([{', '.join(str(value) for value in flower)}], {which}),\n" for flower, which in zip(flowers, species)
    )
    (HERE / "src/flowers.rs").write_text(
        f"{HEAD}/// The species, by their numbers.\npub static SPECIES: [&str; {len(names)}] = [{listed}];\n\n"
        f"/// The flowers that are known, with their species.\n"
        f"pub static FLOWERS: [(Flower, usize); {len(flowers)}] = [\n{rows}];\n"
    )
    print(f"wrote {len(flowers)} flowers")


if __name__ == "__main__":
    main()
