"""Writes cases/: TFLite models of an operator or few, made by TensorFlow's converter, with what its kernels make of an input.

Run as: python make_cases.py, in an environment of ../../../python/requirements/tensorflow.txt. A model's file has the name of its case; beside it
NAME.bin has the elements of all inputs and then of all outputs, little-endian, one behind the other.
"""

import os
import pathlib
import shutil
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import flatbuffers
import numpy as np
import tensorflow as tf
from tensorflow.lite.python import schema_py_generated as schema

HERE = pathlib.Path(__file__).parent
# Without the delegate that computes sums in another order.
KERNELS = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
CASES = {}


def case(name, operator, *inputs, quantised=False, **options):
    """Registers the decorated function of `inputs`, arrays, as a case; `operator` has to be among its operators."""

    def register(function):
        CASES[name] = (operator, inputs, function, options)
        if quantised:
            CASES[name + "_int8"] = (operator, inputs, function, {**options, "int8": True})
        return function

    return register


def numbers(*shape, low=-2.0, high=2.0, seed=1):
    return np.random.default_rng(seed).uniform(low, high, shape).astype(np.float32)


def integers(*shape, low=-9, high=9, seed=1, dtype=np.int32):
    return np.random.default_rng(seed).integers(low, high, shape).astype(dtype)


def weights(*shape):
    return tf.constant(numbers(*shape, low=-0.6, high=0.6, seed=sum(shape)))


def simple(name, operator, function, *inputs, quantised=False, **options):
    case(name, operator, *inputs, quantised=quantised, **options)(function)


def elementwise():
    for name, operator, function in [
        ("abs", "ABS", tf.abs),
        ("ceil", "CEIL", tf.math.ceil),
        ("cos", "COS", tf.cos),
        ("exp", "EXP", tf.exp),
        ("floor", "FLOOR", tf.floor),
        ("neg", "NEG", tf.negative),
        ("round", "ROUND", tf.round),
        ("sign", "SIGN", tf.sign),
        ("sin", "SIN", tf.sin),
        ("square", "SQUARE", tf.square),
    ]:
        simple(name, operator, function, numbers(2, 3, 4, low=-4, high=4))
    for name, operator, function in [
        ("elu", "ELU", tf.nn.elu),
        ("gelu", "GELU", tf.nn.gelu),
        ("hard_swish", "HARD_SWISH", lambda x: x * tf.nn.relu6(x + 3.0) / 6.0),
        ("leaky_relu", "LEAKY_RELU", lambda x: tf.nn.leaky_relu(x, 0.1)),
        ("logistic", "LOGISTIC", tf.sigmoid),
        ("relu", "RELU", tf.nn.relu),
        ("relu6", "RELU6", tf.nn.relu6),
        ("relu_n1_to_1", "RELU_N1_TO_1", lambda x: tf.minimum(tf.maximum(x, -1.0), 1.0)),
        ("tanh", "TANH", tf.tanh),
        ("softmax", "SOFTMAX", tf.nn.softmax),
        ("log_softmax", "LOG_SOFTMAX", tf.nn.log_softmax),
        ("l2_normalization", "L2_NORMALIZATION", lambda x: tf.math.l2_normalize(x, -1)),
    ]:
        simple(name, operator, function, numbers(1, 7, 8, low=-4, high=8), quantised=True)
    simple("relu_0_to_1", "RELU_0_TO_1", tf.nn.relu6, numbers(3, 5, low=-4, high=8), rename=schema.BuiltinOperator.RELU_0_TO_1)
    simple("gelu_tanh", "GELU", lambda x: tf.nn.gelu(x, approximate=True), numbers(3, 5))
    for name, operator, function in [("log", "LOG", tf.math.log), ("rsqrt", "RSQRT", tf.math.rsqrt), ("sqrt", "SQRT", tf.sqrt)]:
        simple(name, operator, function, numbers(2, 9, low=0.01, high=9))
    simple("prelu", "PRELU", tf.keras.layers.PReLU(alpha_initializer=lambda s, dtype=None: numbers(*s), shared_axes=[1, 2]), numbers(1, 4, 4, 3), quantised=True)
    for name, operator, function in [
        ("add", "ADD", tf.add),
        ("sub", "SUB", tf.subtract),
        ("mul", "MUL", tf.multiply),
        ("maximum", "MAXIMUM", tf.maximum),
        ("minimum", "MINIMUM", tf.minimum),
        ("squared_difference", "SQUARED_DIFFERENCE", tf.math.squared_difference),
    ]:
        simple(name, operator, function, numbers(2, 3, 4), numbers(3, 1, seed=2), quantised=True)
    simple("div", "DIV", tf.divide, numbers(2, 3), numbers(1, 3, low=0.5, high=2))
    simple("add_relu6", "ADD", lambda a, b: tf.nn.relu6(a + b), numbers(1, 9, low=-8, high=9), numbers(1, 9, low=-4, high=5, seed=3), quantised=True)
    simple("add_n", "ADD_N", lambda a, b, c: tf.raw_ops.AddN(inputs=[a, b, c]), numbers(2, 3), numbers(2, 3, seed=2), numbers(2, 3, seed=3))
    simple("add_int32", "ADD", tf.add, integers(2, 3), integers(3, seed=2))
    simple("pow", "POW", tf.pow, numbers(3, 4, low=0.1, high=3), numbers(4, seed=2))
    simple("atan2", "ATAN2", tf.atan2, np.float32([0, 1, -1, 2, -3, 0, 1, -1]), np.float32([0, 0, 0, 1, -2, -1, -1, -1]))
    simple("floor_div", "FLOOR_DIV", tf.math.floordiv, numbers(3, 5, low=-9, high=9), numbers(5, low=1, high=4, seed=2))
    simple("floor_div_int32", "FLOOR_DIV", tf.math.floordiv, integers(3, 5), integers(5, low=1, seed=2))
    simple("floor_mod", "FLOOR_MOD", tf.math.floormod, numbers(3, 5, low=-9, high=9), numbers(5, low=-4, high=4, seed=2))
    simple("floor_mod_int32", "FLOOR_MOD", tf.math.floormod, integers(3, 5), integers(5, low=1, seed=2))
    simple("cast_to_int32", "CAST", lambda x: tf.cast(x, tf.int32), numbers(9, low=-9, high=9))
    simple("cast_to_float", "CAST", lambda x: tf.cast(x, tf.float32), integers(9))
    simple("bitwise_xor", "BITWISE_XOR", tf.bitwise.bitwise_xor, integers(9), integers(9, seed=2))


