"""Converts a file of PyTorch: python convert_torch.py JOB

`.pt2` goes through the exporter of exported programs, TorchScript through the older one, and a pickled module is exported
as a program first.
"""

import io
import json
import os
import pathlib
import sys

JOB = json.loads(pathlib.Path(sys.argv[1]).read_text())
if not JOB["allow_code"]:
    # torch's loaders fall back on pickles that run code, for samples of inputs among others; this forbids it everywhere.
    os.environ["TORCH_FORCE_WEIGHTS_ONLY_LOAD"] = "1"

import onnx
import torch

import onnx_report


def flat(value):
    """The tensors of an output, which may be a tuple or a dictionary of others."""
    return [tensor.detach().numpy() for tensor in torch.utils._pytree.tree_leaves(value) if isinstance(tensor, torch.Tensor)]


def example(job, name, known, dtype):
    shape = onnx_report.shape_of(job, name, known)
    return torch.from_numpy(onnx_report.random_input(shape, str(dtype).removeprefix("torch.")))


def dims(node):
    """The sizes of an input of an exported program; None for those that are free."""
    return [size if isinstance(size, int) else None for size in node.meta["val"].shape]


def exported_program(job, program):
    names = list(program.graph_signature.user_inputs)
    nodes = {node.name: node for node in program.graph.nodes}
    others = [name for name in names if not isinstance(nodes.get(name), torch.fx.Node) or "val" not in nodes[name].meta]
    if others:
        raise onnx_report.Refused(f"inputs that are no tensors: {', '.join(map(str, others))}", "export the module with tensors alone")
    inputs = {name: example(job, name, dims(nodes[name]), nodes[name].meta["val"].dtype) for name in names}
    onnx_report.all_used(job, names)
    exported = torch.onnx.export(program, dynamo=True, opset_version=job["opset"], verbose=False).model_proto
    for value in exported.graph.input:
        for dim, size in zip(value.type.tensor_type.shape.dim, inputs[value.name].shape, strict=True):
            dim.dim_value = size
    # The shapes that the exporter wrote down may have names that stand for nothing now.
    del exported.graph.value_info[:]
    args, kwargs = torch.utils._pytree.tree_unflatten(list(inputs.values()), program.call_spec.in_spec)
    with torch.no_grad():
        expected = flat(program.module()(*args, **kwargs))
    return infer(exported), {name: value.numpy() for name, value in inputs.items()}, expected


def torch_script(job, module):
    module.eval()
    arguments = [argument for argument in module.forward.schema.arguments[1:] if not argument.has_default_value()]
    names = [argument.name for argument in arguments]
    dtype_of = {argument.name: job["types"].get(argument.name, "float32") for argument in arguments}
    inputs = {name: example(job, name, None, dtype_of[name]) for name in names}
    onnx_report.all_used(job, names)
    data = io.BytesIO()
    torch.onnx.export(module, tuple(inputs.values()), data, dynamo=False, opset_version=job["opset"], input_names=names)
    with torch.no_grad():
        expected = flat(module(*inputs.values()))
    return onnx.load_from_string(data.getvalue()), {name: value.numpy() for name, value in inputs.items()}, expected


def module(job, loaded):
    if not isinstance(loaded, torch.nn.Module):
        raise onnx_report.Refused(
            f"the file holds a {type(loaded).__qualname__} and no module: weights alone say nothing about the network",
            "make the module, load the weights into it, and save torch.export.export(module, inputs) with torch.export.save",
        )
    names = list(job["shapes"])
    if not names:
        raise onnx_report.Refused("the file does not say the shapes of its inputs", "say them in their order: --shape x=1,3,32,32")
    inputs = [example(job, name, None, job["types"].get(name, "float32")) for name in names]
    return exported_program(job, torch.export.export(loaded.eval(), tuple(inputs)))


def infer(model):
    """Puts the outputs' shapes in, which follow from the inputs'."""
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    return onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)


def convert(job):
    match job["kind"]:
        case "exported-program":
            program = torch.export.load(job["file"])
            if not job["allow_code"]:
                # Conditions on the inputs, as text of Python that would be run.
                program._guards_code = []
            return exported_program(job, program)
        case "torchscript":
            return torch_script(job, torch.jit.load(job["file"], map_location="cpu"))
        case "torch-pickle":
            return module(job, torch.load(job["file"], map_location="cpu", weights_only=False))


if __name__ == "__main__":
    onnx_report.run(lambda job: onnx_report.written(job, *convert(job)))
