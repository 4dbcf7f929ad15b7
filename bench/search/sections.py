"""The tables of a run, by section; at most one large corpus is alive at a time."""

from __future__ import annotations

from bench.search import approximate, callers, corpora, ours, small, works
from bench.search.peers import FEW
from bench.search.targets import verdict
from bench.search.works import K100, MANY, ONE, ONE_WIDE, SIXTEEN, Arena, untargeted

N_QUERIES = 256


def small_works(options, skipped):
    yield small.overhead(options.rounds)
    for n_rows in small.SIZES:
        yield small.throw_away(options.rounds, n_rows)
        yield small.throw_away_cosine(options.rounds, n_rows)
    yield callers.concurrent(options.rounds)


def synthetic(options, skipped):
    rounds, corpus = options.rounds, corpora.synthetic(options.rows, 384)
    queries = corpora.near_rows(corpus, N_QUERIES)
    arena, plain = Arena("synthetic", corpus, queries, skipped=skipped), {}
    yield from works.tables(arena, (ONE, K100, SIXTEEN, MANY), rounds, plain)
    yield small.integer_peak(rounds, plain[MANY.key]["results"], options.rows)
    yield small.building(corpus, rounds, arena.build_seconds)
    yield small.rescoring(corpus, queries, rounds)
    yield from works.small_corpora(corpus, rounds, skipped)
    arena.name = f"synthetic, hard case: queries with noise {corpora.HARD_NOISE}"
    arena.queries = corpora.near_rows(corpus, N_QUERIES, corpora.HARD_NOISE)
    arena.keep(FEW)
    yield from works.tables(arena, untargeted(ONE, MANY), rounds)
    del arena
    yield from _shifted("synthetic, shifted", corpus, queries, plain, rounds, skipped)


def real(options, skipped):
    folder = corpora.data_folder()
    if folder is None:
        skipped["real embeddings"] = "no folder of collections (FASTCAL_DATA)"
        return
    corpus, queries = corpora.real(folder, options.rows, N_QUERIES)
    arena, plain = Arena("real, enlarged", corpus, queries, FEW, skipped), {}
    yield from works.tables(arena, (ONE, K100, SIXTEEN, MANY), options.rounds, plain)
    del arena
    yield from _shifted("real, enlarged and shifted", corpus, queries, plain, options.rounds, skipped)


def wide(options, skipped):
    corpus = corpora.synthetic(options.rows, 768)
    arena = Arena("synthetic", corpus, corpora.near_rows(corpus, N_QUERIES), skipped=skipped)
    yield from works.tables(arena, (ONE_WIDE, K100, SIXTEEN, MANY), options.rounds)


def approximations(options, skipped):
    corpus = corpora.synthetic(options.approximate_rows or options.rows, 384)
    yield approximate.curves(corpus, corpora.near_rows(corpus, 100), options.rounds, skipped)


def _shifted(name, corpus, queries, plain, rounds, skipped):
    """Shift the corpus where it is; anisotropy may cost at most half as much again."""
    arena = Arena(name, corpus, corpora.shift(corpus, queries), FEW, skipped)
    for work in untargeted(ONE, MANY):
        table = arena.table(work, rounds)
        times = [next(r["median"] for r in each["results"] if r["name"] == ours.INDEX) for each in (table, plain[work.key])]
        table["checks"].append(verdict("time against the same corpus not shifted", times[0] / times[1], 1.5, unit="x", at_most=True))
        yield table


SECTIONS = {"small": small_works, "synthetic": synthetic, "real": real, "wide": wide, "approximate": approximations}
