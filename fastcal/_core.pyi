"""Types of the compiled extension; the contract stands in fastcal/_backend/protocol.py."""

from collections.abc import Callable

from fastcal._backend._protocol_runs import TrecKind
from fastcal._backend.protocol import (
    AffineKind,
    AffineRule,
    Array,
    FuseCombine,
    FuseDuplicates,
    FuseMissing,
    FuseTies,
    FuseValue,
    Metric,
    Precision,
    Ties,
)

__version__: str
compiler: str

def compiled_isas() -> list[str]: ...
def supported_isas() -> list[str]: ...

class Sketch:
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    @property
    def nbytes(self) -> int: ...
    def parts(self) -> dict[str, Array]: ...

class Guard:
    def __init__(self, *args: object, **kwargs: object) -> None: ...

class FoundRange:
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    @property
    def bad(self) -> int: ...
    @property
    def found(self) -> int: ...
    def write(self, out_offsets: Array, out_scores: Array, out_ids: Array) -> None: ...

class TrecReader:
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    @property
    def lines(self) -> int: ...
    @property
    def stretches(self) -> int: ...
    @property
    def queries(self) -> int: ...
    @property
    def documents(self) -> int: ...
    @property
    def malformed(self) -> bytes: ...
    def feed(self, text: Array, *, num_threads: int) -> bool: ...
    def finish(self, *, num_threads: int) -> bool: ...
    def write(
        self,
        out_ids: Array,
        out_values: Array,
        out_stretch_query: Array,
        out_stretch_start: Array,
        out_queries: Array,
        out_documents: Array,
        *,
        num_threads: int,
    ) -> None: ...

class TrecWriter:
    def __init__(self, *args: object, **kwargs: object) -> None: ...
    def lines(self, ids: Array, scores: Array, offsets: Array, begin: int, end: int, *, num_threads: int) -> bytes: ...

