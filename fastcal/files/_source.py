"""Where content comes from: a file or standard input, its form told by the name, by the first bytes where there is no name."""

from __future__ import annotations

import io
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any, BinaryIO, Literal, NamedTuple

from fastcal._validate import files
from fastcal.errors import InvalidTypeError, InvalidValueError

Form = Literal["text", "parquet", "arrow", "csv", "tsv", "json", "jsonl"]

STANDARD = "-"
_FORMS: dict[str, Form] = {
    ".parquet": "parquet",
    ".pq": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".ipc": "arrow",
    ".csv": "csv",
    ".tsv": "tsv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_MAGIC: tuple[tuple[bytes, Form], ...] = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"), (b"{", "json"))
_GZIP = b"\x1f\x8b"
_LOOK = 8  # bytes


class Source(NamedTuple):
    """Content of a form; `path` is None for standard input, whose bytes are then in `stream`."""

    name: str
    form: Form
    path: Path | None
    stream: BinaryIO | None = None
    member: str | None = None
    gzipped: bool = False

    @property
    def place(self) -> Any:
        """What the library's own readers take: a path, or an open file."""
        return self.path if self.stream is None else self.stream


def source(path: str | PathLike[str], *, members: tuple[str, ...] = ()) -> Source:
    """Return what is behind a path, or behind "-"; a name like ``a.json:b`` is member b of a.json if `members` has that suffix."""
    if str(path) == STANDARD:
        return _standard_input()
    whole = files.path(path, "path")
    place, member = split(whole, members)
    return Source(str(place), form_of(place), existing(place), member=member, gzipped=place.suffix == ".gz")


def split(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, str | None]:
    """Return path and member of ``path:member``; a file that is there under the whole name is that file."""
    head, colon, member = str(path).rpartition(":")
    if not colon or not member or Path(head).suffix not in suffixes or path.exists():
        return path, None
    return Path(head), member


def form_of(path: Path) -> Form:
    """Return the form that a name ends in, ``.gz`` aside."""
    name = path.with_suffix("") if path.suffix == ".gz" else path
    return _FORMS.get(name.suffix.lower(), "text")


def is_table(path: str | PathLike[str]) -> bool:
    """Return whether a name ends as that of a table does."""
    return form_of(Path(path)) not in {"text", "json"}


def existing(path: Path) -> Path:
    """Return the path of something that can be read and is no folder; OSErrors name it."""
    with path.open("rb"):
        return path


def _standard_input() -> Source:
    """Look at the first bytes; tables must be read whole, text streams."""
    raw = getattr(sys.stdin, "buffer", None)
    if raw is None:
        raise InvalidValueError("standard input is closed")
    name = "standard input"
    start = raw.read(_LOOK)
    if not start:
        raise InvalidValueError(f"{name} is empty")
    if start.startswith(_GZIP):
        import gzip

        return Source(name, "text", None, gzip.open(_Joined(start, raw), "rb"))  # type: ignore[arg-type]
    form: Form = next((form for magic, form in _MAGIC if start.lstrip().startswith(magic)), "text")
    stream: Any = _Joined(start, raw) if form == "text" else io.BytesIO(start + raw.read())
    return Source(name, form, None, stream)


class _Joined(io.RawIOBase):
    """Bytes that were read already, and then the rest of a file."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest
        self.name = "standard input"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._start:
            found: int = self._rest.readinto(buffer)  # type: ignore[attr-defined]
            return found
        room = memoryview(buffer).cast("B")
        size = min(len(room), len(self._start))
        room[:size], self._start = self._start[:size], self._start[size:]
        return size


@contextmanager
def opened(found: Source) -> Iterator[BinaryIO]:
    """Open the bytes, unpacked."""
    if found.stream is not None:
        yield found.stream
    elif found.gzipped:
        import gzip
        import zlib

        try:
            with gzip.open(found.place, "rb") as file:
                yield file
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise InvalidValueError(f"{found.name} is not a sound gzip file: {error}") from error
    else:
        with found.place.open("rb") as file:
            yield file


@contextmanager
def naming(found: Source) -> Iterator[None]:
    """Let errors about the content name the file."""
    try:
        yield
    except (InvalidValueError, InvalidTypeError) as error:
        text = str(error)
        raise InvalidValueError(text if text.startswith(found.name) else f"{found.name}: {text}") from error


def lines(found: Source) -> Generator[tuple[int, str]]:
    """Yield number and text of each line that is not blank."""
    with opened(found) as file:
        number, texts = 0, _texts(file)  # by name, so that it outlives the file: a reader that stops early leaves no open one
        try:
            for number, text in enumerate(texts, start=1):
                if text.strip():
                    yield number, text.rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise InvalidValueError(f"{found.name}: cannot be read after line {number}, expected UTF-8 ({error.reason})") from error


def _texts(file: Any) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BufferedReader(file), encoding="utf-8-sig")
