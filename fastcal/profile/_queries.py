"""Which queries a profile was fitted on, as salted hashes: enough to recognise them, not to read them off."""

from __future__ import annotations

import itertools
import os
import re
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastcal._validate.arrays import as_array
from fastcal._validate.groups import as_groups
from fastcal._validate.keys import require_keys
from fastcal.errors import InvalidTypeError, InvalidValueError

_SALT, _HASH = re.compile(r"[0-9a-f]{32}"), re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class QueryHashes:
    """The salt of a profile and the sorted 64-bit BLAKE2b hashes, keyed with it, of its query ids.

    An id is hashed as its text, so 12 and "12" are the same query. Two profiles of the same queries share no hash, and the order of
    the queries is lost. It protects nothing against somebody who has the file and can guess: small numbers, or texts from a known
    list, are found by hashing each guess with the salt that stands beside the hashes.
    """

    salt: str
    hashes: tuple[str, ...]

    @classmethod
    def of(cls, query_ids: npt.ArrayLike) -> Self:
        """Hash distinct ids with a new salt."""
        salt = os.urandom(16).hex()
        return cls(salt, tuple(sorted(set(_hashed(_labels(query_ids)[0], salt)))))

    @classmethod
    def from_dict(cls, d: Any) -> Self:
        """Judge what stands in a file."""
        require_keys(d, {"salt", "hashes"}, "queries")
        if not isinstance(d["salt"], str) or not _SALT.fullmatch(d["salt"]):
            raise InvalidValueError(f"queries: salt must be 32 hexadecimal digits, got {d['salt']!r}")
        hashes = d["hashes"]
        if not isinstance(hashes, list) or not all(isinstance(text, str) and _HASH.fullmatch(text) for text in hashes):
            raise InvalidTypeError("queries: hashes must be a list of texts of 16 hexadecimal digits")
        if not hashes:
            raise InvalidValueError("queries: hashes must hold at least one")
        if any(a >= b for a, b in itertools.pairwise(hashes)):
            raise InvalidValueError("queries: hashes must be sorted and differ")
        return cls(d["salt"], tuple(hashes))

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types."""
        return {"salt": self.salt, "hashes": list(self.hashes)}

    def holds(self, query_ids: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Return which ids are among the hashed ones, in the shape of `query_ids`."""
        labels, codes = _labels(query_ids)
        known = set(self.hashes)
        return np.array([text in known for text in _hashed(labels, self.salt)], dtype=np.bool_)[codes]


def _labels(query_ids: npt.ArrayLike) -> tuple[list[Any], npt.NDArray[np.int64]]:
    array = as_array(query_ids, "query_ids")
    if array.size == 0:
        return [], np.zeros(array.shape, np.int64)
    groups = as_groups(array, array.shape, "query_ids")
    return groups.labels.tolist(), groups.codes


def _hashed(labels: list[Any], salt: str) -> list[str]:
    from hashlib import blake2b  # costs an import

    key = bytes.fromhex(salt)
    return [blake2b(str(label).encode("utf-8", "surrogatepass"), key=key, digest_size=8).hexdigest() for label in labels]
