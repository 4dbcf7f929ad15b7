"""Seven ways to trust a wrong number, measured on the real collections: the tables of docs/traps.md.

``python -m bench.traps [--into docs/traps.md]``; reads FASTCAL_DATA and needs scikit-learn for trap c; takes some minutes.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np

import fastcal as fc
from bench.pages import collections, publish, table
from bench.real_pairs import balanced, collection, ece, lists, natural

SURE, LABELS, SEEDS = 0.8, 300, 20
COMPLETE = ("cranfield", "cacm", "stackfaq", "banking77")


def spread(values, digits=2):
    """Median over the seeds and the range of the middle nine tenths; seeds without a value are counted."""
    there = [value for value in values if not np.isnan(value)]
    if not there:
        return "-"
    low, middle, high = np.quantile(there, [0.05, 0.5, 0.95])
    some = f"; {len(there)} of {len(values)}" if len(there) < len(values) else ""
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f}{some})"


def middle(values, digits=2):
    return f"{np.median(values):.{digits}f}"


def acted(sample, p):
    """At p >= .8: mean p, share relevant, pairs; and the calibration error of all pairs."""
    sure = p >= SURE
    error = ece(sample.labels, p)
    if not sure.any():
        return np.nan, np.nan, 0, error
    return float(p[sure].mean()), float(sample.labels[sure].mean()), int(sure.sum()), error


# -- a -----------------------------------------------------------------------------------------------------------
def prior_shift():
    """Fitted on as many relevant as irrelevant pairs, used on the lists as they are."""
    rows = []
    for name in COMPLETE:
        found = defaultdict(list)
        for seed in range(SEEDS):
            fit, new = lists(name, "MiniLM").halves(seed)
            cal = fc.PlattCalibrator().fit(*balanced(fit, LABELS // 2, seed))
            found["as fitted"].append(acted(new, cal.predict(new.scores)))
            cal.adjust_prior(fit.share())
            found["prior of the lists"].append(acted(new, cal.predict(new.scores)))
        for label, numbers in found.items():
            claimed, achieved, pairs, error = np.array(numbers).T
            rows.append([name, label, spread(claimed), spread(achieved), middle(pairs, 0), spread(error, 3)])
    return table(["collection", "calibrator", "claimed at P >= .8", "achieved", "pairs", "ECE"], rows)


# -- b -----------------------------------------------------------------------------------------------------------
def truncation():
    """Fitted on the best hundred and used on the best ten, and the reverse."""
    depths, rows = ((100, 100), (10, 10), (100, 10), (10, 100)), []
    for name in COMPLETE:
        found = {pair: [] for pair in depths}
        for seed in range(SEEDS):
            fit, new = lists(name, "MiniLM").halves(seed)
            for (a, b), errors in found.items():
                cal = fc.PlattCalibrator().fit(fit.top(a).scores, fit.top(a).labels)
                errors.append(ece(new.top(b).labels, cal.predict(new.top(b).scores)))
        share = [f"{lists(name, 'MiniLM').top(depth).share():.3f}" for depth in (100, 10)]
        rows.append([name, *share, *(spread(found[pair], 3) for pair in depths)])
    heads = [f"ECE, {a} on {b}" for a, b in depths]
    return table(["collection", "relevant in top 100", "in top 10", *heads], rows)


# -- c -----------------------------------------------------------------------------------------------------------
def shrunk():
    """The penalty of LogisticRegression on scores with a small scale, beside Platt on the same labels."""
    from sklearn.linear_model import LogisticRegression

    rows = []
    for name in COMPLETE:
        for label, draw, size in (("150 + 150", balanced, LABELS // 2), ("300 as they come", natural, LABELS), ("half of the lists", natural, None)):
            numbers = []
            for seed in range(SEEDS):
                fit, new = lists(name, "MiniLM").halves(seed)
                x, y = draw(fit, size, seed)
                penalised, free = LogisticRegression().fit(x[:, None], y), fc.PlattCalibrator().fit(x, y)
                q = penalised.predict_proba(new.scores.reshape(-1, 1))[:, 1].reshape(new.scores.shape)
                numbers.append([penalised.coef_[0, 0], -free.a_, *reach(q), *reach(free.predict(new.scores))])
            slope, free_slope, top, share, free_top, free_share = np.array(numbers).T
            pair = [(slope, free_slope), (top, free_top), (share, free_share)]
            rows.append([name, label, *(f"{middle(a)} / {middle(b)}" for a, b in pair)])
    return table(["collection", "labels", "slope: C=1 / Platt", "highest P", "queries with some P >= .8"], rows)


def reach(p):
    """The highest probability, and the share of queries with one of .8."""
    return float(p.max()), float((p >= SURE).any(axis=1).mean())


# -- d -----------------------------------------------------------------------------------------------------------
CUTS = {"cranfield": 0.6, "cacm": 0.5, "stackfaq": 0.5, "banking77": 0.6}


def coverage():
    """How often a 95 % interval from 40 drawn groups of queries holds the precision of all of them."""
    rows = []
    for name in COMPLETE:
        sample, cut = lists(name, "MiniLM"), CUTS[name]
        truth = fc.metrics.precision_recall_at(sample.labels, sample.scores, cut).precision
        rng, found = np.random.default_rng(0), defaultdict(list)
        for _ in range(300):
            rows_of, topic = sample.drawn(40, rng)
            drawn = sample[rows_of]
            for label, groups in (("pair", None), ("query", np.arange(len(topic))), ("topic", topic)):
                low, high = fc.metrics.precision_recall_at(drawn.labels, drawn.scores, cut, groups=groups).precision_interval
                found[label].append((low <= truth <= high, high - low))
        cells = [f"{np.mean(held):.0%}, width {np.mean(width):.2f}" for held, width in (np.array(found[key]).T for key in ("pair", "query", "topic"))]
        topics = f"{len(sample.groups):,} queries, {len(np.unique(sample.groups)):,} topics"
        rows.append([name, topics, f"{truth:.2f} at {cut}", *cells])
    return table(["collection", "of", "precision", "by pair", "by query", "by topic"], rows)


def leaking():
    """Isotonic on half of the pairs of 15 topics: the other half of those pairs beside pairs of other topics."""
    rows = []
    for name in COMPLETE:
        numbers = []
        for seed in range(100):
            seen, new = lists(name, "MiniLM").some(15, seed)
            x, y, _ = seen.pairs()
            half = np.random.default_rng(seed).random(len(x)) < 0.5
            cal = fc.IsotonicCalibrator().fit(x[half], y[half])
            numbers.append([ece(y[~half], cal.predict(x[~half])), ece(new.labels, cal.predict(new.scores))])
        by_pair, by_topic = np.array(numbers).T
        rows.append([name, spread(by_pair, 3), spread(by_topic, 3)])
    return table(["collection", "ECE on the other pairs of the same queries", "on other topics"], rows)


# -- e -----------------------------------------------------------------------------------------------------------
def sparse():
    """Precision at a cut, and mean P there, if a share of the relevant documents was never judged."""
    rows = []
    for name in COMPLETE:
        for kept in (1.0, 0.5, 0.2):
            numbers = []
            for seed in range(SEEDS):
                fit, new = lists(name, "MiniLM").halves(seed)
                rng = np.random.default_rng(seed)
                judged = [part.labels * (rng.random(part.labels.shape) < kept) for part in (fit, new)]
                p = fc.PlattCalibrator().fit(fit.scores, judged[0]).predict(new.scores)
                sure = new.scores >= CUTS[name]
                numbers.append([judged[1][sure].mean(), new.labels[sure].mean(), p[sure].mean(), ece(judged[1], p), ece(new.labels, p)])
            seen, true, claimed, seen_error, true_error = np.array(numbers).T
            rows.append(
                [f"{name}, cosine >= {CUTS[name]}", f"{kept:.0%}", *map(middle, (seen, claimed, true)), middle(seen_error, 3), middle(true_error, 3)]
            )
    return table(["pairs", "relevant judged", "precision as judged", "mean P", "true precision", "ECE as judged", "true ECE"], rows)


def source():
    """Cranfield without judgements of each question's source paper: unjudged as irrelevant, and asked for."""
    run, full = collection("cranfield").runs["MiniLM"], collection("cranfield").qrels
    without = source_papers_dropped(full)
    truth = fc.Qrels.from_dict(full).labels_of(run).labels
    rows = []
    for cut in (0.6, 0.7, 0.8):
        top = fc.Run.from_dict({query: {doc: s for doc, s in docs.items() if s >= cut} for query, docs in run.to_dict().items()})
        oracle = fc.Qrels.from_dict(full).labels_of(top).labels
        silent = fc.Qrels.from_dict(without).labels_of(top, unjudged="irrelevant")
        asked = fc.Qrels.from_dict(without).labels_of(top, unjudged="ask", labeler=lambda at, oracle=oracle: oracle[at])
        assert asked.labels.mean() == truth[run.scores >= cut].mean()
        rows.append([f"cosine >= {cut}", len(silent), silent.n_unjudged, f"{silent.labels.mean():.2f}", f"{asked.labels.mean():.2f}", asked.n_asked])
    return table(["pairs of cranfield", "n", "unjudged", 'precision, unjudged="irrelevant"', 'unjudged="ask"', "asked"], rows)


