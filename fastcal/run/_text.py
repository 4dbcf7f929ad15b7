"""What of a text file is to be read: no byte order mark at its start, no blank lines at its end."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

_MARK = "\ufeff".encode()
_NOTHING = np.empty(0, np.uint8)
_LOOK = 64  # bytes at the end of a block; more are looked at if all of these are white space


def content(blocks: Iterator[Bytes]) -> Iterator[Bytes]:
    """Yield a part, maybe empty, for each block, so that nobody needs a block longer than `blocks` keeps it.

    Lines of nothing but ASCII white space are held back until more text follows them.
    """
    held: list[Bytes] = []
    at_line_start = True
    for block in _unmarked(blocks):
        size = _to_last_line(block, at_line_start=at_line_start)
        if size:
            yield from held
            held.clear()
            at_line_start = bool(block[size - 1] == ord("\n"))
        if size < block.size:
            held.append(block[size:].copy())
        yield block[:size]


def _unmarked(blocks: Iterator[Bytes]) -> Iterator[Bytes]:
    first = next(blocks, _NOTHING)
    while first.size < len(_MARK) and (more := next(blocks, None)) is not None:
        first = np.concatenate((first, more))
    yield first[len(_MARK) :] if first[: len(_MARK)].tobytes() == _MARK else first
    yield from blocks


def _to_last_line(block: Bytes, *, at_line_start: bool) -> int:
    """Return where the last line that is not blank ends, or the end of the block if it does not end there."""
    end = block[-_LOOK:].tobytes()
    if end.isspace():
        end = block.tobytes()
    text = len(end.rstrip())
    if text == 0 and at_line_start:
        return 0
    line_end = end.find(b"\n", text)
    return block.size if line_end < 0 else block.size - len(end) + line_end + 1
