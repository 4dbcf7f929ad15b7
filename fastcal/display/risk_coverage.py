"""How often the accepted are wrong, over how many are accepted."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy.typing as npt

from fastcal._validate.numbers import flag, instance
from fastcal.display._axes import GREY, Display, filled, gridded, labelled, legend, next_look, spotted, thinned
from fastcal.metrics.risk_coverage import RiskCoverage, risk_coverage

KIND = "fastcal risk"


class RiskCoverageDisplay(Display):
    """Share of irrelevant ones among the accepted (risk) against the share that is accepted (coverage).

    Draw several on the same axes (``ax=first.ax_``) to compare them: the lower curve abstains where it should.

    Parameters
    ----------
    curve : RiskCoverage
        Of :func:`fastcal.metrics.risk_coverage`.
    name : str, optional
        In the legend.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        At every cut, or at 4,096 of them, dense at the strict end.
    band_ : matplotlib.collections.FillBetweenPolyCollection
        95 % intervals of the risk.
    ref_line_ : matplotlib.lines.Line2D or None
        The risk of accepting everything: what abstaining at random would give at any coverage.
    ax_, figure_ : matplotlib Axes and Figure

    Examples
    --------
    >>> import fastcal as fc
    >>> display = fc.RiskCoverageDisplay.from_predictions([1, 0, 0, 1], [0.9, 0.8, 0.7, 0.6])
    >>> display.line_.get_ydata().round(3).tolist()
    [0.0, 0.5, 0.667, 0.5]
    """

    line_: Any
    band_: Any
    ref_line_: Any

    def __init__(self, curve: RiskCoverage, *, name: str | None = None) -> None:
        instance(curve, "curve", RiskCoverage)
        self.curve, self.name = curve, name

    @classmethod
    def from_predictions(
        cls,
        labels: npt.ArrayLike,
        scores: npt.ArrayLike,
        *,
        per: Literal["pair", "query"] = "pair",
        groups: npt.ArrayLike | None = None,
        sample_weight: npt.ArrayLike | None = None,
        higher_is_better: bool = True,
        name: str | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> Self:
        """Measure as :func:`fastcal.metrics.risk_coverage` does, and plot.

        Intervals are by query if `groups` are given; with ``per="query"`` each query counts once. `plot_options` are
        those of :meth:`plot`.
        """
        curve = risk_coverage(labels, scores, per=per, groups=groups, sample_weight=sample_weight, higher_is_better=higher_is_better)
        return cls(curve, name=name).plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, name: str | None = None, ref_line: bool = True, **line_options: Any) -> Self:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        name : str, optional
            Instead of the one given to the constructor.
        ref_line : bool, default True
            The risk at full coverage, as a horizontal line.
        **line_options
            Of :meth:`matplotlib.axes.Axes.plot`, for ``line_``.

        Returns
        -------
        RiskCoverageDisplay
            The object itself.
        """
        flag(ref_line, "ref_line")
        ax = self._begin(ax, 6.0, 4.4)
        gridded(ax)
        look, kept, shown = next_look(ax, KIND), thinned(len(self.curve)), self.name if name is None else name
        count = f"{self.curve.n:,} pairs" if self.curve.per == "pair" else f"{self.curve.n_groups:,} queries"
        label = labelled(shown, f"AURC {self.curve.aurc:.3f}", f"n = {count}")
        options = {**spotted(look, len(kept)), "gid": KIND, "label": label, **line_options}
        (self.line_,) = ax.plot(self.curve.coverage[kept], self.curve.risk[kept], **options)
        limits = self.curve.risk_low[kept], self.curve.risk_high[kept]
        self.band_ = filled(ax, self.curve.coverage[kept], *limits, self.line_.get_color())
        self.ref_line_ = None
        if ref_line:
            self.ref_line_ = ax.axhline(self.curve.risk[-1], color=GREY, linestyle=":", linewidth=1.2)
        ax.set(xlim=(-0.02, 1.02), xlabel="coverage: share accepted", ylabel="risk: share of irrelevant among the accepted")
        ax.set_ylim(bottom=min(-0.01, ax.get_ylim()[0]))
        legend(ax)
        return self
