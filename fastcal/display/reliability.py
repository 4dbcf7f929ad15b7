"""The reliability diagram."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from fastcal._validate.numbers import flag, instance, integer
from fastcal.display._axes import GREY, Display, Look, counted, counts_strip, filled, gridded, labelled, legend, next_look
from fastcal.metrics.reliability import Band, ReliabilityCurve, Strategy, reliability_curve

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

KIND = "fastcal reliability"


class ReliabilityDisplay(Display):
    """Observed share of relevant pairs against stated probability, with intervals, and the pairs per bin above.

    Draw several on the same axes (``ax=first.ax_``) to compare them: colours, markers and dashes differ.

    Parameters
    ----------
    curve : ReliabilityCurve
        Of :func:`fastcal.metrics.reliability_curve`.
    name : str, optional
        In the legend.

    Attributes
    ----------
    line_ : matplotlib.lines.Line2D
        Mean stated probability and observed rate of each bin that holds at least `min_count` pairs.
    few_ : matplotlib.lines.Line2D
        The other bins: hollow markers, not joined.
    intervals_ : matplotlib.collections.LineCollection
        The intervals of the observed rates.
    band_ : matplotlib.collections.FillBetweenPolyCollection or None
        The curve's band, if it has one.
    counts_ : matplotlib.patches.StepPatch or None
        Pairs per bin.
    ref_line_ : matplotlib.lines.Line2D or None
    ax_, figure_ : matplotlib Axes and Figure

    Examples
    --------
    >>> import fastcal as fc
    >>> display = fc.ReliabilityDisplay.from_predictions([0, 0, 1, 1], [0.1, 0.3, 0.3, 0.9], n_bins=2)
    >>> display.line_.get_ydata().tolist() == display.curve.observed_rate.tolist()
    True
    """

    line_: Any
    few_: Any
    intervals_: Any
    band_: Any
    counts_: Any
    ref_line_: Any

    def __init__(self, curve: ReliabilityCurve, *, name: str | None = None) -> None:
        instance(curve, "curve", ReliabilityCurve)
        self.curve, self.name = curve, name

    @classmethod
    def from_predictions(
        cls,
        labels: npt.ArrayLike,
        probabilities: npt.ArrayLike,
        *,
        n_bins: int = 15,
        strategy: Strategy = "uniform",
        sample_weight: npt.ArrayLike | None = None,
        groups: npt.ArrayLike | None = None,
        band: Band | None = None,
        name: str | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> Self:
        """Compute the curve as :func:`fastcal.metrics.reliability_curve` does, and plot it.

        Intervals are by query if `groups` are given. `plot_options` are those of :meth:`plot`.
        """
        curve = reliability_curve(labels, probabilities, n_bins, strategy, sample_weight, groups=groups, band=band)
        return cls(curve, name=name).plot(ax, **plot_options)

    def plot(
        self, ax: Any = None, *, name: str | None = None, ref_line: bool = True, counts: bool = True, min_count: int = 1, **line_options: Any
    ) -> Self:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        name : str, optional
            Instead of the one given to the constructor.
        ref_line : bool, default True
            The diagonal, where a calibrated curve lies.
        counts : bool, default True
            A strip over the axes with the pairs per bin, on a logarithmic scale.
        min_count : int, default 1
            Bins with fewer pairs are drawn hollow and not joined to the line.
        **line_options
            Of :meth:`matplotlib.axes.Axes.plot`, for ``line_``.

        Returns
        -------
        ReliabilityDisplay
            The object itself.
        """
        flag(ref_line, "ref_line"), flag(counts, "counts")
        enough = self.curve.count >= integer(min_count, "min_count", least=1)
        ax = self._begin(ax)
        gridded(ax)
        look = next_look(ax, KIND)
        self.ref_line_ = _diagonal(ax) if ref_line else None
        self._curve(ax, look, enough, self.name if name is None else name, line_options)
        self.counts_ = self._counts(ax, look) if counts else None
        ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel="stated probability", ylabel="observed share of relevant pairs")
        legend(ax)
        return self

    def _curve(self, ax: Any, look: Look, enough: Array, name: str | None, line_options: dict[str, Any]) -> None:
        curve, total = self.curve, counted(int(self.curve.count.sum()))
        options = {**look._asdict(), "markersize": 5, "gid": KIND, "label": labelled(name, total), **line_options}
        (self.line_,) = ax.plot(curve.mean_predicted[enough], curve.observed_rate[enough], **options)
        color = self.line_.get_color()
        hollow = {"marker": look.marker, "linestyle": "none", "markerfacecolor": "none", "color": color, "alpha": 0.5, "markersize": 5}
        (self.few_,) = ax.plot(curve.mean_predicted[~enough], curve.observed_rate[~enough], **hollow)
        self.band_, self.intervals_ = self._band(ax, color), self._intervals(ax, color, enough)

    def _band(self, ax: Any, color: Any) -> Any:
        low, high = self.curve.band_low, self.curve.band_high
        return None if low is None or high is None else filled(ax, self.curve.mean_predicted, low, high, color)

    def _intervals(self, ax: Any, color: Any, enough: Array) -> Any:
        alpha = np.where(enough, 1.0, 0.3)
        return ax.vlines(self.curve.mean_predicted, self.curve.interval_low, self.curve.interval_high, color=color, alpha=alpha, linewidth=1.1)

    def _counts(self, ax: Any, look: Look) -> Any:
        strip, curve = counts_strip(ax), self.curve
        heights, edges = curve.count.astype(np.float64)[:1], [curve.lower_edge[0], curve.upper_edge[0]]
        for count, low, high in zip(curve.count[1:], curve.lower_edge[1:], curve.upper_edge[1:], strict=True):
            gap = low > edges[-1]
            heights = np.append(heights, [np.nan, count] if gap else [count])
            edges += [low, high] if gap else [high]
        drawn = strip.stairs(heights, edges, color=self.line_.get_color(), linestyle=look.linestyle, linewidth=1.3, baseline=None)
        strip.set_ylim(bottom=0.8)
        return drawn


def _diagonal(ax: Any) -> Any:
    """The reference line, once per axes."""
    for line in ax.lines:
        if line.get_gid() == "fastcal diagonal":
            return line
    (line,) = ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", linewidth=1.3, gid="fastcal diagonal", label="calibrated")
    return line
