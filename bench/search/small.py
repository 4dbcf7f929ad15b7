"""Works beside the large searches: throw-away corpora, call overhead, rescoring, building, the integer peak."""

from __future__ import annotations

import numpy as np

import fastcal as fc
from bench.search import corpora, ours, peers
from bench.search.streams import numkong_int8, readers
from bench.search.targets import BEST_PEER, Target, check, check_all, verdict
from bench.search.timing import Contender, Truth, measure

SIZES = (500, 5_000, 50_000)


def throw_away(rounds, n_rows, dim=768, k=10):
    """A corpus used once: everything that depends on it counts."""
    corpus = corpora.synthetic(n_rows, dim)
    batches = [query[None] for query in corpora.near_rows(corpus, 8)]
    settings = ours.thread_settings()
    entries = ours.without_index(corpus, k) + readers(corpus, settings[-1])
    for name, search in (("NumPy, rows already unit", peers.numpy_blocks(corpus)), ("usearch exact", _made(peers.usearch_exact, corpus))):
        if search:
            entries += [Contender(name, "peer", lambda q, s=search, n=n: s(q, k, n), n, pools=1) for n in settings]
    if _made(peers.faiss_flat, corpus[:1]):
        entries += [Contender("FAISS add + search", "peer", lambda q, n=n: peers.faiss_flat(corpus)(q, k, n), n) for n in settings]
    results = measure(entries, batches, rounds, Truth(corpus, batches, k))
    lines = check_all(results, [Target(BEST_PEER, 1, ours=ours.RAW), Target("FAISS add", 2, ours=ours.RAW)])
    read = check(results, Target("read float32 once", 1, ours=ours.RAW))
    lines.append(verdict(f"{ours.RAW}: time of reading the bytes", 1 / read["value"], 1.2, unit="x", at_most=True))
    return _table("throw-away", f"throw-away corpus, 1 query, k={k}, {n_rows:,} x {dim}", results, lines)


def throw_away_cosine(rounds, n_rows, dim=768, k=10):
    """The same where rows come in any length: cosine for us, the others must normalise."""
    rng = np.random.default_rng(4)
    unit = corpora.synthetic(n_rows, dim)
    corpus = unit * rng.uniform(0.5, 2.0, (n_rows, 1)).astype(np.float32)
    batches = [query[None] for query in corpora.near_rows(unit, 8)]

    def unit_rows():
        return corpus / np.linalg.norm(corpus, axis=1, keepdims=True)

    def scaled(query, n):
        def score(begin, end):
            rows = corpus[begin:end]
            return (query @ rows.T) / np.sqrt(np.einsum("ij,ij->i", rows, rows))

        return peers.in_blocks(n_rows, 1, k, n, score)

    settings = ours.thread_settings()
    entries = ours.without_index(corpus, k, "cosine")
    entries += [
        Contender("NumPy, normalise rows, search", "peer", lambda q, n=n: peers.numpy_blocks(unit_rows())(q, k, n), n, pools=1) for n in settings
    ]
    entries += [Contender("NumPy, search, divide by norms", "peer", lambda q, n=n: scaled(q, n), n, pools=1) for n in settings]
    if _made(peers.faiss_flat, unit[:1]):
        entries += [Contender("FAISS normalise + add + search", "peer", lambda q, n=n: _faiss_normalised(corpus)(q, k, n), n) for n in settings]
    results = measure(entries, batches, rounds, Truth(corpus, batches, k, "cosine"))
    lines = check_all(results, [Target("NumPy", 2, ours=ours.RAW), Target("FAISS", 2, ours=ours.RAW)])
    return _table("throw-away-cosine", f"throw-away corpus of any lengths, cosine, 1 query, k={k}, {n_rows:,} x {dim}", results, lines)


def _faiss_normalised(corpus):
    import faiss

    rows = corpus.copy()
    faiss.normalize_L2(rows)
    return peers.faiss_flat(rows)


def tiny(k=5, dim=384):
    """16 rows, and contenders on one thread."""
    corpus = corpora.synthetic(16, dim)
    entries = ours.with_index(fc.Index(corpus, "dot"), k, threads=[1]) + [c for c in ours.without_index(corpus, k) if c.threads == 1]
    for name, search in (("FAISS IndexFlatIP", _made(peers.faiss_flat, corpus)), ("NumPy matmul + argpartition", peers.numpy_blocks(corpus))):
        if search:
            entries.append(Contender(name, "peer", lambda q, s=search: s(q, k, 1)))
    return corpus, entries


