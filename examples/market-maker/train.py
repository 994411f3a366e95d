"""Trains the network that sets the fee, on trades of a simulated market, and exports it as `fees.onnx`.

A pool loses to those who know that its price is out of date. The network learns how much, in basis points of a trade, from
what the pool knows: how large the trade is, how much the price moved lately, and whether the trade moves it on or back.
"""

import pathlib

import numpy as np
import onnx
import skl2onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.neural_network import MLPRegressor

OUT = pathlib.Path(__file__).with_name("fees.onnx")
TRADES = 40_000
# A trade counts for an eighth in the running means.
MEMORY = 8
# What the simulated pool charges, as a part of a trade.
CHARGED = 0.003


def simulate(random):
    """Features, float64 [n, 3], and losses in basis points, float64 [n], of trades with a pool of constant product."""
    reserves = np.array([1e6, 1e6])
    # Both tokens are worth the same at first; from then on nobody but the informed knows.
    worth, unrest = 0.0, 0.001
    volatility = trend = 0.0
    features, losses = [], []
    while len(losses) < TRADES:
        # Calm and wild times last some hundred trades each.
        if random.random_sample() < 0.005:
            unrest = 0.0003 * 20 ** random.random_sample()
        worth += random.normal(0, unrest)
        price = reserves[1] / reserves[0]
        gap = worth - np.log(price)
        if abs(gap) > CHARGED and random.random_sample() < 0.5:
            # The informed trade until the gap is what they pay.
            given = 0 if gap < 0 else 1
            amount = reserves[given] * (np.exp((abs(gap) - CHARGED) / 2) - 1)
        else:
            given = random.randint(2)
            amount = reserves[given] * 0.003 * random.exponential()
        direction = -1 if given == 0 else 1
        features.append([100 * amount / reserves[given], volatility, direction * trend])
        losses.append(1e4 * direction * gap)

        paid = reserves[1 - given] * amount / (reserves[given] + amount)
        reserves += np.where(np.arange(2) == given, amount, -paid)
        change = 100 * (reserves[1] / reserves[0] / price - 1)
        volatility += (abs(change) - volatility) / MEMORY
        trend += (change - trend) / MEMORY
    return np.array(features), np.array(losses)


def main():
    # RandomState, unlike the newer generators, promises the same stream in every numpy release.
    features, losses = simulate(np.random.RandomState(1))
    half = TRADES // 2
    model = MLPRegressor(hidden_layer_sizes=(8,), solver="lbfgs", alpha=1e-3, max_iter=2000, random_state=1)
    model.fit(features[:half].astype(np.float32), losses[:half].astype(np.float32))
    explained = model.score(features[half:], losses[half:])
    print(f"of the losses' variance in the second half, {explained:.1%} is explained")
    exported = skl2onnx.to_onnx(model, initial_types=[("features", FloatTensorType([1, 3]))], target_opset=17)
    onnx.checker.check_model(exported, full_check=True)
    OUT.write_bytes(exported.SerializeToString())
    print(f"wrote {OUT.name}, {OUT.stat().st_size} bytes")


if __name__ == "__main__":
    main()
