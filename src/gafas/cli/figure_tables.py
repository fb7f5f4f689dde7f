"""The figures of an evaluation as tables on standard output."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from gafas.cli.console import between, note, print_table, share

if TYPE_CHECKING:
    from gafas.cli.judging import Judged

_BATCH = 10


def print_figures(result: dict[str, Any], judged: Judged) -> None:
    """Print every table of an evaluation.

    Parameters
    ----------
    result : dict
        From `gafas.cli.figures.figures`.
    judged : Judged
        The images that it is of, for the batch as the notebook prints it.
    """
    _print_summary(result)
    _print_thresholds(result["thresholds"], chosen=result["threshold"])
    _print_groups(result)
    if result["eyewear"] is not None:
        _print_eyewear(result["eyewear"])
        _print_eyeglasses(result["eyeglasses"])
    if result["unclear"] is not None:
        _print_unclear(result["unclear"])
    if result["by_resolution"]:
        _print_sets("By resolution", "resolution", result["by_resolution"])
    if result["robustness"]:
        _print_sets("Robustness: the same images under one corruption each", "condition", result["robustness"])
    _print_one_batch(judged)


def _print_summary(result: dict[str, Any]) -> None:
    calibration = result["calibration"]
    print_table(
        f"{result['model']} on {result['data']}, {result['split']}: n = {result['n']}, "
        f"threshold {result['threshold']:g}",
        ["figure", "value", "95 % interval"],
        [
            *(
                (name, share(result[key]), between(result[interval]) if interval else "")
                for name, key, interval in (
                    ("accuracy", "accuracy", "interval"),
                    ("loss", "loss", None),
                    ("precision", "precision", "precision_interval"),
                    ("recall", "recall", "recall_interval"),
                    ("F1", "f1", "f1_interval"),
                    ("ROC-AUC", "roc_auc", "roc_auc_interval"),
                    ("average precision", "average_precision", None),
                )
            ),
            ("Brier score", share(calibration["brier"]), ""),
            ("calibration error (ECE)", share(calibration["ece"]), between(calibration["ece_interval"])),
            ("calibration error, adaptive bins", share(calibration["adaptive_ece"]), ""),
        ],
    )
    counts = result["confusion"]
    print_table(
        "Confusion",
        ["", "said no_sunglasses", "said sunglasses"],
        [("no_sunglasses", counts["tn"], counts["fp"]), ("sunglasses", counts["fn"], counts["tp"])],
    )


def _print_thresholds(rows: Sequence[dict[str, Any]], *, chosen: float) -> None:
    def interval(row: dict[str, Any], name: str) -> str:
        return "–" if row[name] is None else between((row[f"{name}_low"], row[f"{name}_high"]))

    cells = [
        (
            f"{row['threshold']:.3g}" + (" (model)" if row["threshold"] == chosen else ""),
            *(
                cell
                for name in ("precision", "recall", "f1", "accuracy")
                for cell in (share(row[name]), interval(row, name))
            ),
        )
        for row in rows
    ]
    columns = [word for name in ("precision", "recall", "F1", "accuracy") for word in (name, "95 % interval")]
    print_table("Thresholds", ["threshold", *columns], cells)


def _print_groups(result: dict[str, Any]) -> None:
    for key, rows in result["by"].items():
        cells = [(r["group"], share(r["accuracy"]), between(r["interval"]), r["correct"], r["n"]) for r in rows]
        print_table(f"By {key}", [key, "accuracy", "95 % interval", "right", "n"], cells)
        if missing := result["in_no_group"][key]:
            note(f"{missing} images have no known {key}")


def _print_eyewear(eyewear: dict[str, Any]) -> None:
    labels = eyewear["labels"]
    rows = [
        (label, *counts, *(cell for name in ("precision", "recall", "f1") for cell in _with_interval(of, name)))
        for label, counts in zip(labels, eyewear["confusion"], strict=True)
        for of in (eyewear["classes"][label],)
    ]
    figures = [word for name in ("precision", "recall", "F1") for word in (name, "95 % interval")]
    title = f"Three classes: accuracy {share(eyewear['accuracy'])} {between(eyewear['interval'])}, n = {eyewear['n']}"
    print_table(title, ["true", *(f"said {label}" for label in labels), *figures], rows)
    mixed = eyewear["mixed_up"]
    if mixed["n"]:
        print_table(
            "Dark and clear glasses mixed up",
            ["figure", "value", "95 % interval", "count", "n"],
            [
                (
                    "share of all with glasses",
                    share(mixed["share"]),
                    between(mixed["interval"]),
                    mixed["count"],
                    mixed["n"],
                )
            ],
        )
    if eyewear["unknown"]:
        note(f"of {eyewear['unknown']} images the data set does not say which eyewear it is")


def _with_interval(of: dict[str, Any], name: str) -> tuple[str, str]:
    return share(of[name]), between(of[f"{name}_interval"])


def _print_eyeglasses(eyeglasses: dict[str, Any]) -> None:
    words = {"among_all": "among all", "without_sunglasses": "among those without sunglasses"}
    rows = [
        (words[name], *_with_interval(of, "roc_auc"), *_with_interval(of, "f1"), of["positives"], of["n"])
        for name, of in eyeglasses.items()
        if of is not None
    ]
    columns = ["", "ROC-AUC", "95 % interval", "F1", "95 % interval", "with eyeglasses", "n"]
    print_table("Clear eyeglasses, by P(eyeglasses)", columns, rows)


def _print_unclear(unclear: dict[str, Any]) -> None:
    rows = [(word, share(of["share"]), of["count"]) for word, of in unclear["said"].items()]
    print_table(f"Unclear images, in no figure above: n = {unclear['n']}", ["said", "share", "count"], rows)
    if unclear["failed"]:
        note(f"{len(unclear['failed'])} unclear images could not be read")


def _print_sets(title: str, column: str, sets: dict[str, Any]) -> None:
    cells = [
        (name, share(r["accuracy"]), between(r["interval"]), share(r["roc_auc"]), share(r["loss"]), r["n"])
        for name, r in sets.items()
    ]
    print_table(title, [column, "accuracy", "95 % interval", "ROC-AUC", "loss", "n"], cells)


def _print_one_batch(judged: Judged) -> None:
    import numpy as np

    probabilities = np.asarray(judged.probabilities[:_BATCH], dtype=np.float64).clip(1e-12, 1 - 1e-12)
    logits = np.log(probabilities / (1 - probabilities))
    rows = [
        (s.path, f"{z:.4f}", f"{p:.4f}", int(p >= judged.threshold), s.target)
        for s, z, p in zip(judged.samples[:_BATCH], logits, probabilities, strict=True)
    ]
    print_table(
        f"The first {len(rows)} images, as the notebook prints a batch (1 = sunglasses)",
        ["image", "raw (logit)", "sigmoid", "prediction", "label"],
        rows,
    )
