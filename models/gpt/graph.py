"""Writes a trained GPT as one ONNX graph that generates: a Loop with a cache of keys and values inside.

Every turn of the loop takes one character, of the prompt or of what was generated before, and
computes the network for it alone. What attention needs of the earlier ones, it finds in the cache.
All shapes and the number of turns are constants.
"""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from gpt.network import GENERATED, HEAD, HEADS, LAYERS, LENGTH, PROMPT, WIDTH

# The last character that is generated is not read again.
TURNS = LENGTH - 1
# Far below any score: its exponential is zero.
UNSEEN = -1e9


class Graph:
    """Nodes in the order they were added, and the constants of the whole model."""

    def __init__(self, constants):
        self.nodes, self.constants = [], constants

    def add(self, kind, *inputs, outputs=None, **attributes):
        """Adds a node; returns the name of its output, or the names if `outputs` has several."""
        outputs = outputs or [f"{kind.lower()}_{len(self.nodes)}"]
        self.nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
        return outputs[0] if len(outputs) == 1 else outputs

    def constant(self, name, value, dtype):
        self.constants[name] = np.asarray(value, dtype)
        return name


def gelu(graph, x):
    """GELU by tanh, as PyTorch's `approximate="tanh"` has it."""
    cube = graph.add("Mul", graph.add("Mul", x, x), x)
    inner = graph.add("Add", x, graph.add("Mul", cube, graph.constant("gelu_cubic", 0.044715, np.float32)))
    scaled = graph.add("Mul", inner, graph.constant("gelu_scale", (2 / np.pi) ** 0.5, np.float32))
    gate = graph.add("Add", graph.add("Tanh", scaled), graph.constant("one", 1, np.float32))
    return graph.add("Mul", graph.add("Mul", x, graph.constant("half", 0.5, np.float32)), gate)


def normalised(graph, x, name):
    return graph.add("LayerNormalization", x, f"{name}.weight", f"{name}.bias", axis=-1, epsilon=1e-5)


def linear(graph, x, name):
    return graph.add("Gemm", x, f"{name}.weight", f"{name}.bias", transB=1)


def layer(graph, x, index, here, mask):
    """One layer for the character at the place `here` marks, x float32 [1, 128]."""
    name = f"layers.{index}"
    taken = linear(graph, normalised(graph, x, f"{name}.norm_1"), f"{name}.query_key_value")
    query, key, value = graph.add("Split", taken, outputs=[f"{part}_{index}" for part in "qkv"], axis=1)
    row = graph.constant("row", [HEADS, 1, HEAD], np.int64)
    # The keys stand in columns, so that no turn has to transpose the cache.
    column = graph.constant("column", [HEADS, HEAD, 1], np.int64)
    keys = graph.add(
        "Where", here, graph.add("Reshape", key, column), f"keys_{index}", outputs=[f"keys_{index}_out"]
    )
    values = graph.add(
        "Where",
        graph.add("Unsqueeze", here, graph.constant("last_axis", [1], np.int64)),
        graph.add("Reshape", value, row),
        f"values_{index}",
        outputs=[f"values_{index}_out"],
    )
    scores = graph.add("MatMul", graph.add("Reshape", query, row), keys)
    scaled = graph.add("Mul", scores, graph.constant("attention_scale", HEAD**-0.5, np.float32))
    weights = graph.add("Softmax", graph.add("Add", scaled, mask), axis=-1)
    mixed = graph.add("MatMul", weights, values)
    mixed = graph.add("Reshape", mixed, graph.constant("flat", [1, WIDTH], np.int64))
    x = graph.add("Add", x, linear(graph, mixed, f"{name}.out"))
    wide = linear(graph, normalised(graph, x, f"{name}.norm_2"), f"{name}.widen")
    return graph.add("Add", x, linear(graph, gelu(graph, wide), f"{name}.narrow"))


def states():
    """The tensors that go from turn to turn: name, type and shape."""
    yield "numbers", TensorProto.INT64, [1, LENGTH]
    for index in range(LAYERS):
        yield f"keys_{index}", TensorProto.FLOAT, [HEADS, HEAD, LENGTH]
        yield f"values_{index}", TensorProto.FLOAT, [HEADS, LENGTH, HEAD]


def turn(constants):
    """The body of the loop."""
    graph = Graph(constants)
    index = graph.constant("indices", np.arange(LENGTH), np.int64)
    here = graph.add("Equal", index, "turn")
    zero, unseen = graph.constant("zero", 0, np.float32), graph.constant("unseen", UNSEEN, np.float32)
    mask = graph.add("Where", graph.add("LessOrEqual", index, "turn"), zero, unseen)

    number = graph.add("Gather", "numbers", "turn", axis=1)
    x = graph.add("Add", graph.add("Gather", "characters.weight", number), graph.add("Gather", "places.weight", "turn"))
    for depth in range(LAYERS):
        x = layer(graph, x, depth, here, mask)
    logits = graph.add("Gemm", normalised(graph, x, "norm"), "characters.weight", transB=1)
    best = graph.add("ArgMax", logits, axis=1, keepdims=1)

    # What follows inside the prompt is known, and stays.
    following = graph.add("Equal", index, graph.add("Add", "turn", graph.constant("next", 1, np.int64)))
    free = graph.add("GreaterOrEqual", index, graph.constant("prompt_length", PROMPT, np.int64))
    graph.add("Where", graph.add("And", following, free), best, "numbers", outputs=["numbers_out"])
    graph.add("Identity", "go_on", outputs=["go_on_out"])

    scalar = [("turn", TensorProto.INT64, []), ("go_on", TensorProto.BOOL, [])]
    inputs = [helper.make_tensor_value_info(*state) for state in [*scalar, *states()]]
    carried = [scalar[1], *states()]
    outputs = [helper.make_tensor_value_info(f"{name}_out", kind, shape) for name, kind, shape in carried]
    return helper.make_graph(graph.nodes, "turn", inputs, outputs)


def build(weights, vocabulary):
    """The model for the weights of a `network.Gpt`, by name: `prompt` int64 [1, 16] to `text` int64 [1, 32]."""
    graph = Graph(dict(weights))
    blank = graph.constant("blank", np.zeros((1, GENERATED)), np.int64)
    start = [graph.add("Concat", "prompt", blank, axis=1)]
    for name, _, shape in list(states())[1:]:
        start.append(graph.add("ConstantOfShape", graph.constant(f"{name}_shape", shape, np.int64)))
    turns, go_on = graph.constant("turns", TURNS, np.int64), graph.constant("true", True, np.bool_)
    ends = [f"{name}_end" for name, _, _ in states()]
    graph.add("Loop", turns, go_on, *start, outputs=ends, body=turn(graph.constants))
    bounds = [graph.constant(name, [at], np.int64) for name, at in [("from", PROMPT), ("to", LENGTH), ("along", 1)]]
    graph.add("Slice", ends[0], *bounds, outputs=["text"])

    made = helper.make_graph(
        graph.nodes,
        "gpt",
        [helper.make_tensor_value_info("prompt", TensorProto.INT64, [1, PROMPT])],
        [helper.make_tensor_value_info("text", TensorProto.INT64, [1, GENERATED])],
        [numpy_helper.from_array(value, name) for name, value in graph.constants.items()],
        # Shape inference assumes that a loop may change the shapes of what it carries; this one does not.
        value_info=[helper.make_tensor_value_info(f"{name}_end", kind, shape) for name, kind, shape in states()],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    helper.set_model_props(model, {"vocabulary": vocabulary})
    onnx.checker.check_model(model, full_check=True)
    return model
