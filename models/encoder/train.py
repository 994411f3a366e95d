"""Trains a transformer encoder of two layers on MNIST digits cut into patches, and exports it as `encoder.onnx`."""

import pathlib

import torch
from torch import nn

import training
from mnist import data

EPOCHS = 60
# A digit is a sequence of 4x4 patches of 7x7 pixels.
SIDE = 4
PATCH = 7
WIDTH = 48
HEADS = 4
LAYERS = 2


class Attention(nn.Module):
    """Each patch looks at all patches, in `HEADS` ways."""

    def __init__(self):
        super().__init__()
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        batch, length, _ = x.shape
        heads = self.query_key_value(x).view(batch, length, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = heads[0], heads[1], heads[2]
        weights = (query @ key.transpose(-2, -1) * (WIDTH // HEADS) ** -0.5).softmax(-1)
        return self.out((weights @ value).transpose(1, 2).reshape(batch, length, WIDTH))


class Layer(nn.Module):
    """Attention, then a perceptron with GELU; each normalises what it takes and adds to it."""

    def __init__(self):
        super().__init__()
        self.norm_1, self.attention = nn.LayerNorm(WIDTH), Attention()
        self.norm_2 = nn.LayerNorm(WIDTH)
        self.perceptron = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.attention(self.norm_1(x))
        return x + self.perceptron(self.norm_2(x))


class Encoder(nn.Module):
    """Patches, their places, the layers, and a judgement from the mean over all patches."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(PATCH * PATCH, WIDTH)
        self.places = nn.Parameter(0.02 * torch.randn(SIDE * SIDE, WIDTH))
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        self.head = nn.Linear(WIDTH, 10)

    def forward(self, image):
        grid = image.view(-1, SIDE, PATCH, SIDE, PATCH).transpose(2, 3)
        patches = grid.reshape(-1, SIDE * SIDE, PATCH * PATCH)
        x = self.layers(self.embed(patches) + self.places)
        return self.head(self.norm(x).mean(1))


def tensors(images, labels):
    return torch.from_numpy(data.as_float(images)[:, None]), torch.from_numpy(labels).long()


def main():
    args = data.arguments(__doc__)
    training.fix_seed()
    learned, held_back = (tensors(*part) for part in data.split(args.digits))
    model = Encoder()
    training.train_classifier(model, *learned, epochs=EPOCHS, augment=lambda images: training.shift(images, 2))
    print(f"accuracy on {len(held_back[1])} held-back digits: {training.accuracy(model, *held_back):.2%}")
    out = pathlib.Path(__file__).with_name("encoder.onnx")
    training.export(model, torch.zeros(1, 1, 28, 28), out, names=["image"], result="logits")


if __name__ == "__main__":
    main()
