"""Reliability diagram: what the scores say against what is so."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from gafas.report.style import (
    BLUE,
    GREY,
    LABEL_SIZE,
    LIGHT_GREY,
    Figure,
    MaxNLocator,
    new_figure,
    save_figure,
    set_title,
)
from gafas.report.words import ENGLISH, Words
from gafas.scoring.calibration import BINS, Calibration
from gafas.scoring.intervals import wilson

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def plot_reliability(path: Path, calibration: Calibration, *, title: str, synthetic: bool = False) -> None:
    """Write `draw_reliability` as a PNG file; `title` says which model and which examples.

    Raises
    ------
    OutputError
        The file cannot be written.
    """
    figure = draw_reliability(calibration)
    low, high = calibration.ece_interval.low, calibration.ece_interval.high
    note = f"ECE {calibration.ece:.3f} [{low:.3f}, {high:.3f}] · Brier score {calibration.brier:.3f}"
    set_title(figure, title, synthetic=synthetic, note=note)
    save_figure(figure, path)


def draw_reliability(calibration: Calibration, *, words: Words = ENGLISH) -> Figure:
    """Draw the share of sunglasses against the mean score, bin by bin, above the number of images in each bin.

    Points below the diagonal are scores that are too high. A bar is the Wilson 95 % interval of a bin's share: a bin
    of few images says little.

    Parameters
    ----------
    calibration : Calibration
        From `gafas.scoring.calibration.calibrate`.
    words : Words
        The language of the labels.
    """
    figure = new_figure(6.4, 7.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    _draw_shares(upper, calibration, words)
    _draw_counts(lower, calibration, words)
    return figure


def _draw_shares(axes: Axes, calibration: Calibration, words: Words) -> None:
    bins = calibration.bins
    scores = [one.score for one in bins]
    shares = [one.share for one in bins]
    intervals = [wilson(round(one.share * one.n), one.n) for one in bins]
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1.2, label=words("axis.true_scores"))
    axes.errorbar(
        scores,
        shares,
        # Rounding may put an end of the interval a hair on the wrong side.
        yerr=[
            [max(0.0, share - interval.low) for share, interval in zip(shares, intervals, strict=True)],
            [max(0.0, interval.high - share) for share, interval in zip(shares, intervals, strict=True)],
        ],
        color=BLUE,
        marker="o",
        markersize=6,
        linewidth=1.6,
        elinewidth=1.1,
        capsize=3,
        clip_on=False,
        label=words("axis.model_interval"),
    )
    axes.set_xlim(-0.02, 1.02)
    axes.set_ylim(-0.02, 1.02)
    axes.set_ylabel(words("axis.share_wearing"), fontsize=LABEL_SIZE + 1)
    # Above the panel: inside there is no corner where no point can lie.
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), frameon=False, fontsize=LABEL_SIZE - 1)
    _grid(axes)


def _draw_counts(axes: Axes, calibration: Calibration, words: Words) -> None:
    width = 1 / BINS
    middles = [(one.low + one.high) / 2 for one in calibration.bins]
    axes.bar(middles, [one.n for one in calibration.bins], 0.9 * width, color=BLUE)
    axes.set_xlabel(words("axis.mean_score"), fontsize=LABEL_SIZE + 1)
    axes.set_ylabel(words("axis.images"), fontsize=LABEL_SIZE + 1)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True, min_n_ticks=1))
    _grid(axes)


def _grid(axes: Axes) -> None:
    axes.grid(color=LIGHT_GREY, linewidth=0.8)
    axes.set_axisbelow(True)
