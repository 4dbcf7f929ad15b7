"""``fastcal revalidate``."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Annotated

import numpy as np

from fastcal.cli._gates import verdict
from fastcal.cli._labels import scores_of
from fastcal.cli._located import located
from fastcal.cli._options import DROP, AsJson, By, Depth, OptionalQrels, Out, ProfilePath, RunArgument, Seen, one_of
from fastcal.cli._output import show, table, to_json, write_text
from fastcal.cli._reading import Columns, Judging, pairs_of, pool
from fastcal.cli._spread import spread
from fastcal.cli._tables import interval
from fastcal.cli._use import check_depth, check_direction, classes_of, names_of, unseen_lists
from fastcal.errors import InvalidValueError, ProfileWarning
from fastcal.profile import Profile, RevalidationReport

if TYPE_CHECKING:
    from rich.console import Console

_WORSE = {"keep": 0, "refit": 1, "stop": 2}


@spread
def revalidate(
    run: RunArgument,
    qrels: OptionalQrels = None,
    *,
    profile: ProfilePath,
    fail_on: Annotated[str, one_of("--fail-on", "The mildest verdict that is exit code 1.", "refit", "stop")] = "stop",
    seen: Seen = DROP,
    top_k: Depth = None,
    by: By = None,
    columns: Columns,
    judging: Judging,
    out: Out = None,
    as_json: AsJson = False,
) -> int:
    """Hold a profile against new lists: keep it, fit it again, or stop using it, and why.

    With QRELS probabilities and promised thresholds are tested; without, only whether the scores have drifted. Queries that the profile
    was fitted on are left out. Exit code 1 and a line on stderr on "stop", with --fail-on refit on "refit" too.

    Examples:
    fastcal revalidate run.trec --profile profile.json
    fastcal revalidate run.trec qrels.trec --profile profile.json --json
    fastcal revalidate run2.trec --profile norm.json  # exit 1
    """
    used = Profile.load(profile)
    if qrels is None:
        if judging != Judging():
            raise InvalidValueError("options about labels go with QRELS, which is missing")
        columns.judge([run], by=by)
        lists, labels = unseen_lists(used, pool(run, columns, top_k=top_k), seen), None
    else:
        judged, _ = pairs_of(run, qrels, columns, judging, top_k=top_k, by=by, profile=used, seen=seen)
        lists, labels = judged.run, judged.labels.labels
    check_depth(used, lists)
    check_direction(used, lists)
    classes = classes_of(used, by, lists, columns.query_column)
    names, rows = names_of(lists), np.repeat(np.arange(lists.n_queries), lists.counts())
    with located(lists, run, columns), warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* queries are among those the profile was fitted on", ProfileWarning)  # told already
        found = used.revalidate(scores_of(lists, used.norm)[0], labels, query_ids=names[rows], by=None if classes is None else classes[rows])
    told = {"profile": profile, **found.to_dict()}
    if out not in {None, "-"}:
        write_text(to_json(told), out)
    show(told, lambda console: _people(console, found), as_json=as_json or out == "-")
    return verdict([f"{found.verdict}: {found.reasons[0]}"] if _WORSE[found.verdict] >= _WORSE[fail_on] else [])


def _people(console: Console, found: RevalidationReport) -> None:
    console.print(str(found))
    if found.thresholds:
        rows = [
            (f"{cut.space} {cut.value:.4g}", cut.kind, cut.promised, cut.achieved, interval(cut.interval), cut.n_selected) for cut in found.thresholds
        ]
        console.print(table(("threshold", "promises", "", "achieved", "interval", "pairs selected"), rows))
