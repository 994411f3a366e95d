"""A case: a model of a few nodes, and what goes in."""

from dataclasses import dataclass, field

import numpy as np
from onnx import helper


@dataclass
class Case:
    name: str
    # The operator that it is about, with its domain unless that is the default one.
    operator: str
    nodes: list
    inputs: dict
    outputs: tuple = ("y",)
    constants: dict = field(default_factory=dict)
    opset: int = 21
    ml: int = 3
    # Whose outputs are right where two evaluators disagree, and why.
    by: tuple | None = None
    # The outputs, where no evaluator knows the form.
    expected: list | None = None


def case(name, operator, inputs, outputs=("y",), constants=None, extra=(), by=None, expected=None, opset=21, ml=3, **attributes):
    """A case of one node. `extra` are names of operands behind the inputs: constants, or empty for absent ones."""
    domain, _, kind = operator.rpartition("::")
    names = [*inputs, *extra]
    node = helper.make_node(kind, names, list(outputs), domain=domain, **attributes)
    return Case(name, operator, [node], inputs, tuple(outputs), constants or {}, opset, ml, by, expected)


def random(seed, *shape):
    """Normally distributed float32; every case has its own numbers, the same in each run."""
    return np.random.Generator(np.random.PCG64(seed)).standard_normal(shape).astype(np.float32)


def integers(seed, low, high, shape, dtype):
    return np.random.Generator(np.random.PCG64(seed)).integers(low, high, shape).astype(dtype)
