"""Trains the network of two convolutions with TensorFlow and exports it as `cnn.onnx`."""

import pathlib

import keras
import numpy as np
import tensorflow as tf
import tf2onnx

import data

EPOCHS = 30
BATCH = 64
OUT = pathlib.Path(__file__).with_name("cnn.onnx")


def build():
    layers = keras.layers
    return keras.Sequential([
        keras.Input((28, 28, 1), name="image"),
        layers.Conv2D(8, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(16, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        # Only there in training: without it the logits grow to 50 and the accuracy falls.
        layers.Dropout(0.3),
        layers.Dense(10, name="logits"),
    ])


def train(model, images, labels):
    steps = EPOCHS * -(-len(images) // BATCH)
    model.compile(
        optimizer=keras.optimizers.AdamW(keras.optimizers.schedules.CosineDecay(3e-3, steps), weight_decay=0.02),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    model.fit(data.as_float(images)[..., None], labels, batch_size=BATCH, epochs=EPOCHS, verbose=2)


def export(model):
    """The trained model as ONNX, for one image at a time: the batch is fixed to 1."""
    # The dictionary names the output; a bare tensor would be called `Identity`.
    function = tf.function(lambda image: {"logits": model(image)})
    signature = [tf.TensorSpec((1, 28, 28, 1), tf.float32, name="image")]
    tf2onnx.convert.from_function(function, input_signature=signature, opset=17, output_path=str(OUT))


def main():
    args = data.arguments(__doc__)
    # One thread and fixed seeds, so that a second run on the same machine gives the same file.
    keras.utils.set_random_seed(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    tf.config.experimental.enable_op_determinism()

    training, (images, labels) = data.split(args.digits)
    model = build()
    train(model, *training)

    logits = model.predict(data.as_float(images)[..., None], verbose=0)
    print(f"accuracy on {len(labels)} held-back digits: {np.mean(logits.argmax(1) == labels):.2%}")
    export(model)
    print(f"wrote {OUT.name}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