def logic():
    a, b = integers(3, 4, low=0, high=3).astype(np.float32), integers(4, low=0, high=3, seed=2).astype(np.float32)
    for name, function in [
        ("equal", tf.equal),
        ("greater", tf.greater),
        ("greater_equal", tf.greater_equal),
        ("less", tf.less),
        ("less_equal", tf.less_equal),
        ("not_equal", tf.not_equal),
    ]:
        simple(name, name.upper(), function, a, b)
    x, y = a > 1, np.broadcast_to(b > 1, a.shape)
    simple("logical_and", "LOGICAL_AND", tf.logical_and, x, y)
    simple("logical_or", "LOGICAL_OR", tf.logical_or, x, y)
    simple("logical_not", "LOGICAL_NOT", tf.logical_not, x)
    simple("one_hot", "ONE_HOT", lambda i: tf.one_hot(i, 5, 2.0, -1.0, axis=1), integers(2, 3, low=0, high=6))
    simple("select", "SELECT", lambda c, a, b: tf.raw_ops.Select(condition=c, x=a, y=b), np.array([True, False, True, True]), numbers(4, 4), numbers(4, 4, seed=2))
    simple("select_v2", "SELECT_V2", tf.where, x, a, b)


def images():
    image, odd = numbers(1, 8, 8, 3), numbers(1, 7, 9, 4)
    for padding in ["SAME", "VALID"]:
        for stride in [1, 2]:
            key = f"{padding.lower()}_{stride}"

            @case(f"conv_2d_{key}", "CONV_2D", image, quantised=True)
            def _(x, padding=padding, stride=stride):
                return tf.nn.bias_add(tf.nn.conv2d(x, weights(3, 3, 3, 5), stride, padding), weights(5))

            @case(f"depthwise_conv_2d_{key}", "DEPTHWISE_CONV_2D", odd, quantised=True)
            def _(x, padding=padding, stride=stride):
                y = tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 1), [1, stride, stride, 1], padding)
                return tf.nn.relu6(tf.nn.bias_add(y, weights(4)))

            simple(f"max_pool_2d_{key}", "MAX_POOL_2D", lambda x, s=stride, p=padding: tf.nn.max_pool2d(x, 3, s, p), odd, quantised=True)
            simple(f"average_pool_2d_{key}", "AVERAGE_POOL_2D", lambda x, s=stride, p=padding: tf.nn.avg_pool2d(x, 2, s, p), odd, quantised=True)

            @case(f"transpose_conv_{key}", "TRANSPOSE_CONV", numbers(1, 5, 5, 3), quantised=True)
            def _(x, padding=padding, stride=stride):
                size = 5 * stride if padding == "SAME" else 5 * stride + 3 - stride
                return tf.nn.conv2d_transpose(x, weights(3, 3, 2, 3), [1, size, size, 2], stride, padding)

    simple("l2_pool_2d", "L2_POOL_2D", lambda x: tf.nn.avg_pool2d(x, 2, 2, "VALID"), odd, rename=schema.BuiltinOperator.L2_POOL_2D)
    simple("conv_2d_dilated", "CONV_2D", lambda x: tf.nn.conv2d(x, weights(3, 3, 3, 4), 1, "SAME", dilations=2), image)
    simple("conv_2d_relu", "CONV_2D", lambda x: tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, weights(1, 1, 3, 6), 1, "SAME"), weights(6))), image, quantised=True)
    simple("conv_2d_grouped", "CONV_2D", lambda x: tf.nn.conv2d(x, weights(3, 3, 2, 6), 1, "SAME"), odd)
    simple("depthwise_conv_2d_multiplied", "DEPTHWISE_CONV_2D", lambda x: tf.nn.depthwise_conv2d(x, weights(3, 3, 4, 2), [1, 1, 1, 1], "SAME"), odd, quantised=True)
    simple("conv_1d", "CONV_2D", lambda x: tf.nn.conv1d(x, weights(3, 4, 5), 1, "SAME"), numbers(1, 9, 4))
    simple("space_to_depth", "SPACE_TO_DEPTH", lambda x: tf.nn.space_to_depth(x, 2), image)
    simple("depth_to_space", "DEPTH_TO_SPACE", lambda x: tf.nn.depth_to_space(x, 2), odd)
    simple("local_response_normalization", "LOCAL_RESPONSE_NORMALIZATION", lambda x: tf.nn.lrn(x, 2, 1.5, 0.3, 0.6), numbers(1, 3, 3, 9))
    for corners, centers in [(False, False), (True, False), (False, True)]:
        key = "corners" if corners else "centers" if centers else "plain"
        both = {"align_corners": corners, "half_pixel_centers": centers}
        simple(f"resize_bilinear_{key}", "RESIZE_BILINEAR", lambda x, b=both: tf.raw_ops.ResizeBilinear(images=x, size=[11, 5], **b), odd)
        simple(f"resize_nearest_neighbor_{key}", "RESIZE_NEAREST_NEIGHBOR", lambda x, b=both: tf.raw_ops.ResizeNearestNeighbor(images=x, size=[11, 5], **b), odd)


