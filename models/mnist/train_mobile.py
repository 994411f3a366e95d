"""Trains a network of separable convolutions with TensorFlow and writes it as `mobile.tflite`, and in 8 bits as `mobile_int8.tflite`.

Also writes what TensorFlow Lite makes of the digits in `testdata/`, as it runs models by default. Run after `make_testdata.py`.
"""

import json
import os
import pathlib

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

import data

EPOCHS = 30
BATCH = 64
CALIBRATION = 500
COUNT = 200
HERE = pathlib.Path(__file__).parent


def separable(x, channels, stride):
    """A convolution of each channel alone, then one that mixes them; beside the image, if it stays as it is."""
    layers = keras.layers
    y = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
    y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
    y = layers.Conv2D(channels, 1, use_bias=False)(y)
    y = layers.BatchNormalization()(y)
    return layers.Add()([x, y]) if y.shape == x.shape else layers.ReLU(6.0)(y)


def build():
    layers = keras.layers
    image = keras.Input((28, 28, 1), name="image")
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(image)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    for channels, stride in [(8, 1), (16, 2), (16, 1), (32, 2)]:
        x = separable(x, channels, stride)
    x = layers.GlobalAveragePooling2D()(x)
    # The dictionary names the output; a bare tensor would be called `output_0`.
    return keras.Model(image, {"logits": layers.Dense(10)(x)})


def train(model, images, labels):
    steps = EPOCHS * -(-len(images) // BATCH)
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(1e-2, steps), weight_decay=0.01),
        loss={"logits": keras.losses.SparseCategoricalCrossentropy(from_logits=True)},
    )
    model.fit(data.as_float(images)[..., None], {"logits": labels}, batch_size=BATCH, epochs=EPOCHS, verbose=2)


def convert(model, calibration=None):
    """The model as TFLite; in 8 bits with the ranges of `calibration`, and then with bytes going in and out."""
    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    if calibration is not None:
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: ([x.reshape(1, 28, 28, 1)] for x in calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.uint8
    return converter.convert()


def record(name, file, images, labels):
    """Writes a model and its outputs for the first digits; returns how many of all are right."""
    (HERE / f"{name}.tflite").write_bytes(file)
    interpreter = tf.lite.Interpreter(model_content=file, num_threads=1)
    interpreter.allocate_tensors()
    (given,), (made,) = interpreter.get_input_details(), interpreter.get_output_details()
    # The bytes that go in are the pixels: their scale is 1/255.
    inputs = images if given["dtype"] == np.uint8 else data.as_float(images)
    rows = []
    for image in inputs:
        interpreter.set_tensor(given["index"], image.reshape(given["shape"]))
        interpreter.invoke()
        rows.append(interpreter.get_tensor(made["index"])[0].copy())
    logits = np.stack(rows)
    np.save(HERE / "testdata" / f"{name}.logits.npy", logits[:COUNT])
    right = logits.argmax(1) == labels
    report = {"bytes": len(file), "right_of_held_back": int(right.sum()), "right_of_testdata": int(right[:COUNT].sum())}
    if given["dtype"] == np.uint8:
        report["input"], report["output"] = given["quantization"], made["quantization"]
    return report


def main():
    args = data.arguments(__doc__)
    # One thread and fixed seeds, so that a second run on the same machine gives the same files.
    keras.utils.set_random_seed(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()

    training, held_back = data.split(args.digits)
    model = build()
    train(model, *training)
    calibration = data.as_float(training[0][:CALIBRATION])
    report = {
        "mobile": record("mobile", convert(model), *held_back),
        "mobile_int8": record("mobile_int8", convert(model, calibration), *held_back),
    }
    print(json.dumps(report, indent=2))


if __name__ == "__main__":
    main()
