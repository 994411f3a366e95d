"""Quantises `cnn.onnx` to 8 bits with onnxruntime and writes it as `cnn_int8.onnx`.

Static, in QDQ form: the ranges of the activations are measured once, on training digits.
"""

import pathlib
import tempfile

import onnx
from onnxruntime import quantization

import data

HERE = pathlib.Path(__file__).parent
# As many of each label as chance gives; the ranges hardly change after a few hundred.
CALIBRATION = 500


class Digits(quantization.CalibrationDataReader):
    """The digits that the ranges are measured on, one at a time as the model takes them."""

    def __init__(self, images):
        self.feeds = ({"image": image.reshape(1, 28, 28, 1)} for image in data.as_float(images))

    def get_next(self):
        return next(self.feeds, None)


def main():
    args = data.arguments(__doc__)
    (images, _), _ = data.split(args.digits)
    out = HERE / "cnn_int8.onnx"
    with tempfile.TemporaryDirectory() as folder:
        prepared = pathlib.Path(folder) / "cnn.onnx"
        # Fuses what can be fused, so that no pair of quantisers is put where it would vanish.
        quantization.quant_pre_process(HERE / "cnn.onnx", prepared)
        quantization.quantize_static(
            prepared,
            out,
            Digits(images[:CALIBRATION]),
            quant_format=quantization.QuantFormat.QDQ,
            activation_type=quantization.QuantType.QInt8,
            weight_type=quantization.QuantType.QInt8,
            per_channel=True,
        )
    onnx.checker.check_model(onnx.load(out), full_check=True)
    print(f"wrote {out.name}, {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