def products():
    @case("fully_connected", "FULLY_CONNECTED", numbers(1, 12), quantised=True)
    def _(x):
        return tf.nn.relu(tf.matmul(x, weights(12, 7)) + weights(7))

    simple("fully_connected_dynamic_range", "FULLY_CONNECTED", lambda x: tf.matmul(x, weights(40, 30)), numbers(3, 40), weights_int8=True)
    simple("fully_connected_float16", "DEQUANTIZE", lambda x: tf.matmul(x, weights(40, 30)), numbers(3, 40), float16=True)
    simple("fully_connected_keeps_axes", "FULLY_CONNECTED", tf.keras.layers.Dense(5, kernel_initializer=lambda s, dtype=None: weights(*s)), numbers(2, 3, 4), quantised=True)
    simple("batch_matmul", "BATCH_MATMUL", tf.matmul, numbers(2, 3, 4), numbers(2, 4, 5, seed=2), quantised=True)
    simple("batch_matmul_adjoint", "BATCH_MATMUL", lambda a, b: tf.matmul(a, b, transpose_a=True, transpose_b=True), numbers(2, 4, 3), numbers(2, 5, 4, seed=2))
    simple("embedding_lookup", "EMBEDDING_LOOKUP", lambda i: tf.gather(weights(9, 4), i), integers(5, low=0, high=9), rename=schema.BuiltinOperator.EMBEDDING_LOOKUP, clear=True)


