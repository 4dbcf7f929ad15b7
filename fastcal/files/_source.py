"""Where content comes from: a file or standard input, its form told by the name, by the first bytes where there is no name."""

from __future__ import annotations

import io
import json
import re
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
_SPACE = b"\xef\xbb\xbf \t\r\n"
_MAGIC: tuple[tuple[bytes, Form], ...] = ((b"PAR1", "parquet"), (b"ARROW1", "arrow"), (b"\xff\xff\xff\xff", "arrow"), (b"{", "json"))
_BINARY = ("parquet", "arrow")
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
    return Source(str(place), form_of(place), existing(place), member=member, gzipped=place.suffix.lower() == ".gz")


def split(path: Path, suffixes: tuple[str, ...]) -> tuple[Path, str | None]:
    """Return path and member of ``path:member``; a file that is there under the whole name is that file."""
    head, colon, member = str(path).rpartition(":")
    if not colon or not member or Path(head).suffix.lower() not in suffixes or path.exists():
        return path, None
    return Path(head), member


def form_of(path: Path) -> Form:
    """Return the form that a name ends in, ``.gz`` after a form of text aside."""
    packed = path.suffix.lower() == ".gz"
    form = _FORMS.get((path.with_suffix("") if packed else path).suffix.lower(), "text")
    if packed and form in _BINARY:
        raise InvalidValueError(f"{path}: .gz may follow a form of text only, and {form} is none (it packs itself)")
    return form


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
    if start.startswith(_GZIP):
        raw, start = _unpacked(_Joined(start, raw), name)
    if not start:
        raise InvalidValueError(f"{name} is empty")
    form: Form = next((form for magic, form in _MAGIC if start.lstrip(_SPACE).startswith(magic)), "text")
    if form == "text":
        return Source(name, form, None, _Joined(start, raw))  # type: ignore[arg-type]
    with _sound(name):
        whole = start + raw.read()
    return Source(name, "jsonl" if form == "json" and _is_json_lines(whole) else form, None, io.BytesIO(whole))


def _unpacked(packed: Any, name: str) -> tuple[Any, bytes]:
    import gzip

    raw = gzip.GzipFile(fileobj=packed, mode="rb")
    with _sound(name):
        return raw, raw.read(_LOOK)


def _is_json_lines(whole: bytes) -> bool:
    """Whether the first line is an object by itself, and is followed by others or holds no object: a record, no lists."""
    first, _, rest = whole.lstrip(_SPACE).partition(b"\n")
    try:
        record = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(record, dict) and bool(record) and (bool(rest.strip()) or not any(isinstance(value, dict) for value in record.values()))


class _Joined(io.RawIOBase):
    """Bytes that were read already, and then the rest of a file."""

    def __init__(self, start: bytes, rest: BinaryIO) -> None:
        self._start, self._rest = start, rest
        self.name = "standard input"

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._start:
            found: int = self._rest.readinto1(buffer)  # type: ignore[attr-defined]  # one read: Ctrl-C is seen between two
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

        with _sound(found.name), gzip.open(found.place, "rb") as file:
            yield file
    else:
        with found.place.open("rb") as file:
            yield file


@contextmanager
def _sound(name: str) -> Iterator[None]:
    """Let what is wrong with a gzip file name it."""
    import gzip
    import zlib

    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InvalidValueError(f"{name} is not a sound gzip file: {error}") from error


@contextmanager
def naming(found: Source) -> Iterator[None]:
    """Let errors about the content name the file."""
    try:
        yield
    except (InvalidValueError, InvalidTypeError) as error:
        text = str(error)
        raise InvalidValueError(text if text.startswith(found.name) else f"{found.name}: {text}") from error


@contextmanager
def hinting(found: Source) -> Iterator[None]:
    """Let the error about a line of commas on standard input say that CSV needs a name."""
    try:
        yield
    except InvalidValueError as error:
        if found.path is None and re.search(r", line 1: expected .*, got '[^ ,]*,", str(error)):
            raise InvalidValueError(f"{error}; CSV has to be a file whose name ends in .csv") from error
        raise


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