class Engine:
    def __init__(self, isa: str | None = None) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def isa(self) -> str: ...
    def round_to_float32(self, values: Array, out: Array, *, num_threads: int) -> int: ...
    def row_norms(self, corpus: Array, out: Array, *, num_threads: int) -> int: ...
    def scores(
        self, queries: Array, corpus: Array, row_norms: Array | None, metric: Metric, precision: Precision, out: Array, *, num_threads: int
    ) -> int: ...
    def topk(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        ids: Array | None,
        out_scores: Array,
        out_ids: Array,
        num_threads: int,
        sketch: Sketch | None = None,
        thresholds: Array | None = None,
        allow: Array | None = None,
    ) -> int: ...
    def range_search(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        ids: Array | None,
        thresholds: Array,
        limit: int,
        *,
        num_threads: int,
        sketch: Sketch | None = None,
        allow: Array | None = None,
    ) -> FoundRange: ...
    def sketch(
        self,
        corpus: Array,
        metric: Metric,
        out_norms: Array,
        *,
        num_threads: int,
        progress: Callable[[int, int], object] | None = None,
        out_digests: Array | None = None,
    ) -> tuple[Sketch, int]: ...
    def digests(self, rows: Array, out: Array, *, num_threads: int) -> None: ...
    def guard(self, data: Array, chunk: int, table: Array, name: bytes, origin: int) -> Guard: ...
    def open_sketch(
        self, n_rows: int, metric: Metric, sketch4: Array, sketch7: Array, centre: Array, direction: Array, guard: Guard | None
    ) -> Sketch: ...
    def histogram(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        edges: Array,
        out_counts: Array,
        *,
        num_threads: int,
        sketch: Sketch | None = None,
    ) -> int: ...
    def sample_bands(
        self,
        queries: Array,
        corpus: Array,
        row_norms: Array | None,
        metric: Metric,
        edges: Array,
        seed: int,
        first_row: int,
        out_counts: Array,
        out_rows: Array,
        out_scores: Array,
        out_priorities: Array,
        *,
        num_threads: int,
        sketch: Sketch | None = None,
    ) -> int: ...
    def rescore(self, queries: Array, corpus: Array, ids: Array, metric: Metric, out: Array, *, num_threads: int) -> int: ...
    def affine_lists(
        self,
        scores: Array,
        offsets: Array,
        kind: AffineKind,
        higher_is_better: bool,
        ddof: int,
        n_sigma: float,
        eps: float,
        tolerance: float,
        on_constant: float,
        on_single: float,
        given: Array | None,
        out: Array,
        *,
        num_threads: int,
    ) -> int: ...
    def rank_lists(
        self, scores: Array, offsets: Array, higher_is_better: bool, ties: Ties, pool: Array | None, out: Array, *, num_threads: int
    ) -> int: ...
    def order_lists(self, scores: Array, offsets: Array, out: Array, *, num_threads: int) -> None: ...
    def number_rows(self, values: Array, offsets: Array | None, out_codes: Array, out_firsts: Array) -> int: ...
    def top_rows(
        self,
        codes: Array,
        groups: int,
        on: Array,
        scores: Array,
        higher_is_better: bool,
        keep: Array | None,
        doc_values: Array,
        doc_offsets: Array | None,
        most: int,
        out: Array,
        *,
        num_threads: int,
    ) -> int: ...
    def sift_rows(
        self,
        codes: Array,
        on: Array,
        scores: Array,
        higher_is_better: bool,
        places: Array,
        keep: Array,
        depth: int,
        bars: Array,
        keys: Array,
        sizes: Array,
    ) -> int: ...
    def exact_moments(
        self, codes: Array, scores: Array, out_counts: Array, out_least: Array, out_greatest: Array, out_sums: Array | None, out_squares: Array | None
    ) -> int: ...
    def fuse(
        self,
        ids: list[Array],
        scores: list[Array | None],
        offsets: list[Array],
        norms: list[AffineRule | None] | None,
        weights: Array,
        factors: Array,
        value: FuseValue,
        combine: FuseCombine,
        parameter: float,
        base: float,
        stretch: bool,
        missing: FuseMissing,
        fill: float,
        duplicates: FuseDuplicates,
        ties: FuseTies,
        top_k: int,
        out_offsets: Array,
        out_ids: Array,
        out_scores: Array,
        out_entries: Array | None,
        out_terms: Array | None,
        num_threads: int,
    ) -> int: ...
    def log_evidence(self, labels: Array, population: int, null_hits: int, start: int, out: Array) -> None: ...
    def log_evidence_iid(self, labels: Array, null_rate: float, shape: float, start: int, out: Array) -> None: ...
    def log_tail_sums(self, hits: Array, bad: Array, good: Array, misses: Array, out: Array) -> None: ...
    def platt_fit(self, scores: Array, targets: Array, weights: Array) -> tuple[float, float]: ...
    def platt_predict(self, scores: Array, a: float, b: float, out: Array, *, num_threads: int) -> None: ...
    def isotonic_fit(self, scores: Array, labels: Array, weights: Array, out_x: Array, out_y: Array) -> int: ...
    def isotonic_fit_labels(self, scores: Array, labels: Array, out_x: Array, out_y: Array, *, num_threads: int) -> int: ...
    def isotonic_predict(self, scores: Array, knots_x: Array, knots_y: Array, out: Array, *, num_threads: int) -> None: ...
    def beta_predict(self, scores: Array, offset: float, slope: float, a: float, b: float, c: float, out: Array, *, num_threads: int) -> None: ...
    def venn_abers_fit(self, scores: Array, labels: Array, weights: Array, out_knots: Array, out_p0: Array, out_p1: Array) -> int: ...
    def step_predict(self, scores: Array, knots: Array, values: Array, out: Array, *, num_threads: int) -> None: ...
    def threshold_sweep(
        self,
        scores: Array,
        labels: Array,
        weights: Array | None,
        out_threshold: Array,
        out_selected: Array,
        out_weight: Array,
        out_positive: Array,
        *,
        num_threads: int,
    ) -> int: ...
    def threshold_rates(
        self,
        scores: Array,
        labels: Array,
        out_threshold: Array,
        out_selected: Array,
        out_precision: Array,
        out_recall: Array,
        out_f1: Array,
        *,
        num_threads: int,
    ) -> int: ...
    def trec_reader(self, kind: TrecKind) -> TrecReader: ...
    def trec_writer(self, queries: bytes, documents: bytes | None, tag: bytes) -> TrecWriter: ...
    def list_faults(self, ids: Array, scores: Array | None, offsets: Array, *, higher_is_better: bool) -> int: ...
    def sort_lists(
        self, ids: Array, scores: Array, offsets: Array, out_ids: Array, out_scores: Array, *, higher_is_better: bool, num_threads: int
    ) -> None: ...
