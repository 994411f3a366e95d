"""The domain ai.onnx.ml: trees, linear models, scaling."""

import numpy as np

from case import case, random

ML = "ai.onnx.ml::"
X = random(1, 6, 3)

# Two trees: nodes by (tree, id, feature, mode, value, true child, false child).
NODES = [
    (0, 0, 0, "BRANCH_LEQ", 0.0, 1, 2),
    (0, 1, 1, "BRANCH_GT", -0.5, 3, 4),
    (0, 2, 2, "BRANCH_LT", 0.25, 5, 6),
    *((0, leaf, 0, "LEAF", 0.0, 0, 0) for leaf in range(3, 7)),
    (1, 0, 2, "BRANCH_GTE", 0.1, 1, 2),
    *((1, leaf, 0, "LEAF", 0.0, 0, 0) for leaf in range(1, 3)),
]
LEAVES = [(0, 3), (0, 4), (0, 5), (0, 6), (1, 1), (1, 2)]


def nodes(mode=None):
    names = ["treeids", "nodeids", "featureids", "modes", "values", "truenodeids", "falsenodeids"]
    columns = {f"nodes_{name}": list(column) for name, column in zip(names, zip(*NODES))}
    if mode is not None:
        columns["nodes_modes"] = [m if m == "LEAF" else mode for m in columns["nodes_modes"]]
    return columns


def leaves(prefix, ids, weights):
    """The leaf i counts `weights[i]` for `ids[i]`."""
    trees, places = zip(*LEAVES)
    return {f"{prefix}_treeids": list(trees), f"{prefix}_nodeids": list(places), f"{prefix}_ids": ids, f"{prefix}_weights": weights}


def trees():
    weights = [0.5, -1.25, 2.0, 0.75, 1.5, -0.5]
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        leaf = leaves("target", [0, 1, 0, 1, 0, 0] if aggregate == "SUM" else [0] * 6, weights)
        targets = 2 if aggregate == "SUM" else 1
        # onnxruntime forgets the base value of a target that no leaf of a row counts for.
        by = ("reference", "the base values are added to every score") if targets == 2 else None
        yield case(f"tree_regressor_{aggregate.lower()}", ML + "TreeEnsembleRegressor", {"x": X}, by=by, n_targets=targets, aggregate_function=aggregate, base_values=[0.5] * targets, **nodes(), **leaf)
    for mode in ("BRANCH_EQ", "BRANCH_NEQ", "BRANCH_LEQ", "BRANCH_GTE"):
        x = np.array([[0, -0.5, 0.25], [1, -0.5, 0.1], [0, 2, 0.1], [3, 4, 5]], np.float32)
        yield case(f"tree_regressor_{mode[7:].lower()}", ML + "TreeEnsembleRegressor", {"x": x}, n_targets=1, **nodes(mode), **leaves("target", [0] * 6, weights))
    for transform in ("NONE", "SOFTMAX", "LOGISTIC"):
        leaf = leaves("class", [0, 1, 2, 1, 2, 0], [0.5, 1.25, 2.0, 0.75, 1.5, 0.25])
        yield case(f"tree_classifier_{transform.lower()}", ML + "TreeEnsembleClassifier", {"x": X}, ["label", "scores"], classlabels_int64s=[3, 5, 9], post_transform=transform, **nodes(), **leaf)
    leaf = leaves("class", [0] * 6, [0.2, 0.7, 0.1, 0.4, 0.25, 0.05])
    yield case("tree_classifier_binary", ML + "TreeEnsembleClassifier", {"x": X}, ["label", "scores"], classlabels_int64s=[0, 1], **nodes(), **leaf)


def linear():
    coefficients = [float(v) for v in random(2, 6)]
    yield case("linear_regressor", ML + "LinearRegressor", {"x": X}, ml=1, coefficients=coefficients, intercepts=[0.5, -0.5], targets=2)
    for transform in ("NONE", "SOFTMAX", "LOGISTIC"):
        yield case(f"linear_classifier_{transform.lower()}", ML + "LinearClassifier", {"x": X}, ["label", "scores"], ml=1, coefficients=[float(v) for v in random(3, 9)], intercepts=[0.1, 0.2, -0.3], classlabels_ints=[1, 2, 4], multi_class=0, post_transform=transform)
    yield case("linear_classifier_binary", ML + "LinearClassifier", {"x": X}, ["label", "scores"], ml=1, coefficients=coefficients, intercepts=[0.1, -0.1], classlabels_ints=[0, 1], post_transform="LOGISTIC")


def scaling():
    yield case("scaler", ML + "Scaler", {"x": X}, ml=1, offset=[0.5, -1.0, 2.0], scale=[2.0, 0.25, -1.5])
    yield case("scaler_of_one", ML + "Scaler", {"x": X}, ml=1, offset=[0.5], scale=[2.0])
    for norm in ("MAX", "L1", "L2"):
        by = ("onnxruntime", "the definition has the largest element, not the largest magnitude") if norm == "MAX" else None
        yield case(f"normalizer_{norm.lower()}", ML + "Normalizer", {"x": X}, ml=1, by=by, norm=norm)


def cases():
    return [*trees(), *linear(), *scaling()]
