"""Converts a pickle or joblib file of scikit-learn: python convert_sklearn.py JOB

Loading it runs what is in it.
"""

import joblib
import skl2onnx
import sklearn.base
from skl2onnx.common.data_types import FloatTensorType

import onnx_report

NAME = "input"


def convert(job):
    model = joblib.load(job["file"])
    if not isinstance(model, sklearn.base.BaseEstimator):
        raise onnx_report.Refused(f"the file holds a {type(model).__qualname__}", "save an estimator or a pipeline of scikit-learn")
    columns = getattr(model, "n_features_in_", None)
    shape = onnx_report.shape_of(job, NAME, None if columns is None else [None, columns])
    onnx_report.all_used(job, [NAME])
    is_classifier = sklearn.base.is_classifier(model)
    # Probabilities as a tensor, and not as a list of dictionaries.
    options = {id(model): {"zipmap": False}} if is_classifier else None
    converted = skl2onnx.to_onnx(
        model,
        initial_types=[(NAME, FloatTensorType(shape))],
        target_opset={"": job["opset"], "ai.onnx.ml": 3},
        options=options,
    )
    inputs = onnx_report.random_input(shape, "float32")
    return converted, {NAME: inputs}, outputs(model, inputs, len(converted.graph.output))


def outputs(model, inputs, count):
    """What the model itself makes of `inputs`, as the ONNX file has it."""
    if not hasattr(model, "predict"):
        return [model.transform(inputs)]
    predicted = model.predict(inputs)
    if count == 2:
        probabilities = model.predict_proba if hasattr(model, "predict_proba") else model.decision_function
        return [predicted, probabilities(inputs)]
    return [predicted.reshape(len(inputs), -1)]


if __name__ == "__main__":
    onnx_report.run(lambda job: onnx_report.written(job, *convert(job)))