def along_axes():
    x = numbers(2, 3, 4, 5)
    for name, operator, function in [
        ("mean", "MEAN", tf.reduce_mean),
        ("sum", "SUM", tf.reduce_sum),
        ("reduce_max", "REDUCE_MAX", tf.reduce_max),
        ("reduce_min", "REDUCE_MIN", tf.reduce_min),
    ]:
        simple(name, operator, lambda x, f=function: f(x, [1, 3]), x, quantised=True)
        simple(f"{name}_kept", operator, lambda x, f=function: f(x, -2, keepdims=True), x)
    simple("reduce_prod", "REDUCE_PROD", lambda x: tf.reduce_prod(x, 1), x)
    simple("reduce_any", "REDUCE_ANY", lambda x: tf.reduce_any(x, 1), x > 1)
    simple("reduce_all", "REDUCE_ALL", lambda x: tf.reduce_all(x, 1), x > -1)
    simple("arg_max", "ARG_MAX", lambda x: tf.argmax(x, -1), x, quantised=True)
    simple("arg_min", "ARG_MIN", lambda x: tf.argmin(x, 1, tf.int32), x)
    simple("cumsum", "CUMSUM", lambda x: tf.cumsum(x, 1, exclusive=True, reverse=True), x)
    simple("topk_v2", "TOPK_V2", lambda x: tuple(tf.math.top_k(x, 3)), numbers(2, 9))


def moved():
    x = numbers(2, 3, 4)
    for name, operator, function in [
        ("transpose", "TRANSPOSE", lambda x: tf.transpose(x, [2, 0, 1])),
        ("slice", "SLICE", lambda x: tf.slice(x, [0, 1, 0], [-1, 2, 3])),
        ("strided_slice", "STRIDED_SLICE", lambda x: x[:, ::-2, 1]),
        ("strided_slice_last", "STRIDED_SLICE", lambda x: x[..., -1:, 1:-1]),
        ("pad", "PAD", lambda x: tf.pad(x, [[0, 1], [2, 0], [1, 1]])),
        ("reshape", "RESHAPE", lambda x: tf.reshape(x, [4, -1])),
        ("tile", "TILE", lambda x: tf.tile(x, [1, 2, 3])),
        ("reverse_v2", "REVERSE_V2", lambda x: tf.reverse(x, [1, 2])),
        ("concatenation", "CONCATENATION", lambda x: tf.concat([x, tf.nn.relu(x)], 1)),
        ("pack", "PACK", lambda x: tf.stack([x, tf.nn.relu(x)], 1)),
        ("gather", "GATHER", lambda x: tf.gather(x, [2, 0, 2], axis=1)),
        ("gather_nd", "GATHER_ND", lambda x: tf.gather_nd(x, [[1, 2], [0, 1]])),
        ("mirror_pad", "MIRROR_PAD", lambda x: tf.pad(x, [[0, 0], [2, 1], [1, 3]], "REFLECT")),
        ("mirror_pad_symmetric", "MIRROR_PAD", lambda x: tf.pad(x, [[2, 0], [2, 1], [0, 4]], "SYMMETRIC")),
        ("split", "SPLIT", lambda x: tuple(tf.split(x, 2, -1))),
        ("split_v", "SPLIT_V", lambda x: tuple(tf.split(x, [1, -1], 2))),
        ("unpack", "UNPACK", lambda x: tuple(tf.unstack(x, axis=1))),
    ]:
        simple(name, operator, function, x, quantised=True)
    simple("padv2", "PADV2", lambda x: tf.pad(x, [[0, 1], [2, 0], [1, 1]], constant_values=1.5), x)
    simple("squeeze", "SQUEEZE", lambda x: tf.squeeze(x, [2]), numbers(1, 1, 1, 4), open=2, quantised=True)
    simple("broadcast_to", "BROADCAST_TO", lambda x: tf.broadcast_to(x, [5, 2, 3, 4]), numbers(2, 1, 4))
    simple("reverse_sequence", "REVERSE_SEQUENCE", lambda x: tf.reverse_sequence(x, [2, 3], seq_axis=1, batch_axis=0), x)
    simple("scatter_nd", "SCATTER_ND", lambda u: tf.scatter_nd([[1], [3], [1]], u, [5, 4]), numbers(3, 4))
    simple("space_to_batch_nd", "SPACE_TO_BATCH_ND", lambda x: tf.space_to_batch_nd(x, [2, 3], [[1, 1], [0, 1]]), numbers(2, 4, 5, 3))
    simple("batch_to_space_nd", "BATCH_TO_SPACE_ND", lambda x: tf.batch_to_space(x, [2, 2], [[1, 0], [0, 1]]), numbers(8, 3, 2, 3))


