"""Trains the 784-20-10 perceptron with PyTorch and exports it as `mlp.onnx`."""

import pathlib

import torch
from torch import nn

import data

EPOCHS = 80
BATCH = 64
OUT = pathlib.Path(__file__).with_name("mlp.onnx")


def build():
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.ReLU(), nn.Linear(20, 10))


def tensors(images, labels):
    return torch.from_numpy(data.as_float(images)[:, None]), torch.from_numpy(labels).long()


def train(model, images, labels):
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=0.1)
    batches = -(-len(images) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * batches)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(EPOCHS):
        total = 0.0
        for batch in torch.randperm(len(images)).split(BATCH):
            # Moving the digits by up to a pixel gains over one point of accuracy, with so few to learn
            # from. Hardly any digit touches its border, so what rolls around is black.
            shift = tuple(torch.randint(-1, 2, (2,)).tolist())
            optimizer.zero_grad()
            loss = loss_of(model(images[batch].roll(shift, (2, 3))), labels[batch])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1:2}: loss {total / len(images):.4f}")


def main():
    args = data.arguments(__doc__)
    # One thread and fixed seeds, so that a second run on the same machine gives the same file.
    torch.manual_seed(1)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)

    training, held_back = data.split(args.digits)
    model = build()
    train(model, *tensors(*training))

    model.eval()
    images, labels = tensors(*held_back)
    with torch.no_grad():
        accuracy = (model(images).argmax(1) == labels).float().mean().item()
    print(f"accuracy on {len(labels)} held-back digits: {accuracy:.2%}")

    # The example input fixes the batch to 1.
    torch.onnx.export(
        model, torch.zeros(1, 1, 28, 28), OUT, input_names=["image"], output_names=["logits"], opset_version=17
    )
    print(f"wrote {OUT.name}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
