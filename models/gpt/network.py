"""A GPT over characters: the network that is trained. `graph.py` has the same one as an ONNX graph."""

import torch
from torch import nn

VOCABULARY = 64
PROMPT = 16
GENERATED = 32
# No text is longer than a prompt and what follows it.
LENGTH = PROMPT + GENERATED
WIDTH = 128
HEADS = 4
HEAD = WIDTH // HEADS
LAYERS = 5


class Layer(nn.Module):
    """Attention to what came before, then a perceptron; each normalises what it takes and adds to it."""

    def __init__(self):
        super().__init__()
        self.norm_1, self.norm_2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.query_key_value = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.widen = nn.Linear(WIDTH, 4 * WIDTH)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x):
        batch, length, _ = x.shape
        heads = self.query_key_value(self.norm_1(x)).view(batch, length, 3, HEADS, HEAD).permute(2, 0, 3, 1, 4)
        query, key, value = heads.unbind(0)
        # Written out: for texts this short, PyTorch's fused attention takes several times longer.
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        scores = (query @ key.transpose(-2, -1) * HEAD**-0.5).masked_fill(later, float("-inf"))
        mixed = scores.softmax(-1) @ value
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, WIDTH))
        return x + self.narrow(nn.functional.gelu(self.widen(self.norm_2(x)), approximate="tanh"))


class Gpt(nn.Module):
    """Numbers of characters [batch, length] to logits [batch, length, 64] of the character after each."""

    def __init__(self):
        super().__init__()
        # Each row is a character's, both as it is read and as it is told from the others.
        self.characters = nn.Embedding(VOCABULARY, WIDTH)
        self.places = nn.Embedding(LENGTH, WIDTH)
        self.layers = nn.Sequential(*(Layer() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(WIDTH)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # What is added to the sum of all layers starts small (Radford et al. 2019, section 2.3).
                added = name.endswith(("out.weight", "narrow.weight"))
                nn.init.normal_(parameter, std=0.02 / (2 * LAYERS) ** 0.5 if added else 0.02)

    def forward(self, numbers):
        x = self.characters(numbers) + self.places.weight[: numbers.shape[1]]
        return self.norm(self.layers(x)) @ self.characters.weight.T

    @torch.no_grad()
    def generate(self, prompts):
        """The 32 likeliest characters after each prompt, one after the other.

        Also how far the likeliest was above the next, where that was least.
        """
        numbers, nearest = prompts, float("inf")
        for _ in range(GENERATED):
            best = self(numbers)[:, -1].topk(2)
            nearest = min(nearest, (best.values[:, 0] - best.values[:, 1]).min().item())
            numbers = torch.cat([numbers, best.indices[:, :1]], 1)
        return numbers[:, prompts.shape[1] :], nearest