def shapes():
    x = numbers(1, 3, 4)
    simple("shape", "SHAPE", lambda x: tf.reshape(x, [tf.shape(x)[0], 12]), x, open=1)
    simple("rank", "RANK", tf.shape, x, open=1, rename=schema.BuiltinOperator.RANK, clear=True)
    simple("expand_dims", "EXPAND_DIMS", lambda x: tf.expand_dims(x, 1), x, open=1, quantised=True)
    simple("fill", "FILL", lambda x: tf.concat([x, tf.fill([tf.shape(x)[0], 3, 1], 7.0)], 2), x, open=1)
    simple("range", "RANGE", lambda x: tf.cast(tf.range(tf.shape(x)[0] + 2), tf.float32) + x[:, :, :3], x, open=1)
    simple("zeros_like", "ZEROS_LIKE", lambda x: tf.concat([x, tf.zeros_like(x)], 1), x, open=1)
    simple("broadcast_args", "BROADCAST_ARGS", lambda x: tf.broadcast_to(x[:, :, :1], tf.broadcast_dynamic_shape(tf.shape(x), [5, 1, 1])), x, open=1)


def computed():
    """Operands that say sizes, made of the shape of the input."""
    x, batch = numbers(1, 4, 5), lambda x: tf.shape(x)[0]
    simple("slice_computed", "SLICE", lambda x: tf.slice(x, [0, batch(x), 0], [-1, batch(x) + 1, 3]), x, open=1)
    simple("strided_slice_computed", "STRIDED_SLICE", lambda x: x[:, batch(x) : batch(x) + 2, ::-1], x, open=1)
    simple("strided_slice_single", "STRIDED_SLICE", lambda x: x[:, batch(x), 1:], x, open=1)
    simple("pad_computed", "PAD", lambda x: tf.pad(x, [[0, 0], [batch(x), 0], [0, batch(x)]]), x, open=1)
    simple("transpose_conv_computed", "TRANSPOSE_CONV", lambda x: tf.nn.conv2d_transpose(x, weights(3, 3, 2, 3), [batch(x), 10, 10, 2], 2, "SAME"), numbers(1, 5, 5, 3), open=1)
    simple("transpose_conv_computed_valid", "TRANSPOSE_CONV", lambda x: tf.nn.conv2d_transpose(x, weights(3, 3, 2, 3), [batch(x), 11, 11, 2], 2, "VALID"), numbers(1, 5, 5, 3), open=1)


