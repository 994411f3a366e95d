"""What the trainings with PyTorch share."""

import onnx
import torch
from torch import nn

BATCH = 64


def fix_seed():
    """One thread and a fixed seed, so that a second run on the same machine gives the same file."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(1)


def shift(images, most):
    """The images, moved by up to `most` pixels each way; what rolls out comes in on the other side."""
    by = torch.randint(-most, most + 1, (2,)).tolist()
    return images.roll(by, (-2, -1))


def train_classifier(model, images, labels, *, epochs, augment, rate=3e-3, decay=0.05):
    """Trains by AdamW with a rate that falls along a cosine; `augment` changes each batch of images."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=decay)
    batches = -(-len(images) // BATCH)
    # A short rise at the start: at the full rate, the first steps of normalised networks go astray.
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=epochs * batches, pct_start=0.1)
    loss_of = nn.CrossEntropyLoss()
    model.train()
    for epoch in range(epochs):
        total = 0.0
        for batch in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss = loss_of(model(augment(images[batch])), labels[batch])
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item() * len(batch)
        print(f"epoch {epoch + 1:2}: loss {total / len(images):.4f}", flush=True)
    model.eval()


def accuracy(model, images, labels):
    """The share of the images that the model names."""
    with torch.no_grad():
        answers = torch.cat([model(part).argmax(1) for part in images.split(BATCH)])
    return (answers == labels).float().mean().item()


def export(model, inputs, out, *, names, result):
    """Writes the model as ONNX. The example inputs fix the shapes, and with them the batch to 1."""
    torch.onnx.export(model, inputs, out, input_names=names, output_names=[result], opset_version=17)
    onnx.checker.check_model(onnx.load(out), full_check=True)
    parameters = sum(p.numel() for p in model.parameters())
    print(f"wrote {out.name}, {out.stat().st_size} bytes, {parameters} parameters")
