"""The pictures of a run, each function one PNG: the public face of this room's drawing.

They take plain values and read no files; each call is independent, and the same values give the
same bytes with the same Matplotlib.
"""

from gafas.report.calibration import plot_reliability
from gafas.report.components import plot_eigenfaces, plot_explained_variance
from gafas.report.confusion import plot_confusion, plot_eyewear_confusion
from gafas.report.curves import plot_curves
from gafas.report.errors import plot_errors
from gafas.report.predictions import plot_predictions
from gafas.report.scores import plot_precision_recall, plot_roc

__all__ = [
    "plot_confusion",
    "plot_curves",
    "plot_eigenfaces",
    "plot_errors",
    "plot_explained_variance",
    "plot_eyewear_confusion",
    "plot_precision_recall",
    "plot_predictions",
    "plot_reliability",
    "plot_roc",
]
