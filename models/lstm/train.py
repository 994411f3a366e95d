"""Trains a bidirectional LSTM that reads an MNIST digit row by row, and exports it as `lstm.onnx`."""

import pathlib

import torch
from torch import nn

import training
from mnist import data

EPOCHS = 30
HIDDEN = 32


class Reader(nn.Module):
    """Reads the 28 rows down and up, and judges by what both directions remember of each row."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(28, HIDDEN, bidirectional=True)
        self.head = nn.Linear(2 * HIDDEN, 10)

    def forward(self, rows):
        # ONNX's operator takes the time first.
        states, _ = self.lstm(rows.transpose(0, 1))
        return self.head(states.amax(0))


def tensors(images, labels):
    return torch.from_numpy(data.as_float(images)), torch.from_numpy(labels).long()


def main():
    args = data.arguments(__doc__)
    training.fix_seed()
    learned, held_back = (tensors(*part) for part in data.split(args.digits))
    model = Reader()
    training.train_classifier(model, *learned, epochs=EPOCHS, augment=lambda rows: training.shift(rows, 1))
    print(f"accuracy on {len(held_back[1])} held-back digits: {training.accuracy(model, *held_back):.2%}")
    out = pathlib.Path(__file__).with_name("lstm.onnx")
    training.export(model, torch.zeros(1, 28, 28), out, names=["rows"], result="logits")


if __name__ == "__main__":
    main()
