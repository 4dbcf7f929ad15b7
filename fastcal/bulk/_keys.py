"""Query and document ids as the kernels take them: integers, or texts as UTF-8 in one buffer."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from fastcal import _backend
from fastcal._backend.protocol import Array
from fastcal.errors import InvalidTypeError, InvalidValueError

MOST_ROWS = 2**31 - 1
TAKEN_BYTES = 1 << 15
_FLIP = np.int64(-(2**63))


@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """A key for each row, in an order that is that of the ids.

    "int64": int64 `values`. "uint64", for columns with ids from 2^63 on: the same with the first bit flipped. "text": the bytes of text i
    are uint8 ``values[offsets[i]:offsets[i + 1]]``, and their order is that of the code points.
    """

    kind: Literal["int64", "uint64", "text"]
    values: Array
    offsets: Array | None = None

    def __len__(self) -> int:
        return len(self.values) if self.offsets is None else len(self.offsets) - 1

    @classmethod
    def of_integers(cls, values: Array) -> Keys:
        """Return the keys of an integer array."""
        if values.dtype == np.uint64 and len(values) and values.max() > np.uint64(2**63 - 1):
            return cls("uint64", values.view(np.int64) ^ _FLIP)
        return cls("int64", np.ascontiguousarray(values.astype(np.int64, copy=False)))

    @classmethod
    def of_texts(cls, texts: list[str]) -> Keys:
        """Return the keys of strings."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        offsets = np.zeros(len(encoded) + 1, np.int64)
        np.cumsum([len(each) for each in encoded], out=offsets[1:])
        return cls("text", np.frombuffer(b"".join(encoded), np.uint8), offsets)

    def take(self, rows: Array) -> Keys:
        """Return the keys of some rows."""
        if self.offsets is None:
            return Keys(self.kind, self.values[rows])
        starts = self.offsets[rows].astype(np.int64)
        offsets = np.zeros(len(rows) + 1, np.int64)
        np.cumsum(self.offsets[rows + 1] - starts, out=offsets[1:])
        return Keys(self.kind, _bytes_at(self.values, starts, offsets), offsets)

    def ids(self) -> Array:
        """Return integers as the array they came from, texts as an object array of str."""
        if self.offsets is None:
            return self.values if self.kind == "int64" else (self.values ^ _FLIP).view(np.uint64)
        data, bounds = self.values.tobytes(), self.offsets.tolist()
        texts = [data[start:stop].decode("utf-8", "surrogatepass") for start, stop in itertools.pairwise(bounds)]
        return np.array(texts, dtype=object)


def _bytes_at(data: Array, starts: Array, offsets: Array) -> Array:
    """Return the bytes of texts that begin at `starts`, to lie at `offsets`: a few at a time, as places take eight times what the bytes do."""
    found = np.empty(offsets[-1], np.uint8)
    edges = np.searchsorted(offsets, np.arange(0, offsets[-1], TAKEN_BYTES))
    for begin, end in itertools.pairwise([*edges.tolist(), len(starts)]):
        first, last = offsets[begin], offsets[end]
        at = np.repeat(starts[begin:end] - offsets[begin:end], np.diff(offsets[begin : end + 1]))
        at += np.arange(first, last)
        data.take(at, out=found[first:last], mode="clip")
    return found


class Groups(NamedTuple):
    """The rows of a column told apart: the rank of each row's key, and the distinct keys in ascending order."""

    codes: Array
    distinct: Keys

    @property
    def n(self) -> int:
        """How many there are."""
        return len(self.distinct)


def numbered(keys: Keys) -> tuple[Array, Array]:
    """Return the rank of each key among the distinct ones, int32, and the first row of each rank."""
    if len(keys) > MOST_ROWS:
        raise InvalidValueError(f"{len(keys)} rows at a time; expected fewer than 2**31: hand them over in parts")
    codes, firsts = np.empty(len(keys), np.int32), np.empty(len(keys), np.int32)
    n = _backend.active().number_rows(keys.values, keys.offsets, codes, firsts)
    return codes, firsts[:n]


def grouped(keys: Keys) -> Groups:
    """Tell the rows of a column apart."""
    codes, firsts = numbered(keys)
    return Groups(codes, keys.take(firsts))


def require_one_kind(first: Keys, second: Keys, names: tuple[str, str]) -> None:
    """Raise unless the ids of both fit one type."""
    if (first.kind == "text") != (second.kind == "text"):
        told = ["text" if keys.kind == "text" else "integers" for keys in (first, second)]
        raise InvalidTypeError(f"{names[0]} holds {told[0]} and {names[1]} {told[1]}; expected ids of one kind")
    if first.kind != second.kind:
        signed = first if first.kind == "int64" else second
        if len(signed) and signed.values.min() < 0:
            raise InvalidValueError(f"{names[0]} and {names[1]} hold integers below 0 and from 2**63 on; expected ids that fit one integer type")


def joined(first: Keys, second: Keys, names: tuple[str, str]) -> Keys:
    """Return the keys of one after those of the other; they must be of one kind."""
    require_one_kind(first, second, names)
    if first.offsets is None or second.offsets is None:
        ids = [first.ids(), second.ids()]
        return Keys.of_integers(np.concatenate(ids if first.kind == second.kind else [each.astype(np.uint64) for each in ids]))
    moved = second.offsets[1:].astype(np.int64) - second.offsets[0] + first.offsets[-1]
    body = second.values[second.offsets[0] : second.offsets[-1]]
    return Keys("text", np.concatenate([first.values[: first.offsets[-1]], body]), np.concatenate([first.offsets.astype(np.int64), moved]))


def places(known: Keys, asked: Keys, names: tuple[str, str]) -> Array:
    """Return where each of the distinct keys `asked` stands among the distinct, ascending `known`; -1 where it does not."""
    if known.kind == asked.kind and known.offsets is None:
        at = np.searchsorted(known.values, asked.values).clip(max=max(len(known) - 1, 0))
        return np.where(known.values[at] == asked.values, at, -1) if len(known) else np.full(len(asked), -1)
    codes, firsts = numbered(joined(known, asked, names))
    firsts = firsts[codes[len(known) :]]
    return np.where(firsts < len(known), firsts, -1)
