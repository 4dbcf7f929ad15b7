"""Any folder in BEIR layout with its embeddings beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

import fastcal as fc
from fastcal import files
from fastcal.cli.demo.collections import Collection, Qrels
from fastcal.errors import InvalidValueError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

REQUIRED = ("corpus.jsonl", "queries.jsonl", "corpus_emb.npy", "queries_emb.npy")
QRELS = ("qrels.tsv", "qrels/test.tsv")
LEXICAL = ("bm25_run.tsv.gz", "bm25_run.tsv")
MAX_PEERS = 4
MAX_PEER_BYTES = 64 << 20

_ONE_EACH = (
    "exactly one labelled document per query. Others may be right and unlabelled: "
    "false positives may be unjudged, so read every precision as a lower bound and do not trust the calibration."
)


def load_beir(folder: Path, *, with_lexical: bool = True) -> Collection:
    """Load ``folder``; every defect is a ValueError naming the file and the line or row."""
    if not folder.is_dir():
        raise InvalidValueError(f"{folder}: not a directory")
    missing = [name for name in REQUIRED if not (folder / name).is_file()]
    if missing:
        raise InvalidValueError(f"{folder}: missing {', '.join(missing)}; expected BEIR layout with {', '.join((*REQUIRED, QRELS[0]))}")
    qrels_file = _first_file(folder, QRELS)
    if qrels_file is None:
        raise InvalidValueError(f"{folder}: missing {QRELS[0]} (or {QRELS[1]})")
    docs, corpus_vectors = _embedded(folder, "corpus")
    queries, query_vectors = _embedded(folder, "queries")
    if corpus_vectors.shape[1] != query_vectors.shape[1]:
        raise InvalidValueError(
            f"{folder}: corpus_emb.npy has {corpus_vectors.shape[1]} dimensions, queries_emb.npy has {query_vectors.shape[1]}; expected the same"
        )
    qrels = _qrels(qrels_file, queries, docs)
    lexical_file = _first_file(folder, LEXICAL) if with_lexical else None
    return Collection(
        name=folder.resolve().name,
        vectors=f"{corpus_vectors.shape[1]} dimensions, {corpus_vectors.dtype}",
        judgements=f"{qrels_file.name}; a pair that is not listed counts as not relevant",
        queries=query_vectors,
        corpus=corpus_vectors,
        qrels=qrels,
        lexical=_lexical(lexical_file, queries, docs) if lexical_file else None,
        caveats=_caveats(qrels),
    )


def peers(folder: Path) -> list[Path]:
    """Sibling folders that hold a small collection with vectors of the same width, at most four, in alphabetical order."""
    width = _width(folder)
    siblings = sorted(path for path in folder.resolve().parent.iterdir() if path.is_dir() and path != folder.resolve())
    return [path for path in siblings if _is_small_collection(path) and _width(path) == width][:MAX_PEERS]


def _is_small_collection(folder: Path) -> bool:
    complete = all((folder / name).is_file() for name in REQUIRED) and _first_file(folder, QRELS) is not None
    return complete and sum((folder / name).stat().st_size for name in REQUIRED) <= MAX_PEER_BYTES


def _width(folder: Path) -> int | None:
    try:
        shape = np.load(folder / "queries_emb.npy", mmap_mode="r").shape
    except (OSError, ValueError, EOFError):
        return None
    return int(shape[-1]) if len(shape) == 2 else None


def _first_file(folder: Path, names: tuple[str, ...]) -> Path | None:
    return next((folder / name for name in names if (folder / name).is_file()), None)


def _embedded(folder: Path, kind: Literal["corpus", "queries"]) -> tuple[dict[str, int], npt.NDArray[Any]]:
    """Return the row of each id, and the rows in memory; one that is not finite is an error."""
    names, vectors = files.read_embedded(folder, kind)
    for row in _bad_rows(vectors):
        raise InvalidValueError(f"{folder / kind}_emb.npy: row {row} holds NaN or infinity")
    return {name: row for row, name in enumerate(names)}, np.ascontiguousarray(vectors)


def _bad_rows(vectors: npt.NDArray[Any], block: int = 65_536) -> Iterator[int]:
    for start in range(0, len(vectors), block):
        finite = np.isfinite(vectors[start : start + block]).all(axis=1)
        yield from (start + np.flatnonzero(~finite)).tolist()


def _qrels(path: Path, queries: dict[str, int], docs: dict[str, int]) -> Qrels:
    grades: dict[tuple[int, int], int] = {}
    for line, query, doc, grade in files.judgement_lines(path):
        for rows, name, kind in ((queries, query, "query"), (docs, doc, "document")):
            if name not in rows:
                raise InvalidValueError(f"{path}, line {line}: unknown {kind} id {name!r}")
        pair = queries[query], docs[doc]
        if grades.setdefault(pair, grade) != grade:
            raise InvalidValueError(f"{path}, line {line}: {query} {doc} is judged {grade}, earlier {grades[pair]}")
    relevant = {pair: grade for pair, grade in grades.items() if grade > 0}
    if not relevant:
        raise InvalidValueError(f"{path}: no relevant pair (score > 0) in {len(grades)} lines")
    pairs = np.array(list(relevant), dtype=np.int64)
    return Qrels(pairs[:, 0], pairs[:, 1], np.array(list(relevant.values()), dtype=np.int64))


def _lexical(path: Path, queries: dict[str, int], docs: dict[str, int]) -> fc.Run:
    named = files.read_run(path)
    in_file = {name: position for position, name in enumerate(_known(queries, named.query_ids, path, "query"))}
    rows = np.array([docs[name] for name in _known(docs, named.doc_ids, path, "document")], dtype=np.int64)[named.ids]
    places = [in_file.get(name) for name in queries]
    lists = [slice(0, 0) if at is None else slice(named.offsets[at], named.offsets[at + 1]) for at in places]
    offsets = np.cumsum([0, *(part.stop - part.start for part in lists)], dtype=np.int64)
    order = np.concatenate([np.arange(part.start, part.stop) for part in lists])
    return fc.Run(rows[order], None if named.scores is None else named.scores[order], offsets)


def _known(rows: dict[str, int], names: Iterable[str] | None, path: Path, kind: str) -> list[str]:
    """Return the names, all of which have a row."""
    listed = [] if names is None else list(names)
    for name in listed:
        if name not in rows:
            raise InvalidValueError(f"{path}: unknown {kind} id {name!r}")
    return listed


def _caveats(qrels: Qrels) -> tuple[str, ...]:
    counts = np.unique(qrels.queries, return_counts=True)[1]
    return (_ONE_EACH,) if counts.max() == 1 else ()
