"""Trains both networks on the drawn shapes and exports them as `resnet.onnx` and `mobilenet.onnx`."""

import pathlib

import torch

import training
from shapes import data, networks

EPOCHS = {"resnet": 9, "mobilenet": 15}


def tensors(pictures, labels):
    return torch.from_numpy(data.as_float(pictures)), torch.from_numpy(labels).long()


def mirror(images):
    """The images, mirrored or not: the shapes stay what they are."""
    return images.flip(3) if torch.randint(2, ()).item() else images


def main():
    learned, held_back = (tensors(*part) for part in data.split())
    for name, epochs in EPOCHS.items():
        training.fix_seed()
        model = getattr(networks, name)()
        training.train_classifier(model, *learned, epochs=epochs, augment=mirror, rate=6e-3)
        print(f"accuracy on {len(held_back[1])} held-back pictures: {training.accuracy(model, *held_back):.2%}")
        out = pathlib.Path(__file__).with_name(f"{name}.onnx")
        training.export(model, torch.zeros(1, 3, 32, 32), out, names=["image"], result="logits")


if __name__ == "__main__":
    main()
