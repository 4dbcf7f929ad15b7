"""Scores of relevant and irrelevant pairs, one histogram over the other."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import flag, float32_number, instance
from fastcal.display._axes import GREY, INK, LOOKS, Display, counted, gridded, legend, titled
from fastcal.metrics.separation import Separation, separation


class SeparationDisplay(Display):
    """The two score histograms, each summing to 1, their common area, and the verdict.

    Parameters
    ----------
    separation : Separation
        Of :func:`fastcal.metrics.separation`.
    name : str, optional
        In the title.

    Attributes
    ----------
    relevant_, irrelevant_ : matplotlib.patches.StepPatch
    overlap_ : matplotlib.patches.StepPatch
        The smaller of the two in each bin; its heights sum to ``separation.overlap``.
    threshold_ : matplotlib.lines.Line2D or None
    ax_, figure_ : matplotlib Axes and Figure

    Examples
    --------
    >>> import fastcal as fc
    >>> display = fc.SeparationDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    >>> display.relevant_.get_data().values.tolist()
    [0.5, 0.5]
    """

    relevant_: Any
    irrelevant_: Any
    overlap_: Any
    threshold_: Any

    def __init__(self, separation: Separation, *, name: str | None = None) -> None:
        instance(separation, "separation", Separation)
        self.separation, self.name = separation, name

    @classmethod
    def from_predictions(
        cls,
        labels: npt.ArrayLike,
        scores: npt.ArrayLike,
        *,
        higher_is_better: bool = True,
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        name: str | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> Self:
        """Measure as :func:`fastcal.metrics.separation` does, and plot; `plot_options` are those of :meth:`plot`."""
        return cls(separation(labels, scores, higher_is_better, sample_weight, groups=groups), name=name).plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, name: str | None = None, threshold: float | None = None, verdict: bool = True, **stairs_options: Any) -> Self:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        name : str, optional
            Instead of the one given to the constructor.
        threshold : float, optional
            Drawn as a vertical line.
        verdict : bool, default True
            Write the verdict and its note over the axes, and the numbers behind them.
        **stairs_options
            Of :meth:`matplotlib.axes.Axes.stairs`, for both histograms.

        Returns
        -------
        SeparationDisplay
            The object itself.
        """
        flag(verdict, "verdict")
        cut = None if threshold is None else float(float32_number(threshold, "threshold"))
        ax, found = self._begin(ax, 6.4, 4.4), self.separation
        gridded(ax)
        self.irrelevant_ = _group(ax, found.irrelevant_share, found, ("irrelevant", found.n - found.n_relevant), 1, stairs_options)
        self.relevant_ = _group(ax, found.relevant_share, found, ("relevant", found.n_relevant), 0, stairs_options)
        common = np.minimum(found.relevant_share, found.irrelevant_share)
        self.overlap_ = ax.stairs(common, found.edges, fill=True, color=GREY, alpha=0.45, linewidth=0, label=f"overlap {found.overlap:.2f}")
        self.threshold_ = None if cut is None else ax.axvline(cut, color=INK, linestyle="--", linewidth=1.4, label=f"threshold {cut:.4g}")
        ax.set(xlabel="score", ylabel="share of each group")
        ax.set_ylim(bottom=0)
        legend(ax)
        lines = [self.name if name is None else name, _said(found) if verdict else None]
        titled(ax, "\n".join(line for line in lines if line is not None) or None)
        return self


def _group(ax: Any, shares: Any, found: Separation, group: tuple[str, int], look: int, stairs_options: dict[str, Any]) -> Any:
    style = {"color": LOOKS[look].color, "linestyle": LOOKS[look].linestyle, "linewidth": 1.8, **stairs_options}
    return ax.stairs(shares, found.edges, label=f"{group[0]}, {counted(group[1])}", **style)


def _said(found: Separation) -> str:
    numbers = f"AUROC {found.auroc:.3f}, best balance {found.best_balance:.2f}, base rate {found.prevalence:.2f}"
    return "\n".join(line for line in (numbers, found.verdict, found.note) if line)
