"""Draws the case of the example, and writes what matrices of numpy and onnxruntime make of it."""

import pathlib

import numpy as np
import onnxruntime
from PIL import Image, ImageDraw

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parents[2] / "models/mnist/mlp.onnx"

# Drawn larger and scaled down, for soft edges.
FINER = 4
WIDTH, HEIGHT, PEN = 240, 320, 22
PAPER, INK = 240, 30

# A five, low and to the right.
STROKES = [(205, 121), (139, 117), (128, 193), (153, 183), (186, 187), (207, 211), (206, 247), (186, 271), (148, 278), (117, 265)]


def draw():
    """Grey pixels, uint8 [HEIGHT, WIDTH]."""
    picture = Image.new("L", (WIDTH * FINER, HEIGHT * FINER), PAPER)
    pen = ImageDraw.Draw(picture)
    points = [(x * FINER, y * FINER) for x, y in STROKES]
    pen.line(points, INK, PEN * FINER, joint="curve")
    for x, y in (points[0], points[-1]):
        pen.circle((x, y), PEN * FINER / 2, INK)
    return picture.resize((WIDTH, HEIGHT), Image.Resampling.BOX)


def shares(pixels, parts):
    """How much of each pixel is in each of equal parts, in 1/parts: integers [parts, pixels]."""
    fine = np.arange(pixels * parts)
    matrix = np.zeros((parts, pixels), np.int64)
    np.add.at(matrix, (fine // pixels, fine // parts), 1)
    return matrix


def prepare(pixels):
    """The digit as MNIST has them, uint8 [28, 28]."""
    ink = np.where(pixels < 128, 255 - pixels.astype(np.int64), 0)
    rows, columns = np.nonzero(ink)
    ink = ink[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    height, width = (max(1, (20 * side + max(ink.shape) // 2) // max(ink.shape)) for side in ink.shape)
    sums = shares(ink.shape[0], height) @ ink @ shares(ink.shape[1], width).T
    digit = (sums + ink.size // 2) // ink.size
    field = np.zeros((28, 28), np.uint8)
    top, left = (
        min(max(0, (14 * digit.sum() - (digit.sum(1 - axis) * np.arange(side)).sum()) // digit.sum()), 28 - side)
        for axis, side in enumerate(digit.shape)
    )
    field[top : top + height, left : left + width] = digit
    return field


def main():
    picture = draw()
    picture.save(HERE / "drawing.png", optimize=True)
    field = prepare(np.asarray(picture))
    model = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    [logits] = model.run(None, {"image": field[None, None].astype(np.float32) / np.float32(255)})
    print(np.round(logits, 1))

    rows = ",\n".join("    " + ", ".join(str(ink) for ink in row) for row in field)
    (HERE / "outputs.json").write_text(
        f'[\n  {{"dtype": "uint8", "shape": [], "values": [{logits.argmax()}]}},\n'
        f'  {{"dtype": "uint8", "shape": [28, 28], "values": [\n{rows}\n  ]}}\n]\n'
    )


if __name__ == "__main__":
    main()
