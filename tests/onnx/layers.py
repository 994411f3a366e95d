"""Recurrent layers backwards and in both directions."""

import numpy as np

from case import case, random

STEPS, BATCH, INPUT, HIDDEN = 4, 2, 3, 2
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def layer(kind, directions, seed):
    rows = GATES[kind] * HIDDEN
    return {
        "w": random(seed, directions, rows, INPUT), "r": random(seed + 1, directions, rows, HIDDEN),
        "b": random(seed + 2, directions, 2 * rows),
    }


def cases():
    x = random(1, STEPS, BATCH, INPUT)
    for place, kind in enumerate(GATES):
        outputs = ["y", "h", "c"] if kind == "LSTM" else ["y", "h"]
        for direction, directions in (("reverse", 1), ("bidirectional", 2)):
            seed = 100 * (place + 1) + directions
            constants = layer(kind, directions, seed)
            yield case(f"{kind.lower()}_{direction}", kind, {"x": x}, outputs, constants, ["w", "r", "b"], direction=direction, hidden_size=HIDDEN)
            by = ("onnxruntime", "the reference evaluator takes all sequences for equally long")
            state = {"h0": random(seed + 3, directions, BATCH, HIDDEN), "n": np.array([4, 2], np.int32)}
            yield case(f"{kind.lower()}_{direction}_lengths", kind, {"x": x}, outputs, constants | state, ["w", "r", "b", "n", "h0"], by=by, direction=direction, hidden_size=HIDDEN)
    constants = layer("GRU", 1, 400)
    yield case("gru_reverse_reset_after", "GRU", {"x": x}, ["y", "h"], constants, ["w", "r", "b"], direction="reverse", hidden_size=HIDDEN, linear_before_reset=1)
    functions = ["Sigmoid", "Relu", "Tanh"]
    yield case("lstm_reverse_functions", "LSTM", {"x": x}, ["y", "h", "c"], layer("LSTM", 1, 500), ["w", "r", "b"], by=("onnxruntime", "the reference evaluator has no such LSTM"), direction="reverse", hidden_size=HIDDEN, activations=functions, clip=1.5)
