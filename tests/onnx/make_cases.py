"""Writes the suite's own cases to own/CASE: what ONNX's suite says little of.

    python make_cases.py

It needs the packages of python/requirements/quantize.txt, and prints the cases' lines for cases.tsv. The expected outputs are
onnxruntime's, and have to be those of ONNX's reference evaluator within the suite's tolerance. Where the two disagree, or one
does not know the form, the case says whose they are and why (`by`).
"""

import pathlib
import shutil
import warnings

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

import learned
import layers
import quantised
import tensors

OUT = pathlib.Path(__file__).parent / "own"
RTOL, ATOL = 1e-3, 1e-7


def model_of(case):
    """The case's model: its inputs as given, its outputs with the types and shapes that it says or that they turn out to have."""
    inputs = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype), value.shape)
        for name, value in case.inputs.items()
    ]
    outputs = [helper.make_empty_tensor_value_info(name) for name in case.outputs]
    weights = [numpy_helper.from_array(value, name) for name, value in case.constants.items()]
    graph = helper.make_graph(case.nodes, case.name, inputs, outputs, weights)
    opsets = [helper.make_opsetid("", case.opset), helper.make_opsetid("ai.onnx.ml", case.ml)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=10)


def with_onnxruntime(model, case):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, case.inputs)


def with_reference(model, case):
    with warnings.catch_warnings(action="ignore"), np.errstate(all="ignore"):
        return ReferenceEvaluator(model).run(None, case.inputs)


def agree(ours, others):
    pairs = zip(ours, others, strict=True)
    return all(
        a.dtype == b.dtype and a.shape == b.shape and np.allclose(a, b, RTOL, ATOL, equal_nan=True) for a, b in pairs
    )


def attempt(run, model, case):
    try:
        return [np.asarray(value) for value in run(model, case)]
    except Exception as error:  # Each of the two refuses in its own ways.
        return str(error).splitlines()[0][:200]


class Undecided(Exception):
    """Nothing says what a case has to give."""


def expected(model, case):
    runtime, reference = attempt(with_onnxruntime, model, case), attempt(with_reference, model, case)
    if case.expected is not None:
        return case.expected
    known = [values for values in (runtime, reference) if isinstance(values, list)]
    if case.by is None:
        if len(known) != 2 or not agree(*known):
            raise Undecided(f"{case.name}: say whose outputs are right\nonnxruntime: {runtime}\nreference: {reference}")
        return runtime
    whose, _why = case.by
    if len(known) == 2 and agree(*known):
        raise Undecided(f"{case.name}: both say the same, so `by` has no reason")
    values = {"onnxruntime": runtime, "reference": reference}[whose]
    if not isinstance(values, list):
        raise Undecided(f"{case.name}: {whose} has no outputs: {values}")
    return values


def write(case):
    model = model_of(case)
    values = expected(model, case)
    for port, value in zip(model.graph.output, values, strict=True):
        elem = helper.np_dtype_to_tensor_dtype(value.dtype)
        port.CopyFrom(helper.make_tensor_value_info(port.name, elem, value.shape))
    folder = OUT / case.name / "test_data_set_0"
    folder.mkdir(parents=True)
    (folder.parent / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    for which, tensors_of in (("input", case.inputs.values()), ("output", values)):
        for index, value in enumerate(tensors_of):
            proto = numpy_helper.from_array(np.ascontiguousarray(value).reshape(value.shape))
            (folder / f"{which}_{index}.pb").write_bytes(proto.SerializeToString(deterministic=True))
    print("\t".join(["own", case.name, case.operator, "plain", "-", "-", "-", "-", "passes", "passes"]))


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    cases = [case for room in (tensors, quantised, learned, layers) for case in room.cases()]
    undecided = []
    for case in sorted(cases, key=lambda case: case.name):
        try:
            write(case)
        except Undecided as problem:
            undecided.append(str(problem))
    if undecided:
        raise SystemExit("\n".join(undecided))


if __name__ == "__main__":
    main()
