"""Makes a static int8 model with QuantizeLinear and DequantizeLinear: python quantize.py JOB

Activations get their ranges from samples; weights a scale for each channel.
"""

import pathlib
import tempfile

import numpy as np
import onnx
import onnxruntime
from onnxruntime import quantization
from onnxruntime.quantization.shape_inference import quant_pre_process
from PIL import Image

import onnx_report
from onnx_report import Refused

TYPES = {"int8": quantization.QuantType.QInt8, "uint8": quantization.QuantType.QUInt8}
METHODS = {
    "minmax": quantization.CalibrationMethod.MinMax,
    "entropy": quantization.CalibrationMethod.Entropy,
    "percentile": quantization.CalibrationMethod.Percentile,
}
FORMATS = ".npy, .pb, .bin, .png, .pgm"
# QuantizeLinear has an axis since then.
OLDEST_OPSET = 13


def read_tensor(path, port):
    """The tensor in a file, as the commands read it: see frontend/src/tensor_file."""
    match path.suffix.lower():
        case ".npy":
            value = np.load(path, allow_pickle=False)
        case ".pb":
            value = onnx.numpy_helper.to_array(onnx.load_tensor(path))
        case ".bin":
            value = np.fromfile(path, dtype=port["dtype"])
        case ".png" | ".pgm":
            with Image.open(path) as picture:
                if picture.mode != "L":
                    raise Refused(f"{path} is no 8-bit greyscale picture", "convert it, or give the tensor as .npy")
                value = np.asarray(picture, np.float32) / np.float32(255)
        case _:
            raise Refused(f"{path} has none of the endings {FORMATS}", "remove it, or put nothing but samples into the folder")
    return fitted(path, value, port)


def fitted(path, value, port):
    """`value` in the input's shape, from which it may differ in axes of length 1."""
    if value.dtype != port["dtype"]:
        raise Refused(f"{path} holds {value.dtype}; the input `{port['name']}` is {port['dtype']}", "convert the samples")
    flat = path.suffix.lower() == ".bin" and value.size == np.prod(port["shape"])
    if not flat and [d for d in value.shape if d != 1] != [d for d in port["shape"] if d != 1]:
        raise Refused(f"{path} has the shape {list(value.shape)}; the input `{port['name']}` has {port['shape']}", "convert the samples")
    if value.dtype.kind == "f" and np.isnan(value).any():
        raise Refused(f"{path} holds a NaN", "take it out: no range has it in it")
    return value.reshape(port["shape"])


def read_sample(path, ports):
    """The inputs by name. Of several inputs each has a file in the folder `path`, with its name or as `input_N`."""
    if path.is_file():
        if len(ports) != 1:
            raise Refused(f"{path} is a file, and the model has {len(ports)} inputs", "make a folder of each sample, with a file for each input")
        return {ports[0]["name"]: read_tensor(path, ports[0])}
    files = {file.stem: file for file in sorted(path.iterdir())}
    sample = {}
    for index, port in enumerate(ports):
        file = files.get(port["name"]) or files.get(f"input_{index}")
        if file is None:
            raise Refused(f"{path} has no file for the input `{port['name']}`", f"name it {port['name']}.npy or input_{index}.npy")
        sample[port["name"]] = read_tensor(file, port)
    return sample


def samples(job, ports):
    folder = pathlib.Path(job["calibrate"])
    paths = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    if not paths:
        raise Refused(f"{folder} is empty", f"put a file ({FORMATS}) or a folder into it for each sample, about a hundred of them")
    return [read_sample(path, ports) for path in paths]


def labels(job, count):
    """The right classes, in the order of the samples' names."""
    if job["labels"] is None:
        return None
    path = pathlib.Path(job["labels"])
    try:
        found = np.load(path, allow_pickle=False) if path.suffix == ".npy" else np.array(path.read_text().split(), np.int64)
    except ValueError as error:
        raise Refused(f"{path} holds no labels: {error}", "give a .npy of integers, or a text with one number on each line") from error
    if found.shape != (count,):
        raise Refused(f"{path} has {found.size} labels for {count} samples", "give one for each sample, in the order of their names")
    return found.astype(np.int64)


def input_ports(model):
    weights = {tensor.name for tensor in model.graph.initializer}
    ports = []
    for value in model.graph.input:
        if value.name in weights:
            continue
        shape = onnx_report.port(value)["shape"]
        free = [d for d in shape if not isinstance(d, int)]
        if free:
            raise Refused(f"the input `{value.name}` has the shape {shape}", "give a model with fixed shapes: convert --shape makes one")
        ports.append({"name": value.name, "shape": shape, "dtype": onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type)})
    return ports


class Reader(quantization.CalibrationDataReader):
    def __init__(self, all_samples):
        self.left = iter(all_samples)

    def get_next(self):
        return next(self.left, None)


def run(model, all_samples):
    """The first output for each sample, computed as ONNX defines it: in one order, and not with fused integer kernels."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    first = session.get_outputs()[0].name
    return np.stack([session.run([first], sample)[0].astype(np.float64).ravel() for sample in all_samples])


def quantized(job, all_samples):
    """Writes the quantised model and gives it."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = pathlib.Path(folder) / "prepared.onnx"
        quant_pre_process(job["file"], prepared)
        quantization.quantize_static(
            prepared,
            job["out"],
            Reader(all_samples),
            quant_format=quantization.QuantFormat.QDQ,
            per_channel=True,
            activation_type=TYPES[job["activations"]],
            weight_type=quantization.QuantType.QInt8,
            calibrate_method=METHODS[job["method"]],
        )
    model = onnx.load(job["out"])
    # The tools import each domain that onnxruntime knows.
    used = {node.domain for node in model.graph.node} | {""}
    kept = [entry for entry in model.opset_import if entry.domain in used]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    onnx.checker.check_model(model, full_check=True)
    pathlib.Path(job["out"]).write_bytes(model.SerializeToString(deterministic=True))
    return model


def quantize(job):
    original = onnx.load(job["file"])
    opset = next((entry.version for entry in original.opset_import if entry.domain in ("", "ai.onnx")), 0)
    if opset < OLDEST_OPSET:
        raise Refused(f"the model has opset {opset}; a scale for each channel needs {OLDEST_OPSET}", "export the model with a newer opset")
    all_samples = samples(job, input_ports(original))
    right = labels(job, len(all_samples))
    model = quantized(job, all_samples)
    if not any(node.op_type == "QuantizeLinear" for node in model.graph.node):
        raise Refused("nothing in the model can be quantised", "it has no operator that onnxruntime's quantiser takes, such as Conv or MatMul")
    before, after = (run(path, all_samples) for path in (job["file"], job["out"]))
    classes = before.argmax(1), after.argmax(1)
    return onnx_report.described(model) | {
        "samples": len(all_samples),
        "agreement": float((classes[0] == classes[1]).mean()),
        "max_difference": float(np.abs(before - after).max()),
        "mean_difference": float(np.abs(before - after).mean()),
        "max_output": float(np.abs(before).max()),
        "accuracy": None if right is None else [float((found == right).mean()) for found in classes],
    }


if __name__ == "__main__":
    onnx_report.run(quantize)
