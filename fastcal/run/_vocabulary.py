"""Names of documents that were judged once need no second look."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import numpy.typing as npt

from fastcal import _csr
from fastcal._validate import lists

_judged: WeakValueDictionary[int, npt.NDArray[np.object_]] = WeakValueDictionary()


def vocabulary(names: Any) -> npt.NDArray[np.object_]:
    """Return distinct strings as a read-only array; the ``doc_ids`` of a run are returned as they are, in no time."""
    return names if _judged.get(id(names)) is names and names is not None else trusted(lists.as_strings(names, "doc_ids"))


def trusted(names: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
    """Return a read-only view of an array of distinct strings that nobody else holds."""
    view = _csr.read_only(names)
    _judged[id(view)] = view
    return view