def overhead(rounds, k=5):
    """A search of 16 rows, one thread: what a call costs before any work."""
    corpus, entries = tiny(k)
    batches = [corpora.near_rows(corpus, 1)]
    results = measure(entries, batches, rounds, Truth(corpus, batches, k))
    title = f"call overhead: 1 query, k={k}, 16 x {corpus.shape[1]}, one thread"
    return _table("overhead", title, results, check_all(results, [Target("FAISS", 1)]))


def rescorers(corpus, queries, n_candidates):
    ids = np.random.default_rng(5).integers(0, len(corpus), (len(queries), n_candidates))
    settings = ours.thread_settings()

    def gather(rows):
        return np.stack([np.einsum("d,md->m", queries[i], corpus[ids[i]]) for i in rows])

    def shared(n):
        return lambda _: list(peers.workers().map(gather, np.array_split(np.arange(len(queries)), n)))

    assert np.allclose(gather(range(4)), fc.rescore(queries[:4], corpus, ids[:4], "dot"), atol=1e-5)
    ours_ = [Contender("fastcal rescore", "part", lambda _, n=n: fc.rescore(queries, corpus, ids, "dot", num_threads=n), n) for n in settings]
    return ours_ + [Contender("NumPy gather + einsum", "part", shared(n), n, pools=1) for n in settings]


def rescoring(corpus, queries, rounds, n_candidates=1000):
    results = measure(rescorers(corpus, queries, n_candidates), [queries], rounds)
    lines = check_all(results, [Target("NumPy", 5, ours="fastcal rescore")])
    title = f"rescore {n_candidates:,} random candidates x {len(queries)} queries, {len(corpus):,} x {corpus.shape[1]}"
    return _table("rescore", title, results, lines)


def building(corpus, rounds, build_seconds):
    """Time to build, and memory. The peers' times are of one build each, before the searches."""
    entries = [Contender("fastcal Index", "part", lambda _, n=n: fc.Index(corpus, "dot", num_threads=n), n) for n in ours.thread_settings()]
    entries += readers(corpus, ours.thread_settings()[-1])
    results = measure(entries, [None], rounds)
    lines = [verdict("sketches and norms, share of the corpus bytes", fc.Index(corpus, "dot").nbytes / corpus.nbytes, 0.41, at_most=True)]
    if corpus.shape == (1_000_000, 384):
        seconds = next(r["median"] for r in results if r["name"] == "fastcal Index")
        lines.append(verdict("seconds to build 1 M x 384", seconds, 1.5, 0.6, unit=" s", at_most=True))
    note = "one build each: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in build_seconds.items() if seconds > 0.01)
    return _table("build", f"build, {len(corpus):,} x {corpus.shape[1]}", results, lines, note)


def integer_peak(rounds, search_results, n_rows_searched, dim=384, n_rows=4096, n_queries=256, k=10):
    """Integer dot products per second where everything is in cache, and the share of it that the large search reaches."""
    corpus = corpora.synthetic(n_rows, dim)
    queries = corpora.near_rows(corpus, n_queries)
    entries = ours.with_index(fc.Index(corpus, "dot"), k)
    try:
        entries += numkong_int8(n_rows, n_queries, dim, ours.thread_settings()[-1])
    except (ImportError, TypeError) as failure:  # TypeError: this version has no int8 packing
        print("integer peak without NumKong:", failure)
    results = measure(entries, [queries], rounds)
    rates = {r["name"]: 2e-9 * n_rows * n_queries * dim / r["median"] for r in results}
    searched = next(r["median"] for r in search_results if r["name"] == ours.INDEX)
    reached = 2e-9 * n_rows_searched * n_queries * dim / searched
    lines = [verdict("256 queries on the large corpus, share of the best rate here", reached / max(rates.values()), 0.0, 0.7)]
    note = (
        "Gop/s (multiply and add counted apart): " + ", ".join(f"{name} {rate:.0f}" for name, rate in rates.items()) + f"; large search {reached:.0f}"
    )
    return _table("integer-peak", f"integer dot products in cache: {n_queries} queries x {n_rows:,} rows x {dim}", results, lines, note)


def _made(make, corpus):
    try:
        return make(corpus)
    except ImportError:
        return None


def _table(key, title, results, checks, note=""):
    return {"key": key, "title": title, "results": results, "checks": checks, "note": note}
