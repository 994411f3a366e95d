"""Writes `digits/` and `testdata/`: held-back digits, and what onnxruntime makes of them.

Run after `train_mlp.py`, `train_cnn.py` and `quantize_cnn.py`.
"""

import hashlib
import json
import pathlib

import numpy as np
import onnxruntime
from PIL import Image

import data

HERE = pathlib.Path(__file__).parent
COUNT = 200
MODELS = ("mlp", "mlp500", "cnn", "cnn_int8")
# onnxruntime fuses the quantisers of these into integer kernels, whose sums saturate on some
# processors. Their nodes one by one, as the operators' definitions have it, give the same everywhere.
UNFUSED = ("cnn_int8",)


def logits(name, images):
    """Outputs of a model, float32 [n, 10], for uint8 images [n, 28, 28]."""
    options = onnxruntime.SessionOptions()
    # The order of the additions depends on the number of threads, and with it the last bits.
    options.intra_op_num_threads = 1
    if name in UNFUSED:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(HERE / f"{name}.onnx", options, providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    inputs = data.as_float(images)
    rows = [session.run(["logits"], {image.name: x.reshape(image.shape)})[0][0] for x in inputs]
    return np.stack(rows)


def write_digits(images, labels):
    """The first digit of each label among those of `testdata`, as `LABEL_INDEX.png`."""
    folder = HERE / "digits"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for label in range(10):
        index = int(np.flatnonzero(labels == label)[0])
        Image.fromarray(images[index]).save(folder / f"{label}_{index:04}.png")


def main():
    args = data.arguments(__doc__)
    _, (images, labels) = data.split(args.digits)
    folder = HERE / "testdata"
    folder.mkdir(exist_ok=True)
    np.save(folder / "inputs.npy", images[:COUNT])
    np.save(folder / "labels.npy", labels[:COUNT])
    write_digits(images[:COUNT], labels[:COUNT])

    report = {
        "digits_sha256": data.DIGITS_SHA256,
        "held_back": len(images),
        "testdata": COUNT,
        "models": {},
        "versions": {"numpy": np.__version__, "onnxruntime": onnxruntime.__version__},
    }
    for name in MODELS:
        out = logits(name, images)
        np.save(folder / f"{name}.logits.npy", out[:COUNT])
        right = out.argmax(1) == labels
        report["models"][name] = {
            "sha256": hashlib.sha256((HERE / f"{name}.onnx").read_bytes()).hexdigest(),
            "right_of_held_back": int(right.sum()),
            "accuracy_held_back": round(float(right.mean()), 4),
            "right_of_testdata": int(right[:COUNT].sum()),
            "accuracy_testdata": round(float(right[:COUNT].mean()), 4),
        }
    (folder / "accuracy.json").write_text(json.dumps(report, indent=2) + "\n")
    print(json.dumps(report["models"], indent=2))


if __name__ == "__main__":
    main()
