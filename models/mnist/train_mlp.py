"""Trains the perceptrons 784-20-10 and 784-500-10 with PyTorch and exports them as `mlp.onnx` and `mlp500.onnx`."""

import pathlib

import torch
from torch import nn

import data

EPOCHS = 80
BATCH = 64
# The width of the hidden layer.
HIDDEN = {"mlp": 20, "mlp500": 500}


def build(hidden):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))


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


def export(name, hidden, training, held_back):
    torch.manual_seed(1)
    model = build(hidden)
    train(model, *tensors(*training))

    model.eval()
    images, labels = tensors(*held_back)
    with torch.no_grad():
        accuracy = (model(images).argmax(1) == labels).float().mean().item()
    print(f"accuracy on {len(labels)} held-back digits: {accuracy:.2%}")

    out = pathlib.Path(__file__).with_name(f"{name}.onnx")
    # The example input fixes the batch to 1.
    torch.onnx.export(
        model, torch.zeros(1, 1, 28, 28), out, input_names=["image"], output_names=["logits"], opset_version=17
    )
    print(f"wrote {out.name}, {out.stat().st_size} bytes")


def main():
    args = data.arguments(__doc__)
    # One thread and, for each network, fixed seeds, so that a second run on the same machine gives the same files.
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    for name, hidden in HIDDEN.items():
        export(name, hidden, *data.split(args.digits))


if __name__ == "__main__":
    main()
