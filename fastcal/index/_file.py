"""An index in a file: saved atomically, loaded without reading it, checked where it is touched."""

from __future__ import annotations

import json
import threading
from typing import Any, Self, TypeVar

from fastcal import _backend, _threads
from fastcal._atomic import replacing
from fastcal._validate import files as validate
from fastcal._validate.numbers import flag
from fastcal.errors import FastcalError, IndexCorruptError, InvalidValueError
from fastcal.index._image import open_image, write_image
from fastcal.index._restored import Restorer
from fastcal.index._rows import Given, check_rows
from fastcal.index._segment import Segment
from fastcal.index._state import State
from fastcal.index._stored import describe, refuse_to_lose_rows, tensors_of

Loaded = TypeVar("Loaded", bound="Stored")


class Stored(State):
    """Save, load and verify."""

    def save(self, path: Any, *, include_corpus: bool = False, num_threads: int | None = None) -> None:
        """Write the index to one file, in the safetensors format, so that it can be loaded without building it again.

        The file appears under its name complete or not at all: it is written beside its destination, flushed to the disk
        and then renamed. If anything fails, what was there before is untouched. Everything that is copied is verified on
        the way, so that no damage is saved as if it were right.

        Parameters
        ----------
        path : str or path-like
        include_corpus : bool
            Also write the rows. Without them, the place of a memory-mapped corpus is recorded, and any other corpus has to be
            given to :meth:`load`.
        num_threads : int, optional
            Threads used to verify and to digest.

        Raises
        ------
        CorpusChangedError
            With `include_corpus`: a row is not what it was when the index was built.
        IndexCorruptError
            The index was loaded from a file that has been damaged since.
        ValueError
            The file at `path` holds the rows of this index, or is a folder.
        OSError
            The file cannot be written; the error names `path`.

        See Also
        --------
        load

        Notes
        -----
        An index that was built or loaded on the Numba backend has no sketches to save.

        Examples
        --------
        >>> import os, tempfile, numpy as np, fastcal as fc
        >>> corpus = np.eye(3, dtype=np.float32)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "rows.index")
        ...     fc.Index(corpus).save(path)
        ...     fc.Index.load(path, corpus).search([0.0, 1.0, 0.5], k=1).ids.tolist()
        [[1]]
        """
        target = validate.path(path, "path").resolve()
        if target.exists() and not target.is_file():
            raise InvalidValueError(f"path must name a file, got the {'folder' if target.is_dir() else 'pipe or device'} {target}")
        with_rows, threads, segments = flag(include_corpus, "include_corpus"), _threads.resolve(num_threads), self._segments
        refuse_to_lose_rows(target, segments, with_rows=with_rows)
        self._check(segments, threads, rows=with_rows)
        description: dict[str, Any] = {"metric": self._metric, "width": self._width, "dim": self._dim, "has_ids": self._has_ids}
        description["segments"] = [describe(segment, target.parent, with_rows=with_rows) for segment in segments]
        with replacing(target) as file:
            write_image(file, tensors_of(segments, with_rows=with_rows), {"index": json.dumps(description)}, threads)

    @classmethod
    def load(
        cls,
        path: Any,
        corpus: Any = None,
        mmap: bool = True,
        verify: validate.Verification = "lazy",
        num_threads: int | None = None,
    ) -> Self:
        """Load an index that :meth:`save` wrote; its searches return the same bytes, whatever machine or backend saved it.

        Parameters
        ----------
        path : str or path-like
        corpus : array_like of float, shape (n_rows, dim), optional
            The rows the index was built from, all of them, in full width or cut to its `dims`; float64 if they were. Without
            it, the rows in the file are used, else the memory-mapped file that was recorded, at its place or at the same
            place relative to the index.
        mmap : bool
            Map the file and read what searches touch, else read all of it now. A mapped file must not be written to; saving
            over it is fine.
        verify : {"lazy", "eager", False}
            How damage is noticed. The header, and with "lazy" and "eager" the norms and ids, are always checked here.
            Sketches and rows in the file are checked in chunks of 64 KiB: "lazy" when a search first touches them, "eager"
            here, False never. The Numba backend cannot check lazily: there "lazy" is "eager". Rows outside the file are
            compared with the digests of the rows that the index was built from: all rows of an array in memory, and with
            "eager" of any corpus; with "lazy" 512 to 1,023 evenly spaced rows of an ``np.memmap``, recorded or given; none
            with False. Shape and dtype are always compared.
        num_threads : int, optional
            Threads used to check.

        Returns
        -------
        Index

        Raises
        ------
        IndexCorruptError
            The file is damaged, cut short, or not an index.
        CorpusChangedError
            The recorded corpus is not what it was when the index was built.
        ValueError
            `corpus` is not the one the index was built from; there is no corpus; the file is of a newer version.
        OSError
            The file cannot be read.

        See Also
        --------
        save, verify

        Examples
        --------
        >>> import os, tempfile, numpy as np, fastcal as fc
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "rows.index")
        ...     fc.Index(np.eye(3, dtype=np.float32), metric="dot").save(path, include_corpus=True)
        ...     index = fc.Index.load(path)
        >>> index
        Index(n_rows=3, dim=3, metric='dot', nbytes=24)
        """
        source, checks = validate.path(path, "path"), validate.verification(verify)
        backend, threads = _backend.active(), _threads.resolve(num_threads)
        image = open_image(source, mapped=flag(mmap, "mmap"))
        index = cls.__new__(cls)
        try:
            description = json.loads(image.metadata["index"])
            given = None if corpus is None else Given.judge(corpus, description, backend, threads)
            index._become(description, Restorer(image, description, given, checks, backend, threads, not mmap).segments())  # noqa: SLF001
        except FastcalError:
            raise
        except (KeyError, TypeError, ValueError, IndexError) as error:  # every digest is right: somebody else wrote it
            raise IndexCorruptError(f"{source} describes an index that cannot be ({type(error).__name__}: {error})") from None
        return index

    def _become(self, description: dict[str, Any], segments: tuple[Segment, ...]) -> None:
        if not segments:
            raise ValueError("no segments")
        self._metric, self._has_ids = description["metric"], description["has_ids"]
        self._width, self._dim = description["width"], description["dim"]
        self._adding, self._is_adding, self._copies = threading.RLock(), False, False
        self._segments = segments

    def verify(self, num_threads: int | None = None) -> None:
        """Read everything again: the file the index came from, and every row of the corpus.

        Every row is compared with the digest it had when the index was built, and every chunk of a loaded file with the one it
        was saved with. Any change inside one aligned 4-byte word is noticed with certainty, others with a probability
        that leaves accidents no chance (docs/numerics.md).

        Parameters
        ----------
        num_threads : int, optional

        Raises
        ------
        CorpusChangedError
            Names the first row that is not what it was when the index was built.
        IndexCorruptError
            Names the file and the bytes that are not what was saved.

        Examples
        --------
        >>> import numpy as np, fastcal as fc
        >>> corpus = np.eye(3, dtype=np.float32)
        >>> index = fc.Index(corpus)
        >>> index.verify()
        >>> corpus[1, 2] = 1e-30
        >>> index.verify()
        Traceback (most recent call last):
        fastcal.errors.CorpusChangedError: row 1 is not what it was when the index was built; build it again
        """
        self._check(self._segments, _threads.resolve(num_threads), rows=True)

    @staticmethod
    def _check(segments: tuple[Segment, ...], threads: int, *, rows: bool) -> None:
        for image in {id(segment.image): segment.image for segment in segments if segment.image is not None}.values():
            image.check_all(threads)
        for segment in segments if rows else ():
            check_rows(segment, _backend.active(), threads)
