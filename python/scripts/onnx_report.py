"""What the converting scripts share: their job, random inputs, and the report about the ONNX file."""

import collections
import json
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime

SEED = 0


class Refused(Exception):
    """What the user asked for can't be done; the message says why, and `help` what to do."""

    def __init__(self, message, help):
        super().__init__(message)
        self.help = help


def run(work):
    """Does the job that the command line names: `work(job)` gives the report."""
    job = json.loads(pathlib.Path(sys.argv[1]).read_text())
    asked = job.get("shapes", [])
    job["shapes"] = {shape["name"]: shape["dims"] for shape in asked}
    job["types"] = {shape["name"]: shape["type"] for shape in asked}
    try:
        report = work(job)
    except Refused as refused:
        report = {"refused": str(refused), "help": refused.help}
    pathlib.Path(job["report"]).write_text(json.dumps(report))


def written(job, model, inputs, expected):
    """Checks and writes `model`, and compares it: `inputs` by name, and what the original makes of them."""
    onnx.checker.check_model(model, full_check=True)
    data = model.SerializeToString(deterministic=True)
    pathlib.Path(job["out"]).write_bytes(data)
    return described(model) | {"comparison": comparison(data, inputs, expected)}


def described(model):
    graph = model.graph
    weights = {tensor.name for tensor in graph.initializer}
    return {
        "opset": {(entry.domain or "ai.onnx"): entry.version for entry in model.opset_import},
        "inputs": [port(value) for value in graph.input if value.name not in weights],
        "outputs": [port(value) for value in graph.output],
        "operators": dict(sorted(collections.Counter(node.op_type for node in graph.node).items())),
    }


def port(value):
    tensor = value.type.tensor_type
    shape = [dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in tensor.shape.dim]
    return {"name": value.name, "type": onnx.TensorProto.DataType.Name(tensor.elem_type).lower(), "shape": shape}


def comparison(data, inputs, expected):
    """The largest difference between onnxruntime's outputs and the original's."""
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    outputs = session.run(None, inputs)
    shapes, originals = ([np.shape(output) for output in all_outputs] for all_outputs in (outputs, expected))
    if shapes != originals:
        raise SystemExit(f"the outputs have the shapes {shapes}, those of the original {originals}")
    return {
        "max_difference": max(map(difference, outputs, expected)),
        "max_output": max(difference(np.zeros_like(output), output) for output in expected),
    }


def difference(a, b):
    """The largest absolute difference; of names of classes, 1 if one is another."""
    a, b = np.asarray(a), np.asarray(b)
    if a.dtype.kind not in "fiub" or b.dtype.kind not in "fiub":
        return float((a != b).any())
    return float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)), initial=0))


def random_input(shape, dtype):
    """Numbers that every network can be asked about: integers may be indices of a small table."""
    generator = np.random.default_rng(SEED)
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        return generator.standard_normal(shape).astype(dtype)
    return generator.integers(0, 2, shape).astype(dtype)


def shape_of(job, name, known):
    """The dimensions of an input: those asked for, else the `known` ones with a batch of one."""
    asked = job["shapes"].pop(name, None)
    shape = list(known or []) if asked is None else asked
    if known is None and asked is None:
        raise Refused(f"the file does not say the shape of its input `{name}`", f"say it: --shape {name}=1,3,32,32")
    if asked is None and shape and shape[0] is None:
        shape[0] = 1
    if None in shape:
        text = ",".join("?" if d is None else str(d) for d in shape)
        raise Refused(f"the input `{name}` has the shape {text}", f"say what it is: --shape {name}={text.replace('?', '8')}")
    if known is not None and (len(known) != len(shape) or any(k not in (None, d) for k, d in zip(known, shape))):
        raise Refused(f"the input `{name}` has the shape {known}, and not {shape}", "correct --shape")
    return shape


def all_used(job, names):
    """To be called when each input had its shape."""
    if job["shapes"]:
        unknown, known = ", ".join(sorted(job["shapes"])), ", ".join(names)
        raise Refused(f"--shape names {unknown}; the model's inputs are {known}", "correct the name")
