"""One way to fit and to ask: fastcal's calibrators, GroupCalibrator, and whatever follows scikit-learn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcal._backend.protocol import Array
from fastcal._validate.elements import within
from fastcal.calibration._base import Calibrator
from fastcal.calibration.group import GroupCalibrator
from fastcal.calibration.venn_abers import VennAbersCalibrator
from fastcal.errors import InvalidTypeError, InvalidValueError
from fastcal.selection._sample import Sample

Predict = Callable[[Sample], Array]


def fitted(model: Any, sample: Sample, label_noise: tuple[float, float] | None = None) -> Predict:
    """Fit the model in place and return what gives the flat probabilities of a sample."""
    options: dict[str, Any] = {} if sample.weights is None else {"sample_weight": sample.weights}
    if isinstance(model, Calibrator | GroupCalibrator):
        options |= {} if label_noise is None else {"label_noise": label_noise}
    elif label_noise is not None:
        raise InvalidTypeError(f"label_noise is understood by fastcal's calibrators only, not by {type(model).__name__}")
    if isinstance(model, GroupCalibrator):
        with within(sample.places):
            model.fit(sample.scores, sample.labels, _by(model, sample), **options)
        return _placed(lambda asked: model.predict(asked.scores, _by(model, asked)))
    if isinstance(model, Calibrator):
        with within(sample.places):
            model.fit(sample.scores, sample.labels, **options)
        return _placed(lambda asked: model.predict(asked.scores))
    if not (hasattr(model, "fit") and (hasattr(model, "predict_proba") or hasattr(model, "predict"))):
        raise InvalidTypeError(f"a calibrator needs get_params, fit and predict; got {model!r}")
    model.fit(sample.scores.reshape(-1, 1), sample.labels, **options)
    return lambda asked: _their_probabilities(model, asked.scores.reshape(-1, 1))


def _placed(predict: Predict) -> Predict:
    def placed(asked: Sample) -> Array:
        with within(asked.places):
            return predict(asked)

    return placed


def takes_label_noise(model: Any) -> bool:
    """Whether a fit can be corrected for the labeller's errors."""
    if isinstance(model, GroupCalibrator):
        return model.calibrator is None or takes_label_noise(model.calibrator)
    return isinstance(model, Calibrator) and not isinstance(model, VennAbersCalibrator)


def _by(model: Any, sample: Sample) -> Any:
    if sample.by is None:
        raise InvalidValueError(f"{type(model).__name__} needs by=, what it tells apart (language, modality pair), beside groups, the queries")
    return sample.by


def _their_probabilities(model: Any, column: Array) -> Array:
    found: Array = model.predict_proba(column)[:, list(model.classes_).index(1)] if hasattr(model, "predict_proba") else model.predict(column)
    result = np.asarray(found).reshape(-1)
    if len(result) != len(column) or not ((result >= 0) & (result <= 1) | np.isnan(result)).all():
        raise InvalidValueError(f"{type(model).__name__} gave something else than one probability in [0, 1] for each of {len(column)} scores")
    return result
