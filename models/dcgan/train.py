"""Trains a DCGAN on MNIST digits with PyTorch and exports its generator as `dcgan.onnx`."""

import copy
import pathlib

import torch
from torch import nn

import training
from dcgan import network
from mnist import data

EPOCHS = 26
BATCH = 64
RATE = 5e-4
# The share of its past that the averaged generator keeps at every step.
KEPT = 0.995


def initialise(module):
    """The weights that the paper starts from (section 4)."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, std=0.02)


def average(mean, model):
    """Moves the averaged generator towards the one that is trained."""
    with torch.no_grad():
        for kept, new in zip(mean.state_dict().values(), model.state_dict().values()):
            if kept.is_floating_point():
                kept.lerp_(new, 1 - KEPT)


def train(generator, critic, images, labels):
    """Trains both by turns; returns the generator's running mean, which draws steadier than its last state."""
    mean = copy.deepcopy(generator)
    of_generator = torch.optim.Adam(generator.parameters(), RATE, betas=(0.5, 0.999))
    of_critic = torch.optim.Adam(critic.parameters(), RATE / 2, betas=(0.5, 0.999))
    loss_of = nn.functional.binary_cross_entropy_with_logits
    for epoch in range(EPOCHS):
        for batch in torch.randperm(len(images)).split(BATCH):
            digits = nn.functional.one_hot(labels[batch], network.CLASSES).float()
            drawn = generator(torch.randn(len(batch), network.LATENT), digits)
            real, faked = critic(images[batch], digits), critic(drawn.detach(), digits)
            # 0.9: a critic that is never quite sure leaves the generator something to follow.
            loss = loss_of(real, torch.full_like(real, 0.9)) + loss_of(faked, torch.zeros_like(faked))
            of_critic.zero_grad()
            loss.backward()
            of_critic.step()

            judged = critic(drawn, digits)
            deceived = loss_of(judged, torch.ones_like(judged))
            of_generator.zero_grad()
            deceived.backward()
            of_generator.step()
            average(mean, generator)
        print(f"epoch {epoch + 1:2}: critic {loss.item():.3f}, generator {deceived.item():.3f}", flush=True)
    return mean.eval()


def main():
    args = data.arguments(__doc__)
    training.fix_seed()
    (images, labels), _ = data.split(args.digits)
    generator, critic = network.Generator(), network.Critic()
    generator.apply(initialise), critic.apply(initialise)
    images = torch.from_numpy(data.as_float(images)[:, None])
    drawing = train(generator, critic, images, torch.from_numpy(labels).long())
    example = (torch.zeros(1, network.LATENT), torch.zeros(1, network.CLASSES))
    out = pathlib.Path(__file__).with_name("dcgan.onnx")
    training.export(drawing, example, out, names=["latent", "digit"], result="image")


if __name__ == "__main__":
    main()
