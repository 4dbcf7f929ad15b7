"""Public docstrings of numpy and scikit-learn: the honest hard case, with a dense and a lexical list per query."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import fastcal as fc
from fastcal._extras import require
from fastcal.cli.demo.collections import Collection, Qrels
from fastcal.cli.demo.harvest import Docstring, harvest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PACKAGES = ("numpy", "sklearn")
DIMENSIONS = 128
LEXICAL_DEPTH = 200


def load_docstrings(seed: int = 0) -> Collection:
    """Ask for an object by its summary sentence; the documents are the docstrings without that sentence."""
    for package in PACKAGES:
        require(package, "demo")
    found = _first_of_each_text(entry for package in PACKAGES for entry in harvest(package))
    summaries, bodies = [entry.summary for entry in found], [entry.body for entry in found]
    queries, corpus = _embed(summaries, bodies, seed)
    return Collection(
        name="docstrings",
        vectors=f"TF-IDF + truncated SVD, {corpus.shape[1]} dimensions",
        judgements="same object, or named under its See Also",
        queries=queries,
        corpus=corpus,
        qrels=Qrels.from_lists(resolve(found)),
        lexical=_bm25(summaries, bodies),
        caveats=("See Also lists are short and their authors never promised to be complete: some false positives are right answers nobody listed.",),
    )


def resolve(entries: Sequence[Docstring]) -> list[list[int]]:
    """Turn See Also names into rows: exact dotted name, else the same module, else the same package if only one object fits."""
    exact = {entry.name: row for row, entry in enumerate(entries)}
    by_last: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row, entry in enumerate(entries):
        by_last[_package(entry.name), _last(entry.name)].append(row)

    def find(entry: Docstring, name: str) -> int | None:
        package, module = _package(entry.name), entry.name.rpartition(".")[0]
        for candidate in (name, f"{module}.{name}", f"{package}.{name}"):
            if candidate in exact:
                return exact[candidate]
        same_last = by_last[package, name] if "." not in name else []
        return same_last[0] if len(same_last) == 1 else None

    return [sorted({row, *(hit for name in entry.see_also if (hit := find(entry, name)) is not None)}) for row, entry in enumerate(entries)]


def _first_of_each_text(entries: Iterable[Docstring]) -> list[Docstring]:
    kept: dict[str, Docstring] = {}
    for entry in entries:
        kept.setdefault(entry.body, entry)
    return list(kept.values())


def _embed(queries: Sequence[str], documents: Sequence[str], seed: int) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    tfidf = require("sklearn.feature_extraction.text", "demo").TfidfVectorizer(sublinear_tf=True, stop_words="english", dtype=np.float32)
    svd = require("sklearn.decomposition", "demo").TruncatedSVD(DIMENSIONS, random_state=seed)
    corpus = svd.fit_transform(tfidf.fit_transform(documents))
    return svd.transform(tfidf.transform(queries)).astype(np.float32), corpus.astype(np.float32)


def _bm25(queries: Sequence[str], documents: Sequence[str]) -> fc.Run:
    bm25s = require("bm25s", "demo")
    retriever = bm25s.BM25()
    retriever.index(bm25s.tokenize(list(documents), stopwords="en", show_progress=False), show_progress=False)
    tokens = bm25s.tokenize(list(queries), stopwords="en", show_progress=False)
    ids, scores = retriever.retrieve(tokens, k=min(LEXICAL_DEPTH, len(documents)), show_progress=False)
    return fc.Run(np.where(scores > 0, ids, -1).astype(np.int64), np.where(scores > 0, scores, np.nan).astype(np.float32))


def _package(name: str) -> str:
    return name.partition(".")[0]


def _last(name: str) -> str:
    return name.rpartition(".")[2]
