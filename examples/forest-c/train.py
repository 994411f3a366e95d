"""Trains a random forest on the breast cancer data that scikit-learn carries, and has emlearn write it as C: `forest.h`.

    pip install emlearn==0.23.2 scikit-learn==1.7.2 numpy==2.2.6
    python train.py

Writes `testdata.json` too: held-back patients, and what the C code should say of them.
"""

import json
import pathlib

import emlearn
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier

HERE = pathlib.Path(__file__).parent
HELD_BACK = 169
COUNT = 20


def main():
    features, labels = load_breast_cancer(return_X_y=True)
    features = features.astype(np.float32)
    # RandomState, unlike the newer generators, promises the same stream in every numpy release.
    order = np.random.RandomState(2).permutation(len(features))
    train, held_back = order[:-HELD_BACK], order[-HELD_BACK:]
    forest = RandomForestClassifier(n_estimators=10, max_depth=6, random_state=1)
    forest.fit(features[train], labels[train])
    # `inline`: each tree is a function of comparisons, and no header of emlearn's is needed.
    model = emlearn.convert(forest, method="inline", dtype="float")
    model.save(file=str(HERE / "forest.h"), name="forest")
    patients = features[held_back[:COUNT]]
    # Each tree votes for a class; the most votes win, of two the lower class.
    votes = np.array([tree.predict(patients) for tree in forest.estimators_]).sum(axis=0)
    expected = (votes > len(forest.estimators_) / 2).astype(int)
    rows = [{"features": row.tolist(), "votes": int(v), "label": int(e)} for row, v, e in zip(patients, votes, expected)]
    (HERE / "testdata.json").write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n")
    print(f"{forest.score(features[held_back], labels[held_back]):.3f} of the held-back patients are right")


if __name__ == "__main__":
    main()
