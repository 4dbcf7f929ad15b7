"""What the displays share: a figure to draw on, looks that differ without colour, thinning of long curves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastcal._extras import require
from fastcal.errors import InvalidTypeError

if TYPE_CHECKING:
    from fastcal._backend.protocol import Array

GREY, INK, FAINT = "#8A9097", "#30343B", "#E3E6EA"
MOST_POINTS = 4096
STRIP = "fastcal counts"


class Look(NamedTuple):
    """Colours of Okabe & Ito; the marker and the dashes tell curves apart without them."""

    color: str
    marker: str
    linestyle: Any


LOOKS = (
    Look("#0072B2", "o", "-"),
    Look("#D55E00", "s", (0, (5, 2))),
    Look("#009E73", "^", (0, (1.5, 1.5))),
    Look("#CC79A7", "D", (0, (6, 2, 1.5, 2))),
    Look("#56B4E9", "v", (0, (3, 1))),
    Look("#E69F00", "P", (0, (1, 3))),
)


class Display:
    """A picture of one result. ``plot`` draws it and sets ``ax_`` and ``figure_``.

    Without `ax` it draws on a :class:`matplotlib.figure.Figure` of its own that pyplot does not know: nothing stays
    behind in a process that makes thousands of them, and no display is needed. Save it with ``figure_.savefig``; a
    notebook shows the object itself. With ``ax=plt.gca()`` the picture belongs to pyplot and ``plt.show()``.
    """

    ax_: Any
    figure_: Any

    def _begin(self, ax: Any, width: float = 6.0, height: float = 5.0) -> Any:
        """Set ``ax_`` and ``figure_``, from `ax` or new."""
        figures = require("matplotlib.figure", "report")
        if ax is None:
            ax = figures.Figure(figsize=(width, height), layout="constrained").subplots()
        elif not isinstance(ax, require("matplotlib.axes", "report").Axes) or ax.name != "rectilinear":
            raise InvalidTypeError(f"ax must be a matplotlib Axes of plain x and y, or None; got {type(ax).__name__}")
        self.ax_, self.figure_ = ax, ax.figure.figure  # of a subfigure, the whole one
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_axisbelow(True)
        return ax

    def _repr_png_(self) -> bytes | None:
        """Show figures that no notebook backend shows anyway."""
        figure = getattr(self, "figure_", None)
        if figure is None or figure.canvas.manager is not None:
            return None
        import io

        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=110)
        return buffer.getvalue()


def gridded(ax: Any) -> None:
    """Light grid lines behind the data."""
    ax.grid(visible=True, color=FAINT, linewidth=0.7)


def next_look(ax: Any, kind: str) -> Look:
    """Return the look of the next curve of one kind on these axes; such curves carry the kind as their gid."""
    return LOOKS[sum(line.get_gid() == kind for line in ax.lines) % len(LOOKS)]


def counts_strip(ax: Any) -> Any:
    """Return a strip over the axes for numbers of pairs, the same one for every display drawn on them.

    Its height is in inches: one in fractions of the axes keeps changing while a constrained layout changes those.
    """
    for child in ax.child_axes:
        if child.get_label() == STRIP:
            return child
    transforms = require("matplotlib.transforms", "report")
    inches_above = ax.figure.dpi_scale_trans + transforms.ScaledTranslation(0, 1, ax.transAxes)
    place = transforms.blended_transform_factory(ax.transAxes, inches_above)
    strip = ax.inset_axes((0.0, 0.08, 1.0, 0.55), transform=place, sharex=ax)
    strip.set_label(STRIP)
    strip.spines[["top", "right"]].set_visible(False)
    strip.tick_params(labelbottom=False, labelsize="small")
    strip.set_yscale("log")
    strip.set_ylabel("pairs", fontsize="small")
    return strip


def titled(ax: Any, title: str | None) -> None:
    """Put the title over everything, the strip included."""
    if title is not None:
        top = next((child for child in ax.child_axes if child.get_label() == STRIP), ax)
        top.set_title(title, fontsize="medium")


def filled(ax: Any, x: Array, low: Array, high: Array, color: Any) -> Any:
    """Fill between two curves; where they are one point long, a bar."""
    return ax.fill_between(x, low, high, color=color, alpha=0.18, linewidth=6 if len(x) == 1 else 0)


def spotted(look: Look, n: int) -> dict[str, Any]:
    """Style of a curve of n points; a single one needs a marker to be seen."""
    return {"color": look.color, "linestyle": look.linestyle, "linewidth": 1.7, "marker": look.marker if n == 1 else None, "markersize": 6}


def labelled(*parts: str | None) -> str:
    """Join what is there; matplotlib would keep a label that starts with an underscore out of the legend."""
    label = ", ".join(part for part in parts if part)
    return f" {label}" if label.startswith("_") else label


def legend(ax: Any, below: bool = False) -> None:
    """Label everything that has a name, where it covers least or under the axes."""
    place: dict[str, Any] = {"loc": "upper center", "bbox_to_anchor": (0.5, -0.13), "ncols": 2} if below else {}
    ax.legend(frameon=False, fontsize="small", **place)


def thinned(n: int) -> Array:
    """Places of at most ``MOST_POINTS`` of n sorted points: all if they are few, else dense at the start and even after it."""
    if n <= MOST_POINTS:
        return np.arange(n)
    half = MOST_POINTS // 2
    early, even = np.geomspace(1, n, half), np.linspace(1, n, half)
    return np.unique(np.rint(np.concatenate((early, even))).astype(np.int64)) - 1


def counted(n: int) -> str:
    """Write ``n = 1,234 pairs``."""
    return f"n = {n:,} pairs"
