"""fastcal's own entries in a table: an index, the same index on forced avx2 kernels, and raw arrays without an index."""

from __future__ import annotations

from functools import partial

import fastcal as fc
from bench.search.timing import Contender
from fastcal import _backend

INDEX, AVX2, RAW = "fastcal Index", "fastcal Index, forced avx2", "fastcal topk, no index"


def thread_settings():
    return sorted({1, fc.cpu_info()["usable_cpus"]})


def with_index(index, k, name=INDEX, threads=None):
    return [Contender(name, "ours", lambda queries, n=n: index.search(queries, k, num_threads=n).ids, n) for n in (threads or thread_settings())]


def with_avx2(index, k):
    """Nothing where avx2 is not the weaker choice. Sketches are the same bytes on every instruction set."""
    if fc.backend().isa not in {"avx512", "avx512_vnni"}:
        return []
    context = partial(_backend.use, _backend.by_id("native:avx2"))
    return [Contender(AVX2, "ours", lambda queries, n=n: index.search(queries, k, num_threads=n).ids, n, context=context) for n in thread_settings()]


def without_index(corpus, k, metric="dot", name=RAW):
    return [Contender(name, "ours", lambda queries, n=n: fc.topk(queries, corpus, k, metric, num_threads=n).ids, n) for n in thread_settings()]
