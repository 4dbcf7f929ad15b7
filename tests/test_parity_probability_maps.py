"""The maps of beta calibration, step curves and Venn-Abers tables on every backend."""

from __future__ import annotations

import math

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from parity import THREADS, blank, call, check
from strategies import labelled, seeds, sizes

FLOATS = [np.float32, np.float64]
EDGES = np.array([0.0, -0.0, 1e-320, 1e-40, 1e-8, 2**-25, 0.5, 0.7071, 1 - 2**-25, 1.0, 1.000001, 3.0, -1.0, -0.5, np.inf, -np.inf, np.nan])
PROB, COSINE = (0.0, 1.0), (0.5, 0.5)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("chance", [PROB, COSINE])
def test_beta_predict_at_the_edges(backend, dtype, chance):
    for coefficients in [(1.0, 1.0, 0.0), (2.0, 0.0, -1.0), (0.0, 0.5, 3.0), (0.0, 0.0, 0.3), (90.0, 1e300, -4.0), (-1.0, -1.0, 0.0)]:
        check(backend, "beta_predict", (EDGES.astype(dtype), *chance, *coefficients), [blank(len(EDGES), dtype=dtype)])


@given(seed=seeds, size=sizes, dtype=st.sampled_from(FLOATS), chance=st.sampled_from([PROB, COSINE]))
def test_beta_predict(backend, seed, size, dtype, chance):
    rng = np.random.default_rng(seed)
    scores = rng.uniform(0, 1, size) if chance is PROB else rng.uniform(-1, 1, size)
    a, b, c = (3.0 * rng.standard_normal(3)).tolist()
    check(backend, "beta_predict", (scores.astype(dtype), *chance, a, b, c), [blank(size, dtype=dtype)])


def test_beta_map_is_as_accurate_as_promised(backend):
    """docs/numerics.md: 4e-15 + 1e-15 (|a ln u| + |b ln v| + |c|), relative to p and to 1 - p."""
    p = np.concatenate([np.linspace(1e-6, 1 - 1e-6, 3001), np.geomspace(1e-7, 1e-3, 500)])
    for a, b, c in [(1.0, 1.0, 0.0), (0.5, 2.0, -0.7), (7.0, 3.0, 2.0)]:
        _, (got,) = call(backend, "beta_predict", (p, *PROB, a, b, c), [blank(p.size, dtype=np.float64)])
        for x, q in zip(p.tolist(), got.tolist(), strict=True):
            terms = a * math.log(x), b * math.log1p(-x)
            t = terms[0] - terms[1] + c
            truth = 1.0 / (1.0 + math.exp(-t)) if t > 0 else math.exp(t) / (1.0 + math.exp(t))
            bound = 4e-15 + 1e-15 * (abs(terms[0]) + abs(terms[1]) + abs(c))
            assert abs(q - truth) <= bound * truth


@given(seed=seeds, count=st.sampled_from([0, 1, 2, 3, 7, 64, 100]), dtype=st.sampled_from(FLOATS))
def test_step_predict(backend, seed, count, dtype):
    rng = np.random.default_rng(seed)
    knots = np.unique(rng.standard_normal(count).astype(dtype)).astype(np.float64)
    values = rng.random(2 * len(knots) + 1)
    at = knots.astype(dtype)
    scores = np.concatenate([at, np.nextafter(at, dtype(np.inf)), np.nextafter(at, dtype(-np.inf)), rng.standard_normal(20), [0.0, -0.0]]).astype(
        dtype
    )
    scores = np.concatenate([scores, np.array([np.nan, np.inf, -np.inf], dtype=dtype)])
    check(backend, "step_predict", (scores, knots, values), [blank(len(scores), dtype=dtype)])
    if count:  # so many that a table pays off; values that hold at a knot alone, and knots that change nothing
        values[1::4] = values[:-2:4]
        many = np.tile(scores, 8 * len(knots) // len(scores) + 256 // len(scores) + 2)
        _, (wanted,) = call(reference, "step_predict", (scores, knots, values), [blank(len(scores), dtype=dtype)])
        _, (got,) = call(backend, "step_predict", (many, knots, values), [blank(len(many), dtype=dtype)])
        np.testing.assert_array_equal(got.reshape(-1, len(scores)), np.broadcast_to(wanted, (len(many) // len(scores), len(scores))))


def test_maps_on_every_thread_count(backend):
    scores = np.random.default_rng(4).random(300_000).astype(np.float32)
    scores.flags.writeable = False
    knots = np.linspace(0.1, 0.9, 50)
    for op, parameters in (("beta_predict", (*PROB, 0.7, 1.2, 0.1)), ("step_predict", (knots, np.arange(101.0)))):
        outs = [call(backend, op, (scores, *parameters), [blank(scores.size)], threads)[1][0] for threads in THREADS]
        assert all(out.tobytes() == outs[0].tobytes() for out in outs[1:])


def venn_abers_outs(n):
    return [blank(n, dtype=np.float64), blank(2 * n + 1, dtype=np.float64), blank(2 * n + 1, dtype=np.float64)]


@given(case=labelled(), dyadic=st.booleans())
def test_venn_abers_fit(backend, case, dyadic):
    """Bits where weights add exactly; 1e-12 otherwise, where knots may differ in what rounding tells apart."""
    scores, labels, weights = (part[:65] for part in case)
    weights[0] = 1.0
    if dyadic:
        weights = np.where(weights == 0.1, 0.25, weights)
    expected, wanted = call(reference, "venn_abers_fit", (scores, labels, weights), venn_abers_outs(len(scores)))
    count, got = call(backend, "venn_abers_fit", (scores, labels, weights), venn_abers_outs(len(scores)))
    if dyadic:
        assert count == expected
        for size, a, b in zip((count, 2 * count + 1, 2 * count + 1), got, wanted, strict=True):
            assert a[:size].tobytes() == b[:size].tobytes()
    asked = np.concatenate([scores, np.nextafter(scores, np.inf), np.nextafter(scores, -np.inf)])
    for mine, theirs in zip(got[1:], wanted[1:], strict=True):
        assert (np.diff(mine[: 2 * count + 1]) >= 0.0).all()
        a, b = (
            call(reference, "step_predict", (asked, k[:n], v[: 2 * n + 1]), [blank(asked.size, dtype=np.float64)])[1][0]
            for k, n, v in ((got[0], count, mine), (wanted[0], expected, theirs))
        )
        np.testing.assert_allclose(a, b, atol=1e-12)
