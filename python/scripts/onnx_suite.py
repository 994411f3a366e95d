"""Writes ONNX's backend test suite as files: python onnx_suite.py OUT

    OUT/SUITE/CASE/model.onnx
    OUT/SUITE/CASE/test_data_set_0/input_0.pb, ..., output_0.pb, ...
    OUT/index.json

A `.pb` is a TensorProto, SequenceProto or OptionalProto, as `kind` in the index says. SUITE is `node`, whose cases the
package computes; `simple`, `pytorch-converted` and `pytorch-operator`, which it has as files; and `light`, networks
with constant weights.
"""

import json
import pathlib
import shutil
import sys
import warnings

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.backend.test.case import node
from onnx.backend.test.loader import load_model_tests
from onnx.backend.test.runner import Runner

FILES = ("simple", "pytorch-converted", "pytorch-operator")


def kind_of(port):
    """`tensor`, `sequence` or `optional`; maps and sparse tensors are in none of the cases."""
    return port.type.WhichOneof("value").removesuffix("_type")


def serialize(port, value):
    """The bytes of `value`, an input or output as the cases have it, and as the graph's `port` declares it."""
    match kind_of(port):
        case "sequence":
            proto = numpy_helper.from_list(value, port.name)
        case "optional":
            proto = numpy_helper.from_optional(value, port.name)
        case "tensor" if isinstance(value, onnx.TensorProto):
            # Types that numpy has no name for come serialised.
            proto = value
        case "tensor":
            proto = numpy_helper.from_array(np.asarray(value), port.name)
        case other:
            raise SystemExit(f"{port.name} is a {other}")
    return proto.SerializeToString(deterministic=True)


def free_inputs(graph):
    """The inputs that a caller has to give: in old files the weights are listed among them."""
    weights = {tensor.name for tensor in graph.initializer}
    return [port for port in graph.input if port.name not in weights]


def ports(kept):
    return [{"name": port.name, "kind": kind_of(port)} for port in kept]


def entry(suite, name, model, tolerances, inputs, outputs):
    """The case's entry in the index, for the number of inputs and outputs that its data has."""
    given, computed = free_inputs(model.graph), model.graph.output
    if len(given) != inputs or len(computed) != outputs:
        raise SystemExit(f"{suite}/{name}: {inputs} and {outputs} files for {len(given)} inputs and {len(computed)} outputs")
    rtol, atol = tolerances
    return {"suite": suite, "case": name, "rtol": rtol, "atol": atol, "inputs": ports(given), "outputs": ports(computed)}


def write_data(folder, which, kept, values):
    for index, (port, value) in enumerate(zip(kept, values, strict=True)):
        (folder / f"{which}_{index}.pb").write_bytes(serialize(port, value))


def write_node_cases(out):
    # The cases try infinities and overflow on purpose.
    with warnings.catch_warnings(action="ignore"):
        cases = node.collect_testcases(None)
    for case in sorted(cases, key=lambda case: case.name):
        ((inputs, outputs),) = case.data_sets
        folder = out / "node" / case.name / "test_data_set_0"
        folder.mkdir(parents=True)
        (folder.parent / "model.onnx").write_bytes(case.model.SerializeToString(deterministic=True))
        write_data(folder, "input", case.model.graph.input, inputs)
        write_data(folder, "output", case.model.graph.output, outputs)
        yield entry("node", case.name, case.model, (case.rtol, case.atol), len(inputs), len(outputs))


def write_cases_of_files(out, suite):
    for case in sorted(load_model_tests(kind=suite), key=lambda case: case.name):
        source, folder = pathlib.Path(case.model_dir), out / suite / case.name
        model = onnx.load(source / "model.onnx")
        (source_data,) = source.glob("test_data_set_*")
        shutil.copytree(source_data, folder / "test_data_set_0")
        shutil.copy(source / "model.onnx", folder)
        inputs, outputs = (len(list(source_data.glob(f"{which}_*.pb"))) for which in ("input", "output"))
        yield entry(suite, case.name, model, (case.rtol, case.atol), inputs, outputs)


def write_light_cases(out):
    """The suite's runner feeds these networks a ramp; the package has what they make of it."""
    package = pathlib.Path(onnx.__file__).parents[1]
    for case in sorted(load_model_tests(kind="real"), key=lambda case: case.model_name):
        source = package / case.url
        model = onnx.load(source)
        folder = out / "light" / case.model_name / "test_data_set_0"
        folder.mkdir(parents=True)
        shutil.copy(source, folder.parent / "model.onnx")
        inputs = free_inputs(model.graph)
        write_data(folder, "input", inputs, [Runner.generate_dummy_data(port) for port in inputs])
        for index in range(len(model.graph.output)):
            shutil.copy(source.with_name(f"{source.stem}_output_{index}.pb"), folder / f"output_{index}.pb")
        outputs = len(model.graph.output)
        yield entry("light", case.model_name, model, (case.rtol, case.atol), len(inputs), outputs)


def main():
    out = pathlib.Path(sys.argv[1])
    cases = list(write_node_cases(out))
    for suite in FILES:
        cases += write_cases_of_files(out, suite)
    cases += write_light_cases(out)
    index = {"onnx": onnx.__version__, "cases": cases}
    (out / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    print(f"{len(cases)} cases")


if __name__ == "__main__":
    main()
