"""The generator that is exported, and the critic that it is trained against (Radford et al. 2016)."""

import torch
from torch import nn

LATENT = 16
CLASSES = 10


class Generator(nn.Module):
    """Chance [n, 16] and the digit wanted, one-hot [n, 10], to an image [n, 1, 28, 28] from 0 to 1."""

    def __init__(self):
        super().__init__()
        self.draw = nn.Sequential(
            nn.ConvTranspose2d(LATENT + CLASSES, 64, 7, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.ConvTranspose2d(32, 1, 4, 2, 1),
            nn.Sigmoid(),
        )

    def forward(self, latent, digit):
        return self.draw(torch.cat([latent, digit], 1)[:, :, None, None])


class Critic(nn.Module):
    """How real an image looks for the digit it should be: a logit [n]."""

    def __init__(self):
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(32, 64, 4, 2, 1, bias=False),
            nn.BatchNorm2d(64),
            nn.LeakyReLU(0.2),
            nn.Flatten(),
        )
        # One judge for each digit: only that of the wanted digit is asked.
        self.judge = nn.Linear(64 * 7 * 7, CLASSES)

    def forward(self, image, digit):
        return (self.judge(self.see(image)) * digit).sum(1)
