"""Trains a character-level GPT on Shakespeare with PyTorch and exports its generation as `gpt.onnx`."""

import pathlib

import numpy as np
import onnxruntime
import torch

import training
from gpt import data, graph, network

STEPS = 2000
BATCH = 64
RATE = 3e-3
CHECKED = 50
OUT = pathlib.Path(__file__).with_name("gpt.onnx")


def pieces(text, starts):
    """What is read, and what follows each character of it: both [n, 48]."""
    rows = torch.stack([text[start : start + network.LENGTH + 1] for start in starts])
    return rows[:, :-1], rows[:, 1:]


def loss_of(model, text, starts):
    read, following = pieces(text, starts)
    return torch.nn.functional.cross_entropy(model(read).flatten(0, 1), following.flatten())


def train(model, text):
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, betas=(0.9, 0.98), weight_decay=0.1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS, pct_start=0.08)
    total = 0.0
    for step in range(1, STEPS + 1):
        optimizer.zero_grad()
        loss = loss_of(model, text, torch.randint(len(text) - network.LENGTH, (BATCH,)))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        total += loss.item()
        if step % 100 == 0:
            print(f"step {step:4}: loss {total / 100:.4f}", flush=True)
            total = 0.0


def prompts(text, count):
    """Evenly spread over a text: int64 [n, 16]."""
    starts = np.linspace(0, len(text) - network.LENGTH, count).astype(int)
    return np.stack([text[start : start + network.PROMPT] for start in starts])


def check(model, text):
    """That the exported loop generates what the network does without a cache."""
    session = onnxruntime.InferenceSession(OUT, providers=["CPUExecutionProvider"])
    asked = prompts(text, CHECKED)
    expected, nearest = model.generate(torch.from_numpy(asked))
    got = np.concatenate([session.run(None, {"prompt": prompt[None]})[0] for prompt in asked])
    wrong = int((got != expected.numpy()).any(1).sum())
    print(f"{CHECKED - wrong} of {CHECKED} texts are the same; the two likeliest are at least {nearest:.2g} apart")
    if wrong:
        raise SystemExit(f"{OUT.name} and the network generate different texts for {wrong} prompts")


def main():
    args = data.arguments(__doc__)
    training.fix_seed()
    text, held_back = data.load(args.texts)
    model = network.Gpt()
    train(model, torch.from_numpy(text))
    with torch.no_grad():
        whole = torch.from_numpy(held_back)
        losses = [loss_of(model, whole, part) for part in torch.arange(0, len(whole) - 49, 48).split(512)]
    print(f"loss on the held-back works: {torch.stack(losses).mean():.4f}")

    weights = {name: value.numpy() for name, value in model.state_dict().items()}
    OUT.write_bytes(graph.build(weights, data.VOCABULARY).SerializeToString())
    parameters = sum(value.size for value in weights.values())
    print(f"wrote {OUT.name}, {OUT.stat().st_size} bytes, {parameters} parameters")
    check(model, held_back)


if __name__ == "__main__":
    main()
