"""Quantisation: linear, of convolutions, dynamic."""

import numpy as np
from onnx import TensorProto, helper

from case import Case, case, integers, random


def quantize():
    # Ties go to the even number, and what is out of range to its end.
    x = np.array([[-1000, -2.5, -1.5, -0.5, 0.5], [1.5, 2.5, 127.5, 254.5, 1000]], np.float32)
    one = np.array(1, np.float32)
    yield case("quantize_linear_uint8", "QuantizeLinear", {"x": x, "s": one, "z": np.array(0, np.uint8)})
    yield case("quantize_linear_int8", "QuantizeLinear", {"x": x, "s": one, "z": np.array(-3, np.int8)})
    yield case("quantize_linear_no_zero_point", "QuantizeLinear", {"x": x, "s": np.array(0.5, np.float32)})
    y, s = random(1, 2, 3, 4) * 50, abs(random(2, 3)) + np.float32(0.1)
    zero = np.array([10, 128, 200], np.uint8)
    yield case("quantize_linear_axis", "QuantizeLinear", {"x": y, "s": s, "z": zero}, axis=1)
    yield case("quantize_linear_axis_opset13", "QuantizeLinear", {"x": y, "s": s, "z": zero.astype(np.int8)}, opset=13, axis=-2)
    blocks = abs(random(3, 2, 3, 2)) + np.float32(0.1)
    yield case("quantize_linear_blocked", "QuantizeLinear", {"x": y, "s": blocks}, axis=2, block_size=2)
    codes = integers(4, -128, 128, (2, 3, 4), np.int8)
    yield case("dequantize_linear_int8", "DequantizeLinear", {"x": codes, "s": np.array(0.03, np.float32), "z": np.array(5, np.int8)})
    yield case("dequantize_linear_axis", "DequantizeLinear", {"x": codes, "s": s, "z": np.array([1, -2, 3], np.int8)}, axis=1)
    yield case("dequantize_linear_blocked", "DequantizeLinear", {"x": codes, "s": blocks, "z": integers(5, -9, 9, (2, 3, 2), np.int8)}, axis=2, block_size=2)
    yield case("dequantize_linear_int32", "DequantizeLinear", {"x": integers(6, -(2**31), 2**31, (8,), np.int32), "s": np.array(1e-4, np.float32)})


def convolutions():
    for name, dtype, low, group, more in [
        ("uint8", np.uint8, 0, 1, {"pads": [1, 1, 1, 1]}),
        ("int8", np.int8, -128, 1, {"strides": [2, 1]}),
        ("groups", np.uint8, 0, 2, {"group": 2, "pads": [0, 1, 1, 0], "dilations": [2, 1]}),
    ]:
        x = integers(10, low, low + 256, (1, 4, 6, 5), dtype)
        w = integers(11, -128, 128, (6, 4 // group, 3, 2), np.int8)
        constants = {
            "xs": np.array(0.02, np.float32), "xz": np.array(low + 120, dtype), "w": w,
            "ws": abs(random(12, 6)) * np.float32(0.05) + np.float32(0.001), "wz": np.zeros(6, np.int8),
            "ys": np.array(0.5, np.float32), "yz": np.array(low + 100, dtype), "b": integers(13, -5000, 5000, (6,), np.int32),
        }
        yield case(f"qlinear_conv_{name}", "QLinearConv", {"x": x}, constants=constants, extra=["xs", "xz", "w", "ws", "wz", "ys", "yz", "b"], **more)
    x, w = integers(14, 0, 256, (1, 2, 5, 5), np.uint8), integers(15, 0, 256, (3, 2, 3, 3), np.uint8)
    yield case("conv_integer_zero_points", "ConvInteger", {"x": x}, constants={"w": w, "xz": np.array(7, np.uint8), "wz": np.array(130, np.uint8)}, extra=["w", "xz", "wz"])


def dynamic():
    rows = {"mixed": random(20, 3, 5), "positive": abs(random(21, 4)) + 1, "negative": -abs(random(22, 4)) - 1}
    for name, x in rows.items():
        yield case(f"dynamic_quantize_{name}", "DynamicQuantizeLinear", {"x": x}, ["y", "s", "z"])
    # What onnxruntime's dynamic quantisation makes of a product of matrices.
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("MatMulInteger", ["q", "w", "z", "wz"], ["i"]),
        helper.make_node("Cast", ["i"], ["f"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["s", "ws"], ["scale"]),
        helper.make_node("Mul", ["f", "scale"], ["p"]),
        helper.make_node("Add", ["p", "b"], ["y"]),
    ]
    constants = {
        "w": integers(23, -128, 128, (8, 5), np.int8), "wz": np.zeros((), np.int8),
        "ws": np.array(0.01, np.float32), "b": random(24, 5),
    }
    yield Case("dynamic_quantisation_matmul", "MatMulInteger", nodes, {"x": random(25, 3, 8)}, ("y",), constants)


def cases():
    return [*quantize(), *convolutions(), *dynamic()]
