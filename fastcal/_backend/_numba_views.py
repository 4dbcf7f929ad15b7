"""How arrays reach Numba kernels: as read-only views, in chunks of lists."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

# Elements of one chunk of an elementwise map or of normalised lists: about 1 ms.
CHUNK = 1 << 17


def read_only(array: Array) -> Array:
    """A read-only view, so that one compiled version of a kernel serves writable and read-only inputs."""
    view = array.view()
    view.flags.writeable = False
    return view


def list_chunks(offsets: Array) -> list[tuple[int, int]]:
    """Cut lists into chunks of about ``CHUNK`` elements; a list is never split."""
    n_lists = offsets.size - 1
    if n_lists < 1:
        return []
    n_chunks = math.ceil((int(offsets[-1]) - int(offsets[0]) + n_lists) / CHUNK)
    if n_chunks <= 1:
        return [(0, n_lists)]
    cuts = np.unique(np.searchsorted(offsets, offsets[0] + np.arange(n_chunks + 1) * CHUNK, side="left").clip(0, n_lists))
    bounds = sorted({0, n_lists, *(int(cut) for cut in cuts)})
    return list(itertools.pairwise(bounds))
