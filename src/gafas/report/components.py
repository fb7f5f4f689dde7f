"""Pictures of a principal component analysis of pixels: eigenfaces and explained variance."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gafas.errors import UsageError
from gafas.report.style import (
    BLUE,
    GREY,
    INK,
    LABEL_SIZE,
    LIGHT_GREY,
    NOTE_SIZE,
    ORANGE,
    MaxNLocator,
    PercentFormatter,
    new_figure,
    save_figure,
    set_title,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_SHARES = (0.5, 0.9, 0.95)
_COLUMNS = 4


def plot_eigenfaces(
    path: Path,
    components: NDArray[np.floating],
    mean: NDArray[np.floating],
    *,
    ratios: Sequence[float] | None = None,
    limit: int = 11,
    title: str = "Mean face and eigenfaces",
    synthetic: bool = False,
) -> None:
    """Draw the mean picture and the first components.

    Each component is scaled by itself around zero, which is drawn white: only its pattern means
    something, its sign and strength do not.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    components : float array (k, height, width)
        The first first.
    mean : float array (height, width)
        In the units of the pixels.
    ratios : k numbers, or None
        Share of the variance that each component explains, for its caption.
    limit : int
        How many components to draw at most.
    title : str
        Which data.
    synthetic : bool
        True when the pictures were drawn, not taken: the title says so.

    Raises
    ------
    UsageError
        No component, shapes that do not fit, values that are not finite, a limit below 1.
    OutputError
        The file cannot be written.
    """
    _check_components(components, mean, ratios, limit)
    shown = min(limit, len(components))
    columns = min(_COLUMNS, shown + 1)
    rows = ceil((shown + 1) / columns)
    figure = new_figure(max(4.5, 2.3 * columns), 2.6 * rows + 0.6)
    set_title(figure, title, synthetic=synthetic)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    _draw_cell(cells[0], mean, "mean", "gray", float(mean.min()), float(mean.max()))
    for i in range(shown):
        reach = float(np.abs(components[i]).max()) or 1.0
        caption = f"component {i + 1}" + ("" if ratios is None else f"\n{ratios[i]:.1%} of variance")
        _draw_cell(cells[i + 1], components[i], caption, "RdBu_r", -reach, reach)
    save_figure(figure, path)


def plot_explained_variance(
    path: Path,
    ratios: ArrayLike,
    *,
    title: str = "Variance explained by the first components",
    synthetic: bool = False,
) -> None:
    """Draw the cumulative share of variance, and where it passes 50, 90 and 95 %.

    Parameters
    ----------
    path : Path
        The PNG file to write.
    ratios : (k,) in [0, 1]
        Share of the variance that each component explains, the largest first; they sum to at most 1.
    title : str
        Which data.
    synthetic : bool
        True when the pictures were drawn, not taken: the title says so.

    Raises
    ------
    UsageError
        No ratio, or numbers that are no shares of one whole.
    OutputError
        The file cannot be written.
    """
    shares = np.asarray(ratios, dtype=np.float64)
    # NaN fails every comparison, so "not inside" finds it as well.
    if shares.ndim != 1 or not shares.size or not ((shares >= 0).all() and shares.sum() <= 1 + 1e-6):
        raise UsageError("ratios: expected shares (k,) of at least one component, summing to at most 1")
    total = np.cumsum(shares)
    k = shares.size
    figure = new_figure(8, 5)
    set_title(figure, title, synthetic=synthetic)
    axes = figure.subplots()
    axes.plot(np.arange(k + 1), np.concatenate([[0.0], total]), color=BLUE, linewidth=2.2)
    for share in _SHARES:
        _mark_share(axes, total, share)
    axes.set_xlim(0, k * 1.02)
    axes.set_ylim(0, 1.04)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_xlabel("Number of components", fontsize=LABEL_SIZE)
    axes.set_ylabel("Cumulative share of variance", fontsize=LABEL_SIZE)
    axes.grid(color=LIGHT_GREY, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.legend(loc="best", fontsize=LABEL_SIZE)
    save_figure(figure, path)


def _check_components(
    components: NDArray[np.floating],
    mean: NDArray[np.floating],
    ratios: Sequence[float] | None,
    limit: int,
) -> None:
    if components.ndim != 3 or not len(components) or components.shape[1:] != mean.shape:
        raise UsageError(
            "components: expected at least one, (k, height, width), and a mean of (height, width); "
            f"got {components.shape} and {mean.shape}"
        )
    if not (np.isfinite(components).all() and np.isfinite(mean).all()):
        raise UsageError("components and mean: expected finite numbers, got NaN or infinity")
    if ratios is not None and len(ratios) != len(components):
        raise UsageError(f"ratios: expected one for each of {len(components)} components, got {len(ratios)}")
    if limit < 1:
        raise UsageError(f"limit: expected 1 or more components, got {limit}")


def _draw_cell(axes: Axes, picture: NDArray[np.floating], caption: str, colours: str, low: float, high: float) -> None:
    axes.imshow(picture, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axes.set_title(caption, fontsize=NOTE_SIZE + 1, color=INK, linespacing=1.3)


def _mark_share(axes: Axes, total: NDArray[np.float64], share: float) -> None:
    # Rounding may leave the sum of all a hair below the whole.
    reached = np.flatnonzero(total >= share - 1e-9)
    if not reached.size:
        axes.plot([], [], linestyle="none", label=f"{share:.0%} not reached with {_components(total.size)}")
        return
    count = int(reached[0]) + 1
    height = total[count - 1]
    axes.plot([0, count], [share, share], color=GREY, linestyle=":", linewidth=1.4)
    axes.plot([count, count], [0, height], color=GREY, linestyle=":", linewidth=1.4)
    marker = {0.5: "o", 0.9: "s", 0.95: "^"}[share]
    axes.plot(
        [count],
        [height],
        linestyle="none",
        marker=marker,
        markersize=8,
        clip_on=False,
        zorder=3,
        color=ORANGE,
        label=f"{share:.0%} with {_components(count)}",
    )


def _components(count: int) -> str:
    return "1 component" if count == 1 else f"{count} components"
