"""Trains gradient-boosted trees with scikit-learn and exports them as `trees.onnx`."""

import pathlib

import numpy as np
import onnx
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.ensemble import GradientBoostingClassifier

from trees import data

OUT = pathlib.Path(__file__).with_name("trees.onnx")


def export(model):
    """The trained trees as ONNX, for one digit at a time: the batch is fixed to 1."""
    exported = skl2onnx.to_onnx(
        model,
        initial_types=[("pixels", FloatTensorType([1, 64]))],
        # With zipmap the probabilities would be a sequence of maps, and not a tensor.
        options={id(model): {"zipmap": False}},
        target_opset=17,
    )
    onnx.checker.check_model(exported, full_check=True)
    OUT.write_bytes(exported.SerializeToString())


def main():
    (pixels, labels), held_back = data.split()
    # Each tree sees half of the digits, and each split some of the pixels: both gain accuracy here.
    model = GradientBoostingClassifier(
        n_estimators=35, learning_rate=0.3, max_depth=3, subsample=0.5, max_features=16, random_state=1
    )
    # float32, as ONNX's trees compare; the pixels are small whole numbers and lose nothing.
    model.fit(pixels.astype(np.float32), labels)
    print(f"accuracy on {len(held_back[1])} held-back digits: {model.score(*held_back):.2%}")
    export(model)
    nodes = sum(tree.tree_.node_count for tree in model.estimators_.ravel())
    print(f"wrote {OUT.name}, {OUT.stat().st_size} bytes, {model.estimators_.size} trees, {nodes} nodes")


if __name__ == "__main__":
    main()