def source_papers_dropped(full):
    """Judgements without those that `qrels_nosource.tsv` turns to 0."""
    lines = (collections() / "cranfield" / "qrels_nosource.tsv").read_text(encoding="utf-8").split("\n")[1:]
    zero = {(query, doc) for query, doc, grade in (line.split("\t") for line in lines if line) if grade == "0"}
    return {query: {doc: grade for doc, grade in docs.items() if (query, doc) not in zero} for query, docs in full.items()}


# -- f -----------------------------------------------------------------------------------------------------------
def noisy():
    """Labels flipped at known rates, with and without telling the calibrator."""
    rows = []
    for name in COMPLETE:
        for rates in ((0.0, 0.2), (0.05, 0.0), (0.05, 0.2)):
            numbers = []
            for seed in range(SEEDS):
                fit, new = lists(name, "MiniLM").halves(seed)
                flip = np.random.default_rng(seed).random(fit.labels.shape) < np.where(fit.labels == 1, rates[1], rates[0])
                told, untold = (
                    fc.PlattCalibrator().fit(fit.scores, fit.labels ^ flip, **known).predict(new.scores) for known in ({"label_noise": rates}, {})
                )
                clean = fc.PlattCalibrator().fit(fit.scores, fit.labels).predict(new.scores)
                numbers.append([f(new.labels, p) for f in (ece, fc.metrics.brier_skill) for p in (untold, told, clean)])
            columns = np.array(numbers).T
            rows.append([name, f"{rates[0]:.0%} / {rates[1]:.0%}", *(middle(c, 3) for c in columns)])
    heads = [f"{metric}, {fit}" for metric in ("ECE", "Brier skill") for fit in ("untold", "told", "clean labels")]
    return table(["collection", "false positives / negatives", *heads], rows)


