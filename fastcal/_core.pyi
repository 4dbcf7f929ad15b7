"""Types of the compiled extension; the contract stands in fastcal/_backend/protocol.py."""

from collections.abc import Callable

from fastcal._backend.protocol import Array, FuseCombine, FuseDuplicates, FuseMissing, FuseTies, FuseValue, Metric, Precision

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
    def minmax(self, scores: Array, offsets: Array, on_constant: float, out: Array, *, num_threads: int) -> int: ...
    def zscore(self, scores: Array, offsets: Array, ddof: int, out: Array, *, num_threads: int) -> int: ...
    def fuse(
        self,
        ids: list[Array],
        scores: list[Array | None],
        offsets: list[Array],
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
    def platt_fit(self, scores: Array, targets: Array, weights: Array) -> tuple[float, float]: ...
    def platt_predict(self, scores: Array, a: float, b: float, out: Array, *, num_threads: int) -> None: ...
    def isotonic_fit(self, scores: Array, labels: Array, weights: Array, out_x: Array, out_y: Array) -> int: ...
    def isotonic_predict(self, scores: Array, knots_x: Array, knots_y: Array, out: Array, *, num_threads: int) -> None: ...
    def threshold_sweep(
        self, scores: Array, labels: Array, weights: Array | None, out_threshold: Array, out_selected: Array, out_weight: Array, out_positive: Array
    ) -> int: ...
