"""The contract's part on runs: TREC files, and the order of lists."""

from __future__ import annotations

from typing import Literal, Protocol

from fastcal._backend._types import Array

TrecKind = Literal["run", "qrels"]


class TrecReader(Protocol):
    """Reads lines of fields between ASCII white space; queries and documents are numbered in order of first appearance.

    A line of a "run" is ``query Q0 document rank score tag``, its value a float32; of "qrels", ``query iteration document
    grade``, its value an int32. The first malformed line ends the reading: another number of fields, bytes that are not UTF-8,
    or a value that is not ``[+-] digits [. digits] [e [+-] digits]`` (in any case, or inf or infinity; digits alone for int32),
    or does not fit. Decimal numbers are rounded to float64, then to float32.
    """

    @property
    def lines(self) -> int:
        """Number of lines read; after a malformed line, of those before it."""

    @property
    def stretches(self) -> int:
        """Number of stretches of adjacent lines of one query."""

    @property
    def queries(self) -> int:
        """Number of different queries."""

    @property
    def documents(self) -> int:
        """Number of different documents."""

    @property
    def malformed(self) -> bytes:
        """The malformed line, without its end."""

    def feed(self, text: Array, *, num_threads: int) -> bool:
        """Take more bytes, uint8, which must stay as they are until the next call ends; False once a line is malformed.

        Lines may be cut anywhere between two calls. The answer may come one call late; an empty text asks for it.
        """

    def finish(self, *, num_threads: int) -> bool:
        """Say that no more text comes; the last line needs no line end."""

    def write(
        self,
        out_ids: Array,
        out_values: Array,
        out_stretch_query: Array,
        out_stretch_start: Array,
        out_queries: Array,
        out_documents: Array,
        *,
        num_threads: int,
    ) -> None:
        """Fill what was read, once finished: documents int64 and values uint32 (the bits of float32 or int32) of each line.

        Of each stretch its query and its first line, int64; the names, arrays of object, by number.
        """


class TrecWriter(Protocol):
    """Writes lines of a TREC run."""

    def lines(self, ids: Array, scores: Array, offsets: Array, begin: int, end: int, *, num_threads: int) -> bytes:
        """Return the lines of the entries ``[begin, end)`` of all lists, ranks from 1 in each.

        A score is the shortest decimal number that reads back as the same float32: with a point if it is 0 or in [1e-4, 1e16), else
        with an exponent of at least two digits.
        """


class RunOperations(Protocol):
    """What a run asks for besides fusion."""

    def trec_reader(self, kind: TrecKind) -> TrecReader:
        """Start to read."""

    def trec_writer(self, queries: bytes, documents: bytes | None, tag: bytes) -> TrecWriter:
        """Start to write: names, each followed by a line end and without white space, or None for the numbers themselves."""

    def list_faults(self, ids: Array, scores: Array | None, offsets: Array, *, higher_is_better: bool) -> int:
        """Tell what is wrong with lists of int64 ids and float32 scores: a sum of 1 (an id is -1), 2 (an id is below),
        4 (a score is NaN) and 8 (a list is not best first).
        """

    def sort_lists(
        self, ids: Array, scores: Array, offsets: Array, out_ids: Array, out_scores: Array, *, higher_is_better: bool, num_threads: int
    ) -> None:
        """Sort each list by score, best first, equal scores in their order; no NaN."""
