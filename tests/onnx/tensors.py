"""Cast, Einsum, Pad, and forms of old operator sets."""

import numpy as np
from onnx import TensorProto, helper

from case import Case, case, integers, random

TYPES = {
    "float": (TensorProto.FLOAT, np.float32),
    "int64": (TensorProto.INT64, np.int64),
    "int32": (TensorProto.INT32, np.int32),
    "int8": (TensorProto.INT8, np.int8),
    "uint8": (TensorProto.UINT8, np.uint8),
    "bool": (TensorProto.BOOL, np.bool_),
}

# Values of each type. Floats are in the range of every integer they are cast to: what is out of it is undefined.
VALUES = {
    "float": [0.0, -0.0, 0.5, 1.5, 2.5, 0.99999994, 1.0, 99.9, 126.99, 1e-40],
    "int64": [0, 1, -1, 127, 128, 255, 256, -129, 2**24 + 1, 2**31, -(2**31) - 1, 2**53 + 3, -(2**63), 2**63 - 1],
    "int32": [0, 1, -1, 127, 128, 255, 256, -129, 2**24 + 1, 2**31 - 1, -(2**31)],
    "int8": [0, 1, -1, 127, -128],
    "uint8": [0, 1, 127, 128, 255],
    "bool": [False, True],
}


def casts():
    for name, (_, dtype) in TYPES.items():
        others = [other for other in TYPES if other != name]
        nodes = [helper.make_node("Cast", ["x"], [f"to_{other}"], to=TYPES[other][0]) for other in others]
        x = np.array(VALUES[name], dtype)
        yield Case(f"cast_from_{name}", "Cast", nodes, {"x": x}, tuple(f"to_{other}" for other in others))
    negative = np.array([-0.5, -1.0, -1.5, -127.9, -128.0], np.float32)
    nodes = [helper.make_node("Cast", ["x"], [f"to_{other}"], to=TYPES[other][0]) for other in ("int64", "int32", "int8")]
    yield Case("cast_from_negative_float", "Cast", nodes, {"x": negative}, ("to_int64", "to_int32", "to_int8"))
    special = np.array([np.inf, -np.inf, np.nan, 1e30], np.float32)
    yield case("cast_special_float_to_bool", "Cast", {"x": special}, to=TensorProto.BOOL)
    yield case("cast_opset6", "Cast", {"x": np.array([1.75, 300.0], np.float32)}, opset=6, to=TensorProto.INT32)


EINSUMS = {
    "matmul": ("ij,jk->ik", (3, 4), (4, 5)),
    "batch_matmul": ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)),
    "implicit": ("ij,jk", (3, 4), (4, 5)),
    "implicit_sorted": ("ba", (3, 4)),
    "transpose": ("ij->ji", (3, 4)),
    "row_sums": ("ij->i", (3, 4)),
    "all_sums": ("ijk->", (2, 3, 4)),
    "diagonal": ("ii->i", (4, 4)),
    "trace": ("ii", (4, 4)),
    "diagonal_of_batch": ("...ii->...i", (2, 3, 4, 4)),
    "diagonal_in_product": ("iij,jk->ik", (3, 3, 4), (4, 2)),
    "inner": ("i,i->", (5,), (5,)),
    "outer": ("i,j->ij", (3,), (4,)),
    "elementwise": ("ij,ij->ij", (3, 4), (3, 4)),
    "ellipsis": ("...ij,...jk->...ik", (2, 3, 4), (2, 4, 5)),
    "ellipsis_broadcast": ("...ij,jk->...ik", (2, 2, 3, 4), (4, 5)),
    "attention_scores": ("bhid,bhjd->bhij", (2, 2, 3, 4), (2, 2, 5, 4)),
    "attention_values": ("bhij,bjhd->bihd", (2, 2, 3, 4), (2, 4, 2, 5)),
    "relative_rows": ("bhwc,hkc->bhwk", (2, 3, 2, 4), (3, 5, 4)),
    "chain": ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)),
    "bilinear": ("bn,anm,bm->ba", (2, 3), (2, 3, 4), (2, 4)),
    "sum_of_one_side": ("ij,kl->ik", (2, 3), (4, 2)),
    "spaces": (" i j , j k -> k i ", (2, 3), (3, 4)),
}


def einsums():
    for seed, (name, (equation, *shapes)) in enumerate(EINSUMS.items()):
        inputs = {f"x{i}": random(100 + 10 * seed + i, *shape) for i, shape in enumerate(shapes)}
        yield case(f"einsum_{name}", "Einsum", inputs, equation=equation)
    a, b = integers(1, -9, 9, (3, 4), np.int32), integers(2, -9, 9, (4, 2), np.int32)
    yield case("einsum_int32", "Einsum", {"a": a, "b": b}, equation="ij,jk->ik")
    weights = {"w": random(3, 4, 2, 3)}
    yield case("einsum_weights", "Einsum", {"x": random(4, 2, 5, 4)}, constants=weights, extra=["w"], equation="bsd,dhk->bshk")


