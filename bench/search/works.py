"""Searches of one large corpus: every contender is made once, then each work is one table."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import fastcal as fc
from bench.search import corpora, ours
from bench.search.machine import available_memory
from bench.search.peers import PEERS
from bench.search.streams import readers
from bench.search.targets import BEST_PEER, Target, check_all
from bench.search.timing import Contender, Truth, measure

READ = "read float32 once"


@dataclass(frozen=True)
class Work:
    """A table: `batches` different batches of `n_queries`, one after another in every round."""

    key: str
    n_queries: int
    k: int
    batches: int
    targets: tuple[Target, ...] = ()
    extras: tuple[str, ...] = ()  # of "avx2", "raw", "read", "matmul"

    @property
    def title(self):
        return f"{self.n_queries} {'query' if self.n_queries == 1 else 'queries'}, k={self.k}"


ONE = Work("1q-k10", 1, 10, 8, (Target(BEST_PEER, 5, 7), Target(READ, 4.5, 6), Target(BEST_PEER, 3, ours=ours.AVX2)), ("avx2", "raw", "read"))
ONE_WIDE = Work("1q-k10", 1, 10, 8, (Target(BEST_PEER, 5, 7), Target(READ, 5, 7)), ("avx2", "raw", "read"))
K100 = Work("1q-k100", 1, 100, 8, (Target(BEST_PEER, 4, 6),))
SIXTEEN = Work("16q-k10", 16, 10, 2, (Target("FAISS", 15, 25), Target(BEST_PEER, 5)), ("raw",))
MANY = Work(
    "256q-k10",
    256,
    10,
    1,
    (
        Target("FAISS", 10, 15),
        Target("NumPy matmul alone", 3, 5),
        Target("FAISS", 5, 8, ours=ours.RAW),
        Target(BEST_PEER, 2, ours=ours.AVX2),
    ),
    ("avx2", "raw", "matmul"),
)
SMALL = Work("small", 1, 10, 8, (Target("FAISS", 5),), ("read",))


def untargeted(*works):
    """The same tables where the project set itself no target."""
    return [replace(work, targets=()) for work in works]


class Arena:
    """A corpus, its queries, fastcal's index and the peers that could be made."""

    def __init__(self, name, corpus, queries, peers=None, skipped=None):
        self.name, self.corpus, self.queries = name, corpus, queries
        self.index = fc.Index(corpus, "dot")
        self.searches, self.build_seconds, self.skipped = {}, {}, {} if skipped is None else skipped
        for peer in PEERS:
            if peers is None or peer.name.startswith(peers):
                self._make(peer)

    def _make(self, peer):
        needed = peer.copies * self.corpus.nbytes
        if needed > 0.8 * available_memory():
            self.skipped[f"{peer.name} on {self.name}"] = f"needs {needed / 2**30:.1f} GiB more memory"
            return
        begin = time.perf_counter()
        try:
            self.searches[peer] = peer.make(self.corpus)
        except ImportError as missing:
            self.skipped[peer.name] = f"not installed ({missing})"
        else:
            self.build_seconds[peer.name] = time.perf_counter() - begin

    def keep(self, names):
        """Drop the peers whose names do not start so."""
        self.searches = {peer: search for peer, search in self.searches.items() if peer.name.startswith(names)}

    def contenders(self, k, extras=()):
        settings = ours.thread_settings()
        entries = ours.with_index(self.index, k)
        entries += ours.with_avx2(self.index, k) if "avx2" in extras else []
        entries += ours.without_index(self.corpus, k) if "raw" in extras else []
        entries += readers(self.corpus, settings[-1]) if "read" in extras else []
        for peer, search in self.searches.items():
            if peer.kind == "part" and "matmul" not in extras:
                continue
            entries += [
                Contender(peer.name, peer.kind, lambda queries, s=search, n=n: s(queries, k, n), n, pools=1 if peer.own_threads else None)
                for n in settings
            ]
        return entries

    def table(self, work, rounds):
        asked = work.n_queries * work.batches
        batches = [self.queries[begin : begin + work.n_queries] for begin in range(0, asked, work.n_queries)]
        results = measure(self.contenders(work.k, work.extras), batches, rounds, Truth(self.corpus, batches, work.k))
        n_rows, dim = self.corpus.shape
        return {
            "key": f"{work.key} on {self.name}",
            "title": f"{work.title}, {n_rows:,} x {dim}, {self.name}",
            "results": results,
            "checks": check_all(results, work.targets),
            "note": f"1st and 99th percentile of the cosines: {corpora.cosine_range(self.corpus, self.queries)}",
        }


def tables(arena, works, rounds, kept=None):
    """One table a work, each also put into `kept` under the work's key."""
    for work in works:
        table = arena.table(work, rounds)
        if kept is not None:
            kept[work.key] = table
        yield table


def small_corpora(corpus, rounds, skipped):
    """One query on the first 10 k and 100 k rows."""
    for n_rows in (10_000, 100_000):
        if n_rows <= len(corpus):
            rows = corpus[:n_rows]
            near = corpora.near_rows(rows, 8)
            yield Arena("synthetic, first rows", rows, near, skipped=skipped).table(SMALL, rounds)
