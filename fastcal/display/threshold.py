"""Precision and recall at every threshold."""

from __future__ import annotations

from typing import Any, Self

import numpy.typing as npt

from fastcal._validate.numbers import flag, instance
from fastcal._validate.scores import directed_scores, pairs
from fastcal.display._axes import INK, LOOKS, Display, counted, counts_strip, filled, gridded, legend, spotted, thinned, titled
from fastcal.metrics._rate_bands import Bands, rate_bands
from fastcal.thresholds.choose import OperatingPoint
from fastcal.thresholds.sweep import Sweep, threshold_sweep

_CURVES = ("precision", "recall", "f1")


class ThresholdDisplay(Display):
    """Precision, recall and F1 over the threshold, with intervals, and the number of selected pairs above.

    Parameters
    ----------
    sweep : Sweep
        Of :func:`fastcal.threshold_sweep`. It does not know which pairs belong to one query: intervals come with
        :meth:`from_predictions`.
    name : str, optional
        In the title.

    Attributes
    ----------
    precision_, recall_, f1_ : matplotlib.lines.Line2D
        At every threshold of the sweep, or at 4,096 of them, dense at the strict end.
    bands_ : tuple of matplotlib.collections.FillBetweenPolyCollection
        95 % intervals of precision and recall; empty if the display was made of a bare sweep.
    n_selected_ : matplotlib.lines.Line2D or None
    point_ : matplotlib.lines.Line2D or None
        The operating point.
    ax_, figure_ : matplotlib Axes and Figure

    Examples
    --------
    >>> import fastcal as fc
    >>> display = fc.ThresholdDisplay.from_predictions([1, 1, 0, 0], [0.75, 0.5, 0.5, 0.25])
    >>> display.recall_.get_ydata().tolist()
    [0.5, 1.0, 1.0]
    """

    precision_: Any
    recall_: Any
    f1_: Any
    bands_: tuple[Any, ...]
    n_selected_: Any
    point_: Any

    def __init__(self, sweep: Sweep, *, name: str | None = None) -> None:
        instance(sweep, "sweep", Sweep)
        self.sweep, self.name = sweep, name
        self._bands: Bands | None = None

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
        """Sweep as :func:`fastcal.threshold_sweep` does, and plot.

        Labels come first, as in scikit-learn's displays. The intervals are those of
        :func:`fastcal.metrics.precision_recall_at` at every threshold; without `groups`, the query ids, pairs count as
        independent. `plot_options` are those of :meth:`plot`.
        """
        values = directed_scores(scores, higher_is_better)
        display = cls(threshold_sweep(values, labels, sample_weight=sample_weight, higher_is_better=higher_is_better), name=name)
        sample = pairs(values, labels, sample_weight, groups)
        display._bands = rate_bands(sample, display.sweep.threshold[thinned(len(display.sweep))], higher_is_better)
        return display.plot(ax, **plot_options)

    def plot(self, ax: Any = None, *, name: str | None = None, point: OperatingPoint | None = None, counts: bool = True, **line_options: Any) -> Self:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        name : str, optional
            Instead of the one given to the constructor.
        point : OperatingPoint, optional
            Of :func:`fastcal.choose_threshold`: marked with its precision, interval and number of pairs.
        counts : bool, default True
            A strip over the axes with the number of selected pairs, on a logarithmic scale.
        **line_options
            Of :meth:`matplotlib.axes.Axes.plot`, for the three curves.

        Returns
        -------
        ThresholdDisplay
            The object itself.
        """
        flag(counts, "counts")
        if point is not None:
            instance(point, "point", OperatingPoint)
        ax = self._begin(ax, 6.4, 4.8)
        gridded(ax)
        kept = thinned(len(self.sweep))
        x = self.sweep.threshold[kept]
        self.precision_, self.recall_, self.f1_ = (self._curve(ax, number, x, kept, line_options) for number in range(len(_CURVES)))
        self.bands_ = () if self._bands is None else self._filled(ax, x, self._bands)
        self.n_selected_ = self._selected(ax, x, kept) if counts else None
        self.point_ = None if point is None else _mark(ax, point)
        ax.set(ylim=(-0.02, 1.02), xlabel="threshold", ylabel="on these pairs")
        legend(ax, below=True)
        titled(ax, self.name if name is None else name)
        return self

    def _curve(self, ax: Any, number: int, x: Any, kept: Any, line_options: dict[str, Any]) -> Any:
        options = {**spotted(LOOKS[number], len(kept)), "label": _CURVES[number].replace("f1", "F1"), **line_options}
        (line,) = ax.plot(x, getattr(self.sweep, _CURVES[number])[kept], **options)
        return line

    def _filled(self, ax: Any, x: Any, bands: Bands) -> tuple[Any, ...]:
        limits = ((self.precision_, bands.precision_low, bands.precision_high), (self.recall_, bands.recall_low, bands.recall_high))
        return tuple(filled(ax, x, low, high, line.get_color()) for line, low, high in limits)

    def _selected(self, ax: Any, x: Any, kept: Any) -> Any:
        strip = counts_strip(ax)
        strip.set_ylabel("selected", fontsize="small")
        (line,) = strip.plot(x, self.sweep.n_selected[kept], color=INK, linewidth=1.2, marker="o" if len(kept) == 1 else None, markersize=4)
        strip.set_ylim(bottom=0.8)
        return line


def _mark(ax: Any, point: OperatingPoint) -> Any:
    low, high = point.interval
    rates = f"precision {point.precision:.2f} [{low:.2f}, {high:.2f}]\nrecall {point.recall:.2f}, {counted(point.n_selected)}"
    return ax.axvline(point.threshold, color=INK, linestyle="--", linewidth=1.2, label=f"{point.threshold:.4g}: {rates}")
