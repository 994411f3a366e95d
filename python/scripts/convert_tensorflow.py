"""Converts a `.keras` file or the folder of a SavedModel: python convert_tensorflow.py JOB"""

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

import onnx_report


def keras_model(job):
    """The function of a Keras model, and the names, shapes and types of its inputs."""
    model = keras.saving.load_model(job["file"], compile=False, safe_mode=not job["allow_code"])
    ports = [(tensor.name, list(tensor.shape), tensor.dtype) for tensor in model.inputs]
    return (lambda *inputs: model(list(inputs) if len(inputs) > 1 else inputs[0], training=False)), ports, model


def saved_model(job):
    """The same of a SavedModel's function for users."""
    model = tf.saved_model.load(job["file"])
    function = model.signatures.get("serving_default")
    if function is None:
        raise onnx_report.Refused(
            f"the SavedModel has the signatures {', '.join(model.signatures) or 'none'}, and no serving_default",
            "save it with model.export(...)",
        )
    _, by_name = function.structured_input_signature
    ports = [(name, spec.shape.as_list() if spec.shape.rank is not None else None, spec.dtype.name) for name, spec in sorted(by_name.items())]
    names = [name for name, _, _ in ports]
    return (lambda *inputs: function(**dict(zip(names, inputs, strict=True)))), ports, model


def convert(job):
    # `kept` has the variables that the function reads.
    function, ports, kept = keras_model(job) if job["kind"] == "keras" else saved_model(job)
    inputs = {name: onnx_report.random_input(onnx_report.shape_of(job, name, shape), dtype) for name, shape, dtype in ports}
    onnx_report.all_used(job, list(inputs))
    signature = [tf.TensorSpec(value.shape, value.dtype, name) for name, value in inputs.items()]
    function = tf.function(function, input_signature=signature)
    converted, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=job["opset"])
    outputs = tf.nest.flatten(function(*(tf.constant(value) for value in inputs.values())))
    del kept
    return converted, inputs, [np.asarray(output) for output in outputs]


if __name__ == "__main__":
    onnx_report.run(lambda job: onnx_report.written(job, *convert(job)))