# -- g -----------------------------------------------------------------------------------------------------------
def in_sample():
    """300 labels: measured on themselves, and on lists of other topics."""
    rows = []
    for name in COMPLETE:
        for label, make in (("Platt", fc.PlattCalibrator), ("isotonic", fc.IsotonicCalibrator), ("histogram", fc.HistogramCalibrator)):
            numbers = []
            for seed in range(SEEDS):
                fit, new = lists(name, "MiniLM").halves(seed)
                x, y = natural(fit, LABELS, seed)
                cal = make().fit(x, y)
                pairs = ((y, cal.predict(x)), (new.labels, cal.predict(new.scores)))
                numbers.append([f(*given) for f in (ece, fc.metrics.brier_skill, fc.metrics.log_loss) for given in pairs])
            columns = np.array(numbers).T
            rows.append([name, label, *(f"{middle(a, 3)} / {middle(b, 3)}" for a, b in zip(columns[::2], columns[1::2], strict=True))])
    return table(["collection", "calibrator", "ECE: same pairs / new topics", "Brier skill", "log loss"], rows)


def winner():
    """The threshold that reaches precision .8 on 300 labels, on those labels and on lists of other topics."""
    rows = []
    for name in COMPLETE:
        numbers = []
        for seed in range(100):
            fit, new = lists(name, "MiniLM").halves(seed)
            numbers.append(promised(*natural(fit, LABELS, seed), new))
        there = np.array([found for found in numbers if found is not None])
        claimed, achieved = there.T
        rows.append([name, len(there), spread(claimed), spread(achieved), f"{np.mean(achieved >= SURE):.0%}"])
    return table(["collection", "draws with a threshold, of 100", "precision on the 300", "on new topics", "kept the promise"], rows)


def promised(x, y, new):
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", fc.SmallSampleWarning)
        point = fc.choose_threshold(x, y, SURE)
    return None if point is None else (point.precision, fc.metrics.precision_recall_at(new.labels, new.scores, point.threshold).precision)


TABLES = {
    "prior": prior_shift,
    "depth": truncation,
    "penalty": shrunk,
    "coverage": coverage,
    "leak": leaking,
    "sparse": sparse,
    "source": source,
    "noise": noisy,
    "in-sample": in_sample,
    "winner": winner,
}

if __name__ == "__main__":
    publish("bench.traps", __doc__, TABLES)