def layers():
    tf.keras.utils.set_random_seed(3)
    network = [tf.keras.layers.Conv2D(4, 3, padding="same", activation="relu"), tf.keras.layers.DepthwiseConv2D(3, strides=2),
               tf.keras.layers.BatchNormalization(), tf.keras.layers.ReLU(6.0), tf.keras.layers.GlobalAveragePooling2D(), tf.keras.layers.Dense(5, activation="softmax")]
    simple("network", "CONV_2D", tf.keras.Sequential(network), numbers(1, 8, 8, 3), quantised=True)
    simple("network_uint8", "QUANTIZE", CASES["network"][2], numbers(1, 8, 8, 3), int8=True, ports=tf.uint8)
    simple("network_float_ports", "QUANTIZE", CASES["network"][2], numbers(1, 8, 8, 3), int8=True, ports=tf.float32)
    for name, major, peepholes in [("lstm", False, False), ("lstm_time_major", True, False), ("lstm_peepholes", False, True)]:
        CASES[name] = ("UNIDIRECTIONAL_SEQUENCE_LSTM", [numbers(2, 6, 3)], None, {"model": lstm_model(major, peepholes)})


def lstm_model(major, peepholes):
    """A model with the operator for a whole layer, which the converter only makes of older layers than there are now."""
    units, depth = 4, 3
    outer, steps = (6, 2) if major else (2, 6)
    tensors, buffers = [], [schema.BufferT()]

    def tensor(name, shape, data=None, variable=False):
        made = schema.TensorT()
        made.name, made.shape, made.type, made.isVariable = name, list(shape), schema.TensorType.FLOAT32, variable
        if data is not None:
            buffers.append(schema.BufferT())
            buffers[-1].data = np.frombuffer(data.tobytes(), np.uint8)
            made.buffer = len(buffers) - 1
        tensors.append(made)
        return len(tensors) - 1

    def constants(kind, *shape):
        return [tensor(f"{kind}{i}", shape, numbers(*shape, low=-0.8, high=0.8, seed=10 * len(tensors) + i)) for i in range(4)]

    inputs = [tensor("in0", (2, 6, 3) if not major else (6, 2, 3))]
    inputs += constants("w", units, depth) + constants("r", units, units)
    inputs += constants("p", units)[:3] if peepholes else [-1] * 3
    inputs += constants("b", units) + [-1, -1]
    batch = steps if major else outer
    inputs += [tensor(name, (batch, units), variable=True) for name in ["state", "cell"]] + [-1] * 4
    output = tensor("out", (outer, steps, units))
    options = schema.UnidirectionalSequenceLSTMOptionsT()
    options.fusedActivationFunction, options.timeMajor = schema.ActivationFunctionType.TANH, major
    operator = schema.OperatorT()
    operator.inputs, operator.outputs = inputs, [output]
    operator.builtinOptions, operator.builtinOptionsType = options, schema.BuiltinOptions.UnidirectionalSequenceLSTMOptions
    code = schema.OperatorCodeT()
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.UNIDIRECTIONAL_SEQUENCE_LSTM
    code.version = 1
    graph, model = schema.SubGraphT(), schema.ModelT()
    graph.tensors, graph.operators, graph.inputs, graph.outputs = tensors, [operator], [inputs[0]], [output]
    model.version, model.subgraphs, model.operatorCodes, model.buffers = 3, [graph], [code], buffers
    return packed(model)


def refused():
    """Models that cannot be compiled: written to refused/, without an input."""
    x = numbers(2, 3)
    whole, bits16 = tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
    doubled = lambda x: tf.while_loop(lambda x: tf.reduce_sum(x) < 99.0, lambda x: (x + x,), (tf.abs(x) + 1.0,))[0]
    for name, function, options in [
        ("while", doubled, {}),
        ("where", lambda x: tf.where(x > 0), {}),
        ("custom", lambda x: tf.nn.relu(tf.raw_ops.Betainc(a=x, b=x, x=x)), {"custom": True}),
        ("two_at_once", lambda x: (tf.unique(x[0])[0], tf.raw_ops.Betainc(a=x, b=x, x=x)), {"custom": True}),
        ("int16", tf.nn.relu, {"int8": True, "ports": tf.int16, "ops": [bits16, whole]}),
        ("float64", lambda x: tf.cast(tf.cast(x, tf.float64), tf.float32), {}),
    ]:
        yield name, converted([x], function, options)


