"""The two networks that name shapes: one of the ResNet kind, one of the MobileNet kind."""

from torch import nn


def convolution(before, after, kernel=3, stride=1, groups=1):
    """A convolution that keeps the size (or divides it by the stride), normalised."""
    padding = kernel // 2
    return nn.Sequential(
        nn.Conv2d(before, after, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(after)
    )


class Residual(nn.Module):
    """Two convolutions whose result is added to what came in (He et al. 2016, figure 2)."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.way = nn.Sequential(convolution(before, after, 3, stride), nn.ReLU(), convolution(after, after))
        same = before == after and stride == 1
        self.shortcut = nn.Identity() if same else convolution(before, after, 1, stride)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.way(x) + self.shortcut(x))


def resnet():
    """ResNet-14 for pictures of 32x32: two blocks at each of three sizes."""
    layers = [convolution(3, 10), nn.ReLU()]
    for before, after, stride in [(10, 10, 1), (10, 20, 2), (20, 40, 2)]:
        layers += [Residual(before, after, stride), Residual(after, after, 1)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(40, 10))


class Excite(nn.Module):
    """Weighs the channels by what the whole picture shows (squeeze and excitation)."""

    def __init__(self, channels):
        super().__init__()
        few = channels // 4
        self.weigh = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, few, 1),
            nn.ReLU(),
            nn.Conv2d(few, channels, 1),
            nn.Hardsigmoid(),
        )

    def forward(self, x):
        return x * self.weigh(x)


class Inverted(nn.Module):
    """Widens, filters each channel on its own, and narrows (Sandler et al. 2018; Howard et al. 2019)."""

    def __init__(self, before, wide, after, *, kernel, stride, act, excite):
        super().__init__()
        self.same = before == after and stride == 1
        self.way = nn.Sequential(
            convolution(before, wide, 1),
            act(),
            convolution(wide, wide, kernel, stride, groups=wide),
            act(),
            Excite(wide) if excite else nn.Identity(),
            convolution(wide, after, 1),
        )

    def forward(self, x):
        return x + self.way(x) if self.same else self.way(x)


def mobilenet():
    """MobileNetV3 made small: ReLU6 in the first blocks, hard-swish and excitation in the last."""
    early = {"kernel": 3, "act": nn.ReLU6, "excite": False}
    late = {"kernel": 5, "act": nn.Hardswish, "excite": True}
    return nn.Sequential(
        convolution(3, 16, 3, 2),
        nn.Hardswish(),
        Inverted(16, 32, 16, stride=1, **early),
        Inverted(16, 64, 24, stride=2, **early),
        Inverted(24, 96, 24, stride=1, **early),
        Inverted(24, 96, 40, stride=2, **late),
        Inverted(40, 160, 40, stride=1, **late),
        convolution(40, 160, 1),
        nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(160, 10),
    )