def pads():
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    for name, amounts in {"both": [1, 2, 2, 1], "far": [4, 5, 3, 9], "one_side": [0, 3, 0, 0]}.items():
        constants = {"pads": np.array(amounts, np.int64)}
        yield case(f"pad_wrap_{name}", "Pad", {"x": x}, constants=constants, extra=["pads"], mode="wrap")
    constants = {"pads": np.array([2, 1], np.int64), "axes": np.array([1], np.int64)}
    yield case("pad_wrap_axes", "Pad", {"x": x}, constants=constants, extra=["pads", "", "axes"], mode="wrap")
    yield case("pad_wrap_int32", "Pad", {"x": x.astype(np.int32)}, constants={"pads": np.array([1, 1, 1, 1], np.int64)}, extra=["pads"], mode="wrap")
    constants = {"pads": np.array([-1, 1, 1, -2], np.int64)}
    by = ("onnxruntime", "the reference evaluator cuts nothing off")
    yield case("pad_negative", "Pad", {"x": x}, constants=constants, extra=["pads"], by=by)


def old_forms():
    x, image = random(20, 2, 3, 4), random(21, 1, 2, 4, 4)
    yield case("clip_opset6", "Clip", {"x": x}, opset=6, min=-0.5, max=0.5)
    yield case("pad_opset2", "Pad", {"x": x}, opset=10, pads=[0, 1, 0, 1, 0, 2], value=1.5)
    yield case("slice_opset1", "Slice", {"x": x}, opset=9, starts=[0, -2], ends=[2, 100], axes=[1, 2])
    yield case("squeeze_opset1", "Squeeze", {"x": random(22, 1, 3, 1)}, opset=11, axes=[0, 2])
    yield case("unsqueeze_opset1", "Unsqueeze", {"x": x}, opset=11, axes=[0, 4])
    yield case("reduce_sum_opset11", "ReduceSum", {"x": x}, opset=11, axes=[1], keepdims=0)
    yield case("reduce_mean_opset11", "ReduceMean", {"x": x}, opset=11, axes=[-1])
    by = ("onnxruntime", "the reference evaluator takes the axis alone, as newer sets do")
    yield case("softmax_opset11", "Softmax", {"x": x}, opset=11, by=by, axis=1)
    yield case("log_softmax_opset11", "LogSoftmax", {"x": x}, opset=11, by=by, axis=1)
    yield case("hardmax_opset11", "Hardmax", {"x": x}, opset=11, by=by, axis=1)
    yield case("upsample_opset7", "Upsample", {"x": image}, opset=8, by=("onnxruntime", "the reference evaluator has no Upsample"), scales=[1.0, 1.0, 2.0, 2.0])
    yield case("upsample_opset9_linear", "Upsample", {"x": image}, constants={"s": np.array([1, 1, 2, 3], np.float32)}, extra=["s"], opset=9, by=("onnxruntime", "as above"), mode="linear")
    yield case("resize_opset10", "Resize", {"x": image}, constants={"s": np.array([1, 1, 2, 2], np.float32)}, extra=["s"], opset=10, by=("onnxruntime", "the reference evaluator has no such Resize"), mode="nearest")
    yield case("top_k_opset1", "TopK", {"x": x}, ["v", "i"], opset=9, k=2, axis=2)
    yield case("top_k_opset10", "TopK", {"x": x}, ["v", "i"], constants={"k": np.array([2], np.int64)}, extra=["k"], opset=10, axis=-1)
    yield case("split_opset2", "Split", {"x": x}, ["a", "b"], opset=11, axis=2, split=[1, 3])
    yield case("batch_normalization_opset7", "BatchNormalization", {"x": image}, constants={n: abs(random(23 + i, 2)) for i, n in enumerate("sbmv")}, extra=list("sbmv"), opset=8, by=("onnxruntime", "the reference evaluator fails"))
    yield case("dropout_opset7", "Dropout", {"x": x}, opset=9, ratio=0.5)
    yield case("flatten_opset1", "Flatten", {"x": image}, opset=8, axis=2)
    yield case("prelu_opset7", "PRelu", {"x": image}, constants={"slope": random(28, 2, 1, 1)}, extra=["slope"], opset=8)
    yield case("max_pool_opset1", "MaxPool", {"x": image}, opset=7, kernel_shape=[2, 2], strides=[2, 2], auto_pad="SAME_UPPER")
    yield case("average_pool_opset7", "AveragePool", {"x": image}, opset=9, kernel_shape=[3, 3], pads=[1, 1, 1, 1])
    yield case("gemm_opset7", "Gemm", {"a": random(29, 2, 3), "b": random(30, 4, 3), "c": random(31, 4)}, opset=8, transB=1)
    b = random(32, 3)
    # Before operator set 7 the second operand says where it begins.
    yield case("add_opset6_axis", "Add", {"x": x, "b": b}, opset=6, expected=[x + b[:, None]], broadcast=1, axis=1)
    yield case("mul_opset6_last", "Mul", {"x": x, "b": random(33, 4)}, opset=6, expected=[x * random(33, 4)], broadcast=1)
    yield case("expand_opset8", "Expand", {"x": random(34, 3, 1)}, constants={"shape": np.array([2, 1, 4], np.int64)}, extra=["shape"], opset=8)
    yield case("one_hot_opset9", "OneHot", {"i": np.array([0, 2, -1], np.int64)}, constants={"d": np.array([4], np.int64), "v": np.array([2.0, 5.0], np.float32)}, extra=["d", "v"], opset=10, by=("onnxruntime", "the reference evaluator takes no depth of rank 1"))
    yield case("scatter_opset9", "Scatter", {"x": x[0], "i": np.array([[1, 0, 2, 1]], np.int64), "u": random(35, 1, 4)}, opset=9, by=("onnxruntime", "the reference evaluator has no Scatter"), axis=0)


def cases():
    return [*casts(), *einsums(), *pads(), *old_forms()]
