"""What the threshold of one collection does on another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

import numpy as np

from fastcal._validate.numbers import flag, instance, one_of
from fastcal.calibration._base import Calibrator
from fastcal.display._axes import GREY, Display, titled
from fastcal.metrics.transfer import TransferMatrix, transfer_matrix

_DARK = 0.55  # rates above get white text
_SHARE = 0.75  # of the width of a column, which a layout may narrow later; wider names are tilted


class TransferDisplay(Display):
    """A cell per pair of collections: the rule fitted on the row's, its precision or recall on the column's.

    The diagonal, in bold, is in-sample.

    Parameters
    ----------
    matrix : TransferMatrix
        Of :func:`fastcal.metrics.transfer_matrix`.
    name : str, optional
        In the title.

    Attributes
    ----------
    im_ : matplotlib.image.AxesImage
        The rates, light to dark; hatched where there is none.
    text_ : ndarray of matplotlib.text.Text, shape (n, n)
        Rate, interval of a precision, and number of selected pairs.
    colorbar_ : matplotlib.colorbar.Colorbar or None
    ax_, figure_ : matplotlib Axes and Figure

    Examples
    --------
    >>> import fastcal as fc
    >>> faq, code = ([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1]), ([0.7, 0.8, 0.9, 0.95], [0, 0, 0, 1])
    >>> display = fc.TransferDisplay.from_predictions({"faq": faq, "code": code})
    >>> print(display.text_[0, 1].get_text())
    0.33
    [0.06, 0.79]
    n = 3
    """

    im_: Any
    text_: Any
    colorbar_: Any

    def __init__(self, matrix: TransferMatrix, *, name: str | None = None) -> None:
        instance(matrix, "matrix", TransferMatrix)
        self.matrix, self.name = matrix, name

    @classmethod
    def from_predictions(
        cls,
        collections: Mapping[str, Any],
        target_precision: float = 0.9,
        *,
        calibrator: Calibrator | None = None,
        higher_is_better: bool = True,
        name: str | None = None,
        ax: Any = None,
        **plot_options: Any,
    ) -> Self:
        """Measure as :func:`fastcal.metrics.transfer_matrix` does, and plot; `plot_options` are those of :meth:`plot`."""
        matrix = transfer_matrix(collections, target_precision, calibrator=calibrator, higher_is_better=higher_is_better)
        return cls(matrix, name=name).plot(ax, **plot_options)

    def plot(
        self,
        ax: Any = None,
        *,
        name: str | None = None,
        rate: Literal["precision", "recall"] = "precision",
        colorbar: bool = True,
        **image_options: Any,
    ) -> Self:
        """Draw on `ax`, or on a new figure.

        Parameters
        ----------
        ax : matplotlib Axes, optional
        name : str, optional
            Instead of the one given to the constructor.
        rate : {"precision", "recall"}, default "precision"
        colorbar : bool, default True
        **image_options
            Of :meth:`matplotlib.axes.Axes.imshow`.

        Returns
        -------
        TransferDisplay
            The object itself.
        """
        shown = one_of(rate, "rate", ("precision", "recall"))
        flag(colorbar, "colorbar")
        found, n = self.matrix, len(self.matrix.names)
        own = ax is None
        ax = self._begin(ax, 1.9 + 1.25 * n, 1.3 + 0.95 * n)
        ax.set_facecolor("white")
        ax.patch.set(hatch="///", edgecolor=GREY)
        rates = getattr(found, shown)
        self.im_ = ax.imshow(np.ma.masked_invalid(rates), **{"cmap": "Blues", "vmin": 0.0, "vmax": 1.0, "aspect": "auto", **image_options})
        self.text_ = np.array([[_cell(ax, found, shown, i, j) for j in range(n)] for i in range(n)], dtype=object)
        rules = [f"{name}\n{_rule(cut)}" for name, cut in zip(found.names, found.threshold, strict=True)]
        ax.set_xticks(range(n), found.names)
        ax.set_yticks(range(n), rules)
        _make_room(ax, own)
        ax.set(xlabel="applied to", ylabel=f"fitted on, for precision {found.target_precision:g}")
        ax.spines[:].set_visible(False)
        self.colorbar_ = ax.figure.colorbar(self.im_, ax=ax, label=shown) if colorbar else None
        titled(ax, self.name if name is None else name)
        return self


def _make_room(ax: Any, own: bool) -> None:
    """Tilt names that would touch under the columns; an own figure grows by what names take more than an inch."""
    names = ax.get_xticklabels()
    widest = max(name.get_window_extent().width for name in names)
    inches = widest / ax.figure.dpi
    if own and inches > 1:
        width, height = ax.figure.get_size_inches()
        ax.figure.set_size_inches(width + inches - 1, height + (inches - 1) / 2)
    if widest > _SHARE * ax.bbox.width / len(names):
        for name in names:
            name.set(rotation=30, ha="right", rotation_mode="anchor")


def _rule(cut: float) -> str:
    return "out of reach" if np.isnan(cut) else f"from {cut:.4g}"


def _cell(ax: Any, found: TransferMatrix, shown: str, i: int, j: int) -> Any:
    value = float(getattr(found, shown)[i, j])
    lines = ["-" if np.isnan(value) else f"{value:.2f}"]
    if shown == "precision" and not np.isnan(value):
        lines.append(f"[{found.precision_low[i, j]:.2f}, {found.precision_high[i, j]:.2f}]")
    lines.append(f"n = {found.n_selected[i, j]:,}")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5} if np.isnan(value) else None
    weight = "bold" if i == j else "normal"
    color = "white" if value > _DARK else "black"
    return ax.text(j, i, "\n".join(lines), ha="center", va="center", fontsize="small", color=color, fontweight=weight, bbox=box)
