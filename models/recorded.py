"""What onnxruntime makes of a model, recorded in the form that the tests of this repository take."""

import hashlib
import json
import pathlib

import numpy as np
import onnxruntime


def session(path):
    """The model at `path`, to be run on one thread."""
    options = onnxruntime.SessionOptions()
    # The order of the additions depends on the number of threads, and with it the last bits.
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def outputs(path, *inputs):
    """The model's outputs by name, stacked, for stacked inputs in the order of the model's.

    The models take one case at a time: a row of an input is brought into the shape the model names.
    """
    model = session(path)
    names = [output.name for output in model.get_outputs()]
    rows = []
    for case in zip(*inputs, strict=True):
        feed = {to.name: value.reshape(to.shape) for to, value in zip(model.get_inputs(), case, strict=True)}
        rows.append([value[0] for value in model.run(names, feed)])
    return {name: np.stack(column) for name, column in zip(names, zip(*rows))}


def record_classifier(path, inputs, labels, testdata):
    """Records the `logits` of the first inputs, for the model at `path`; returns its `accuracy`."""
    logits = outputs(path, inputs)["logits"]
    folder = path.parent / "testdata"
    folder.mkdir(exist_ok=True)
    np.save(folder / f"{path.stem}.logits.npy", logits[:testdata])
    return accuracy(logits.argmax(1), labels, testdata)


def accuracy(answers, labels, testdata):
    """How many answers are right: of all that were held back, and of the first `testdata`, which are recorded."""
    right = answers == labels
    return {
        "right_of_held_back": int(right.sum()),
        "accuracy_held_back": round(float(right.mean()), 4),
        "right_of_testdata": int(right[:testdata].sum()),
        "accuracy_testdata": round(float(right[:testdata].mean()), 4),
    }


def write_report(folder, models, **facts):
    """Writes `accuracy.json` and prints it.

    `models` has for each name what was measured of `NAME.onnx` beside the folder; its SHA-256 is added.
    """
    folder = pathlib.Path(folder)
    measured = {}
    for name, values in models.items():
        digest = hashlib.sha256((folder.parent / f"{name}.onnx").read_bytes()).hexdigest()
        measured[name] = {"sha256": digest, **values}
    versions = {"numpy": np.__version__, "onnxruntime": onnxruntime.__version__}
    text = json.dumps({**facts, "models": measured, "versions": versions}, indent=2)
    (folder / "accuracy.json").write_text(text + "\n")
    print(text)