def converted(inputs, function, options):
    """The bytes of the model of a case."""
    open_axes = options.get("open", 0)
    dims = lambda x: [None] * open_axes + list(x.shape[open_axes:])
    specs = [tf.TensorSpec(dims(x), x.dtype, f"in{i}") for i, x in enumerate(inputs)]
    if isinstance(function, tf.keras.layers.Layer):
        function(inputs[0])
    traced = tf.function(function).get_concrete_function(*specs)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([traced], function if isinstance(function, tf.Module) else None)
    if options.get("int8"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        again = lambda x, n: np.roll(x, n) if n else x
        converter.representative_dataset = lambda: ([again(x, n) for x in inputs] for n in range(8))
        converter.target_spec.supported_ops = options.get("ops", [tf.lite.OpsSet.TFLITE_BUILTINS_INT8])
        converter.inference_input_type = converter.inference_output_type = options.get("ports", tf.int8)
    converter.allow_custom_ops = bool(options.get("custom"))
    if options.get("weights_int8") or options.get("float16"):
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if options.get("float16"):
        converter.target_spec.supported_types = [tf.float16]
    model = converter.convert()
    return renamed(model, options) if "rename" in options else model


def renamed(model, options):
    """The model with another operator of the same options: what the converter never writes."""
    tree = schema.ModelT.InitFromPackedBuf(model, 0)
    code = tree.operatorCodes[0]
    code.builtinCode = options["rename"]
    # A byte; larger numbers are only in the other field.
    code.deprecatedBuiltinCode = min(options["rename"], 127)
    operator = tree.subgraphs[0].operators[0]
    if options.get("clear"):
        # Its operands are the other way round than those of what it was.
        operator.builtinOptions, operator.builtinOptionsType = None, 0
        operator.inputs = operator.inputs[::-1]
        code.version = 1
    return packed(tree)


def packed(tree):
    """The bytes of a model."""
    builder = flatbuffers.Builder(1024)
    builder.Finish(tree.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def recorded(model, inputs):
    """What goes in and comes out, and the names of the operators."""
    interpreter = tf.lite.Interpreter(model_content=model, experimental_op_resolver_type=KERNELS)
    interpreter.allocate_tensors()
    tensors = []
    # The order of the model's inputs is not that of the function's.
    given = interpreter.get_input_details()
    for detail in given:
        index = int(detail["name"].split("in")[-1].split(":")[0]) if len(given) > 1 else 0
        x = inputs[index]
        scale, zero = detail["quantization"]
        if scale:
            info = np.iinfo(detail["dtype"])
            x = np.clip(np.round(x / scale) + zero, info.min, info.max)
        x = x.astype(detail["dtype"]).reshape(detail["shape"])
        interpreter.set_tensor(detail["index"], x)
        tensors.append(x)
    interpreter.invoke()
    tensors += [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]
    return tensors, {operator["op_name"] for operator in interpreter._get_ops_details()}


def main():
    for family in [elementwise, logic, images, products, along_axes, moved, shapes, computed, layers]:
        family()
    wanted = sys.argv[1:]
    folder = HERE / "cases"
    if not wanted:
        shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(exist_ok=True)
    failed = 0
    for name, (operator, inputs, function, options) in sorted(CASES.items()):
        if wanted and name not in wanted:
            continue
        try:
            model = options.get("model") or converted(inputs, function, options)
            tensors, operators = recorded(model, inputs)
            if operator not in operators:
                raise ValueError(f"the converter made {sorted(operators)}")
        except Exception as error:
            failed += 1
            print(f"{name}: {type(error).__name__}: {str(error)[:300]}", file=sys.stderr)
            continue
        (folder / f"{name}.tflite").write_bytes(model)
        (folder / f"{name}.bin").write_bytes(b"".join(np.ascontiguousarray(x).tobytes() for x in tensors))
    if not wanted or "refused" in wanted:
        (HERE / "refused").mkdir(exist_ok=True)
        for name, model in refused():
            (HERE / "refused" / f"{name}.tflite").write_bytes(model)
    sys.exit(1 if failed else 0)


main()
