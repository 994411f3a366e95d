"""Writes the case of the example: of the patients in `testdata.json`, the one about whom scikit-learn's trees disagree the most."""

import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent
TREES = 10


def main():
    patients = json.loads((HERE.parent / "testdata.json").read_text())
    patient = min(patients, key=lambda one: abs(one["votes"] - TREES / 2))
    (HERE / "patient.json").write_text(json.dumps(patient["features"]) + "\n")
    outputs = [
        {"dtype": "int32", "shape": [], "values": [patient["label"]]},
        {"dtype": "float32", "shape": [], "values": [np.float32(patient["votes"] / TREES).item()]},
    ]
    lines = ",\n".join("  " + json.dumps(output) for output in outputs)
    (HERE / "outputs.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
