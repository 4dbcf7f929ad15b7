"""The safetensors format: 8 bytes of header length, a JSON header, tensors without gaps.

What is written here starts every tensor at a multiple of 64 bytes of the file: the header is padded with spaces, and gaps
are tensors of their own, named ``padding.<n>``, since the format forbids holes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

ALIGNMENT = 64
LENGTH_BYTES = 8
_MAX_HEADER = 100_000_000  # as the safetensors library has it
# uint16 stands for bfloat16 bits everywhere in fastcal.
_NAMES = {"U8": "u1", "I8": "i1", "BF16": "<u2", "F16": "<f2", "I32": "<i4", "U32": "<u4", "F32": "<f4", "I64": "<i8", "U64": "<u8", "F64": "<f8"}
_NAME_OF = {np.dtype(code): name for name, code in _NAMES.items()}


@dataclass(frozen=True, slots=True)
class Tensor:
    """Bytes ``begin`` to ``end`` of the data, which starts behind the header."""

    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    begin: int
    end: int

    def of(self, data: npt.NDArray[np.uint8]) -> npt.NDArray[Any]:
        """View the tensor in the data."""
        return data[self.begin : self.end].view(self.dtype).reshape(self.shape)


Tensors: TypeAlias = dict[str, Tensor]


def plan(shapes: Iterable[tuple[str, np.dtype[Any], tuple[int, ...]]]) -> Tensors:
    """Lay tensors out in the order given, padding between them."""
    tensors: Tensors = {}
    end = 0
    for name, dtype, shape in shapes:
        begin = -(-end // ALIGNMENT) * ALIGNMENT
        if begin > end:
            tensors[f"padding.{len(tensors)}"] = Tensor(np.dtype(np.uint8), (begin - end,), end, begin)
        end = begin + math.prod(shape) * dtype.itemsize
        tensors[name] = Tensor(dtype, shape, begin, end)
    return tensors


def header(tensors: Tensors, metadata: Mapping[str, str]) -> bytes:
    """Return everything that stands before the data."""
    entries: dict[str, Any] = {"__metadata__": dict(metadata)}
    for name, tensor in tensors.items():
        entries[name] = {"dtype": _NAME_OF[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [tensor.begin, tensor.end]}
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-(LENGTH_BYTES + len(text)) % ALIGNMENT)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def header_size(start: bytes, file_size: int) -> int:
    """Bytes before the data, judged by the first 8 of a file; ValueError if it cannot be a safetensors file."""
    if len(start) < LENGTH_BYTES:
        raise ValueError(f"it has {len(start)} bytes")
    length = int.from_bytes(start[:LENGTH_BYTES], "little")
    if length > min(file_size - LENGTH_BYTES, _MAX_HEADER):
        raise ValueError("its header does not fit into it")
    return LENGTH_BYTES + length


def parse(head: bytes, file_size: int) -> tuple[Tensors, dict[str, str]]:
    """Read a header, as :func:`header` returned it, of a file of this size; ValueError if it breaks the format."""
    try:
        entries = json.loads(head[LENGTH_BYTES:])
        metadata = {str(key): str(value) for key, value in entries.pop("__metadata__", {}).items()}
        tensors = {name: _tensor(entry) for name, entry in entries.items()}
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"its header is not one of safetensors ({error})") from None
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda item: (item[1].begin, item[1].end)):
        if tensor.begin != end or tensor.end - end != math.prod(tensor.shape) * tensor.dtype.itemsize:
            raise ValueError(f"its tensor {name!r} does not have the bytes that its shape asks for")
        end = tensor.end
    if file_size != len(head) + end:
        raise ValueError(f"it has {file_size} bytes where its header speaks of {len(head) + end}")
    return tensors, metadata


def _tensor(entry: Mapping[str, Any]) -> Tensor:
    begin, end = entry["data_offsets"]
    shape = tuple(entry["shape"])
    if not all(type(n) is int and n >= 0 for n in (begin, end, *shape)):
        raise ValueError("its header holds a size that is not one")
    return Tensor(np.dtype(_NAMES[entry["dtype"]]), shape, begin, end)
