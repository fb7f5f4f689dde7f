"""What ``gafas crossval`` shows: pictures in its folder, tables on standard output."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from gafas.cli.console import between, note, print_json, print_table, share, warn

if TYPE_CHECKING:
    from gafas.learn.crossval import Crossval
    from gafas.values import Dataset


def draw_crossval(planned: Crossval, dataset: Dataset, result: dict[str, Any]) -> None:
    """Write confusion matrix, ROC curve and the sheet of errors.

    Without Matplotlib it says so and goes on, for the figures are safe.
    """
    from gafas.cli.pictures import draw_errors
    from gafas.errors import MissingExtraError
    from gafas.learn.fold_files import verify

    try:
        from gafas.report import confusion, scores
    except MissingExtraError as error:
        warn(f"no pictures: {error}")
        return
    from gafas.scoring.metrics import Confusion

    samples = planned.pictures.samples
    answers = verify(planned.folder, samples)
    probabilities = [answers[sample.path] for sample in samples]
    threshold, synthetic = planned.config.threshold, dataset.synthetic
    title = f"{result['recipe']}, {result['folds']} folds by person, n = {result['n']}"
    confusion.plot_confusion(
        planned.folder / "confusion.png", Confusion(**result["confusion"]), title=title, synthetic=synthetic
    )
    targets = [sample.target for sample in samples]
    scores.plot_roc(
        planned.folder / "roc.png", targets, probabilities, threshold=threshold, title=title, synthetic=synthetic
    )
    draw_errors(planned.folder / "errors.png", dataset, samples, probabilities, threshold, title=title)


def print_crossval(planned: Crossval, dataset: Dataset, result: dict[str, Any]) -> None:
    """Print the pooled figures and those of each group."""
    print_table(
        f"{result['recipe']} on {dataset.name}: {result['folds']} folds by person, n = {result['n']}",
        ["figure", "value", "95 % interval"],
        [
            ("accuracy", share(result["accuracy"]), between(result["interval"])),
            (f"accuracy, drawing {result['persons']} persons", "", between(result["interval_over_persons"])),
            ("loss", share(result["loss"]), ""),
            ("precision", share(result["precision"]), between(result["precision_interval"])),
            ("recall", share(result["recall"]), between(result["recall_interval"])),
            ("F1", share(result["f1"]), between(result["f1_interval"])),
            ("ROC-AUC", share(result["roc_auc"]), between(result["roc_auc_interval"])),
        ],
    )
    for key, rows in result["by"].items():
        cells = [(r["group"], share(r["accuracy"]), between(r["interval"]), r["correct"], r["n"]) for r in rows]
        print_table(f"By {key}", [key, "accuracy", "95 % interval", "right", "n"], cells)
    note(f"{len(result['errors'])} errors, as pictures: {planned.folder / 'errors.png'}")
    note("verified: no image was judged by a fold that had seen its person")


def compare_crossvals(folders: list[Path], *, json: bool) -> None:
    """Print several finished cross-validations in one table.

    Raises
    ------
    DataError, UsageError
        As `gafas.learn.crossval_folder.read_finished`.
    """
    from gafas.learn.crossval_folder import read_finished

    found = [read_finished(folder) for folder in folders]
    if json:
        print_json([{"folder": str(folder), **one.metrics} for folder, one in zip(folders, found, strict=True)])
        return
    rows = [
        (
            m["recipe"],
            one.record.folds or "person",
            share(m["accuracy"]),
            between(m["interval"]),
            between(m["interval_over_persons"]),
            len(m["errors"]),
            share(m["roc_auc"]),
            m["n"],
            f"{m['seconds']:.0f}",
            str(folder),
        )
        for folder, one in zip(folders, found, strict=True)
        for m in (one.metrics,)
    ]
    columns = ["recipe", "folds", "accuracy", "95 % interval", "over persons", "errors", "ROC-AUC", "n", "seconds"]
    print_table("Cross-validation by person", [*columns, "folder"], rows, text=("folds", "folder"))
    if len({(one.record.data["name"], one.metrics["n"]) for one in found}) > 1:
        warn("they are not of the same images: " + ", ".join(sorted({one.record.data["name"] for one in found})))
