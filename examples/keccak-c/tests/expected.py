"""Writes the case of the example: text of more than two blocks, and its keccak256 by pycryptodome."""

import json
import pathlib

from Crypto.Hash import keccak

HERE = pathlib.Path(__file__).parent
TEXT = "".join(f"{number} green bottles hanging on the wall\n" for number in range(9, 1, -1))


def main():
    (HERE / "bottles.txt").write_text(TEXT)
    digest = keccak.new(digest_bits=256, data=TEXT.encode()).digest()
    (HERE / "outputs.json").write_text(json.dumps([{"dtype": "uint8", "shape": [32], "values": list(digest)}]) + "\n")


if __name__ == "__main__":
    main()
