"""Arguments of fuse that are refused, and what the messages say."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import seeds

import fastcal as fc

A = fc.Run([[1, 2], [3, 4]], [[0.9, 0.5], [0.25, 0.125]])
B = fc.Run([[2, 4], [1, 5]], [[0.75, 0.5], [1.0, 0.0]])


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        (("bogus",), {}, "'rrf', 'isr'.*'bogus'"),
        (([],), {}, r"'rrf', 'isr'.*\[\]"),
        (("sum", "bogus"), {}, "norm must be.*'bogus'"),
        (("sum", ["minmax"]), {}, "each of the 2 runs; got 1"),
        (("sum", ["minmax", "bogus"]), {}, "norm must be.*'bogus'"),
        (("rrf", "minmax"), {}, "'rrf' uses ranks only"),
        (("borda", "minmax"), {}, "'borda' uses ranks only"),
        (("sum", None), {"norm_options": {"ddof": 1}}, "need a norm"),
        (("sum", "minmax"), {"norm_options": {"bogus": 1}}, "'bogus'"),
        (("sum",), {"k": 60}, "'sum' takes no options, got 'k'"),
        (("rrf",), {"weihgts": 1}, "'rrf' takes 'k', got 'weihgts'"),
        (("rbc",), {"phi": 1.0}, "phi must be strictly between 0 and 1"),
        (("logn_isr",), {"sigma": 1.5}, "sigma must be from 0 to 1"),
        (("gmnz",), {"gamma": math.inf}, "gamma must be"),
        (("logodds",), {"prior": 0.0}, "prior must be"),
        (("logodds",), {"clip": 0.0}, "clip must be"),
        (("rrf",), {"missing": "zero"}, "'rrf' goes by rank.*'zero' would change nothing"),
        (("condorcet",), {"missing": 0.5}, "'condorcet' goes by rank"),
        (("sum",), {"missing": "bogus"}, "'zero', 'skip', 'min' or a number, got 'bogus'"),
        (("sum",), {"missing": math.nan}, "missing must be"),
        (("sum",), {"missing": 1e39}, "missing must be"),
        (("logodds",), {"missing": 1.5}, r"a probability in \[0, 1\]"),
        (("gmean",), {"missing": "zero"}, "'gmean' skips scores that are not positive"),
        (("hmean",), {"missing": -1.0}, "'hmean' skips scores that are not positive"),
        (("rrf",), {"duplicates": "bogus"}, "duplicates must be one of 'first'"),
        (("borda",), {"duplicates": "sum"}, "'borda' counts documents"),
        (("rrf",), {"ties": "bogus"}, "ties must be one of 'source'"),
        (("rrf",), {"weight_mode": "bogus"}, "weight_mode must be one of"),
        (("rrf",), {"weight_mode": "rank_stretch"}, "needs weights"),
        (("sum",), {"weight_mode": "rank_stretch", "weights": [1, 2]}, "'rrf', 'isr' and 'logn_isr'; got 'sum'"),
        (("max",), {"weights": [1, 2]}, "'max' takes no weights"),
        (("rrf",), {"weights": [[1, 1]] * 3}, r"shape \(2,\), one per run, or \(2, 2\).*got \(3, 2\)"),
        (("rrf",), {"weights": [[1, 1], [0, 0]]}, r"positive; got \[0.0, 0.0\]"),
        (("rrf",), {"weights": lambda _: [1, 2, 3]}, r"what weights\(query_ids\) returned must have shape"),
        (("rrf",), {"top_k": 0}, "top_k"),
    ],
)
def test_bad_values(arguments, options, error):
    with pytest.raises(fc.FastcalError, match=error) as raised:
        fc.fuse([A, B], *arguments, **options)
    assert isinstance(raised.value, ValueError)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("sum", {"missing": True}),
        ("sum", {"missing": [0.5]}),
        ("rbc", {"phi": "0.8"}),
        ("rrf", {"return_components": 1}),
        ("rrf", {"weights": lambda _: "ab"}),
        ("sum", {"norm": "minmax", "norm_options": [1, 1]}),
    ],
)
def test_bad_types(method, options):
    with pytest.raises(TypeError, match=[*options][-1]):
        fc.fuse([A, B], method, **options)


@pytest.mark.parametrize("norm", [None, "minmax", "zscore"])
@pytest.mark.parametrize("method", ["sum", "med", "gmean", "logodds"])
def test_bad_scores_are_found(backend, method, norm):
    wrong = fc.Run([[1, 2], [3, 4]], [[0.9, 0.5], [np.inf, 0.125]])
    with pytest.raises(ValueError, match=r"runs\[1\]: got inf in list 1 at position 0"):
        fc.fuse([A, wrong], method, norm)


def test_logodds_takes_probabilities(backend):
    with pytest.raises(ValueError, match=r"runs\[1\]: got -0.5 in list 1 at position 1; expected probabilities in \[0, 1\]"):
        fc.fuse([A, fc.Run([[1, 2], [3, 4]], [[0.9, 0.5], [0.5, -0.5]])], "logodds")
    with pytest.raises(ValueError, match="expected probabilities"):
        fc.fuse([A, B], "logodds", "zscore")


def test_a_norm_that_leaves_scores_undefined_is_refused(backend):
    with pytest.raises(ValueError, match=r"runs\[0\]: got nan in list 0 at position 0; expected finite scores"):
        fc.fuse([fc.Run([[1], [2]], [[1.0], [1.0]]), B], "sum", "minmax", norm_options={"on_constant": math.nan})


@given(st.data(), seeds)
def test_norms_inside_the_pass_give_the_bytes_of_two_passes(backend, data, seed):
    """Components make the engine take scores that were normalised before; a norm inside it must not change a bit."""
    rng = np.random.default_rng(seed)
    counts = [rng.choice([0, 1, 2, 30], 4) for _ in range(3)]
    values = [np.round(rng.standard_normal(n.sum()) * 4, data.draw(st.integers(0, 3))) for n in counts]
    runs = [
        fc.Run(rng.integers(0, 40, n.sum()), v, np.concatenate([[0], np.cumsum(n)]), higher_is_better=bool(rng.random() < 0.5))
        for n, v in zip(counts, values, strict=True)
    ]
    norm = data.draw(st.sampled_from(["minmax", "max", "sum", "l2", "zscore", "dbsf", ["minmax", "rank", "dbsf"]]))
    options = [{}, {"on_constant": 0.25}, {"on_constant": "keep", "on_single": 1.0}, {"eps": 1e-3}, {"tolerance": 0.5}, {"clip": (0, 1)}]
    chosen = data.draw(st.sampled_from(options if isinstance(norm, str) else options[:1]))
    fused = fc.fuse(runs, "mnz", norm, norm_options=chosen)
    apart, parts = fc.fuse(runs, "mnz", norm, norm_options=chosen, return_components=True)
    assert (fused.ids.tobytes(), fused.scores.tobytes()) == (apart.ids.tobytes(), apart.scores.tobytes())
    if isinstance(norm, str):
        for column, rank, run in zip(parts.normalised.T, parts.rank.T, runs, strict=True):
            mapped = fc.normalize(run.scores, norm, offsets=run.offsets, higher_is_better=run.higher_is_better, **chosen)
            listed = rank > 0
            queries = np.repeat(np.arange(4), apart.counts())[listed]
            assert column[listed].tobytes() == mapped[run.offsets[queries] + rank[listed] - 1].tobytes()


def test_norm_options_reach_the_norm(backend):
    constant = fc.Run([[1, 2]], [[3.0, 3.0]])
    assert fc.fuse([constant], "sum", "minmax", norm_options={"on_constant": 1.0}).scores.tolist() == [1.0, 1.0]
    assert fc.fuse([fc.Run([[1, 2]], [[1.0, 0.0]])], "sum", "zscore", norm_options={"ddof": 1}).scores == pytest.approx([0.5**0.5, -(0.5**0.5)])


@pytest.mark.parametrize("key", ["out", "higher_is_better", "num_threads", "offsets", "method", "scores", "nan", "ddof"])
def test_norm_options_reach_the_norm_alone(key):
    with pytest.raises(ValueError, match=rf"norm 'minmax' takes .*got '{key}'"):
        fc.fuse([A, B], "sum", "minmax", norm_options={key: 1})


def test_norm_options_for_each_run():
    norms, options = ["minmax", "zscore"], [{"bounds": (0, 1)}, {"ddof": 1}]
    fused = fc.fuse([A, B], "sum", norms, norm_options=options)
    apart = [fc.normalize(run.scores, norm, offsets=run.offsets, **given) for run, norm, given in zip((A, B), norms, options, strict=True)]
    by_hand = fc.fuse([fc.Run(run.ids, scores, run.offsets) for run, scores in zip((A, B), apart, strict=True)], "sum")
    assert fused.to_dict() == by_hand.to_dict()
    for bad, error in (([{}], ValueError), ([{}, 3], TypeError), ("ddof", TypeError)):
        with pytest.raises(error, match="norm_options"):
            fc.fuse([A, B], "sum", norms, norm_options=bad)


def test_arguments_that_are_zero_are_not_overlooked():
    for preset, options in (("haystack-dbsf", {"missing": 0.0}), ("ranx", {"norm": 0}), ("paper", {"missing": 0})):
        with pytest.raises(ValueError, match=f"preset '{preset}' has its own"):
            fc.fuse([A, B], preset=preset, **options)
    for call in ({"method": "sum", "norm": 5}, {"preset": "elasticsearch-linear", "norm": 5}):
        with pytest.raises(TypeError, match="norm must be None, a name"):
            fc.fuse([A, B], **call)


def test_weights_by_query_without_queries():
    nothing = fc.Run(np.empty((0, 3), np.int64))
    assert len(fc.rrf([nothing, nothing], weights=lambda queries: [[1, 2] for _ in queries])) == 0
