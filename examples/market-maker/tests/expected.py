"""Writes the case of the example: a pool, trades, and what becomes of them by Python's integers, numpy's floats and onnxruntime."""

import json
import pathlib

import numpy as np
import onnxruntime

HERE = pathlib.Path(__file__).parent
MODEL = HERE.parent / "fees.onnx"

# 50,000 units of a token with 9 decimals and 125,000 of one with 6.
RESERVES = [50_000_000_000_000, 125_000_000_000]

# A quiet hour; the price falls; some trade it back.
TRADES = [
    20_000_000_000, -60_000_000, 35_000_000_000, -90_000_000, 10_000_000_000, -1, 0,
    150_000_000_000, 90_000_000_000, 120_000_000_000, 60_000_000_000,
    -100_000_000, -250_000_000, -600_000_000, 30_000_000_000, -40_000_000,
]  # fmt: skip

F = np.float32


def network():
    """The fee in basis points, float32, of three features."""
    model = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    return lambda features: model.run(None, {"features": np.array([features], F)})[0].item()


def tensor(dtype, shape, values):
    return {"dtype": dtype, "shape": shape, "values": values}


def main():
    fee_of = network()
    reserves, all_paid, fees = list(RESERVES), [], []
    volatility = trend = F(0)
    for trade in TRADES:
        given = int(trade < 0)
        amount, inside, outside = abs(trade), reserves[given], reserves[1 - given]
        fee = fee_of([F(100) * F(amount) / F(inside), volatility, trend if given else -trend])
        fee = min(max(fee, 5), 100)
        assert abs(fee % 1 - 0.5) > 0.001, f"{fee} hangs on the order in which the network adds up"
        fee = round(fee)
        counted = amount * (10_000 - fee) // 10_000
        paid = outside * counted // (inside + counted)

        before = F(reserves[1]) / F(reserves[0])
        reserves[given] += amount
        reserves[1 - given] -= paid
        change = F(100) * (F(reserves[1]) / F(reserves[0]) / before - F(1))
        volatility += (abs(change) - volatility) / F(8)
        trend += (change - trend) / F(8)
        all_paid.append(paid)
        fees.append(fee)
    print(fees)

    (HERE / "reserves.json").write_text(json.dumps(RESERVES) + "\n")
    (HERE / "trades.json").write_text(json.dumps(TRADES) + "\n")
    outputs = [
        tensor("int64", [len(TRADES)], all_paid),
        tensor("int32", [len(TRADES)], fees),
        tensor("int64", [2], reserves),
    ]
    lines = ",\n".join("  " + json.dumps(output) for output in outputs)
    (HERE / "outputs.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
