"""A profile against where it is to be used."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from fastcal.errors import InvalidValueError, ProfileMismatchError, ProfileWarning
from fastcal.profile._fields import field

# A difference here makes the probabilities wrong; of the others it may.
FATAL = ("model", "revision", "metric", "dims", "modality", "task", "stage", "norm")
DOUBTFUL = {
    "top_k": "lists of another depth hold another share of relevant pairs: probabilities are off by .10 and more",
    "corpus": "the corpus has changed; revalidate(scores) tells whether its scores have",
}


def compare(recorded: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Raise one error for everything that must agree and does not; warn of the rest and of what the profile does not record."""
    here = {name: field(name, value) for name, value in asked.items() if value is not None}
    if not here:
        raise InvalidValueError(f"nothing to check; give one of {', '.join([*FATAL, *DOUBTFUL])}")
    known = {name: value for name, value in here.items() if recorded[name] is not None}
    unlike = {name: value for name, value in known.items() if value != recorded[name]}
    wrong = [f"{name} is {recorded[name]!r} in the profile and {value!r} here" for name, value in unlike.items() if name in FATAL]
    if wrong:
        raise ProfileMismatchError(f"this profile was fitted for something else: {'; '.join(wrong)}")
    said = [f"{name} is {recorded[name]!r} in the profile and {value!r} here: {DOUBTFUL[name]}" for name, value in unlike.items()]
    unknown = [name for name in here if name not in known]
    if unknown:
        said.append(f"the profile does not record {', '.join(unknown)}, so nothing is known about {', '.join(repr(here[name]) for name in unknown)}")
    if said:
        warnings.warn("; ".join(said), ProfileWarning, stacklevel=3)
