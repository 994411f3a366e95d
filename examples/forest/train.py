"""Trains a random forest that tells phishing sites from others, and exports it as `phishing.onnx`.

docs/examples.md says whose the data are.
"""

import csv
import gzip
import pathlib

import numpy as np
import onnx
import skl2onnx
from river import datasets
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import RandomForestClassifier

OUT = pathlib.Path(__file__).with_name("phishing.onnx")
HELD_BACK = 250
SPLIT_SEED = 2


def split():
    """Training and held-back sites: `(features, is_phishing), (features, is_phishing)`, and the features' names.

    Features are float32 [n, 9]: 0, 0.5 or 1.
    """
    with gzip.open(datasets.Phishing().path, "rt") as file:
        names, *rows = csv.reader(file)
    table = np.array(rows, np.float32)
    # RandomState, unlike the newer generators, promises the same stream in every numpy release.
    order = np.random.RandomState(SPLIT_SEED).permutation(len(table))
    train, held_back = table[order[:-HELD_BACK]], table[order[-HELD_BACK:]]
    return (train[:, :-1], train[:, -1] > 0), (held_back[:, :-1], held_back[:, -1] > 0), names[:-1]


def export(model, features):
    """The forest as ONNX, for one site at a time: the batch is fixed to 1."""
    exported = skl2onnx.to_onnx(
        model,
        initial_types=[("features", FloatTensorType([1, features]))],
        # With zipmap the probabilities would be a sequence of maps, and not a tensor.
        options={id(model): {"zipmap": False}},
        target_opset=17,
    )
    onnx.checker.check_model(exported, full_check=True)
    OUT.write_bytes(exported.SerializeToString())


def main():
    (features, is_phishing), held_back, names = split()
    model = RandomForestClassifier(n_estimators=50, max_depth=8, random_state=1)
    model.fit(features, is_phishing)
    print(f"accuracy on {HELD_BACK} held-back sites: {model.score(*held_back):.2%}")
    export(model, len(names))
    nodes = sum(tree.tree_.node_count for tree in model.estimators_)
    print(f"wrote {OUT.name}, {OUT.stat().st_size} bytes, {len(model.estimators_)} trees, {nodes} nodes")


if __name__ == "__main__":
    main()
