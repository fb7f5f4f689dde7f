"""``gafas evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gafas.cli import options
from gafas.cli.console import ERR, between, note, print_json, print_table, share, warn
from gafas.errors import DataError, UsageError
from gafas.values import RESOLUTIONS, SPLIT_NAMES, Dataset, Sample

if TYPE_CHECKING:
    from gafas.cli.judging import Judged
    from gafas.runtime.predictor import Predictor
    from gafas.values import Split


def evaluate(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="Bundle, run folder, .onnx or .tflite file.")],
    data: options.Data = None,
    part: Annotated[
        str, typer.Option("--split", help="train, validation or test of the run's split; or all images.")
    ] = "test",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write metrics.json, predictions.csv and pictures here."),
    ] = None,
    threshold: options.Threshold = None,
    runtime: Annotated[str, typer.Option(help="auto, onnx, litert or litert-full.")] = "auto",
    output_scale: Annotated[
        str, typer.Option(help="What a bare model file gives: probability or logit.")
    ] = "probability",
    output_class: Annotated[
        str, typer.Option(help="Whose score a bare model file gives: sunglasses or no_sunglasses.")
    ] = "sunglasses",
    classes: options.Classes = None,
    skip_unknown: options.SkipUnknown = False,
    threads: options.Threads = 0,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Judge a model on labelled images: figures with n and interval, by pose, expression, person, resolution.

    Example: [bold]gafas evaluate runs/20260101-120000-notebook --split test -o evaluation[/bold]

    The notebook's own file gives logits of class 1, no_glasses:
    [bold]gafas evaluate model.tflite --split all --output-scale logit --output-class no_sunglasses[/bold]
    """
    from gafas.cli.judging import judge, open_predictor
    from gafas.cli.training import DataRequest
    from gafas.files import require_free

    if part not in (*SPLIT_NAMES, "all"):
        raise UsageError(f"--split: expected train, validation, test or all, got {part}")
    if output is not None:
        require_free(output, overwrite=overwrite)
    predictor = open_predictor(
        bundle, runtime=runtime, threads=threads, threshold=threshold, scale=output_scale, positive=output_class
    )
    run, split = _run_of(bundle)
    root = data or _recorded_root(run)
    dataset = DataRequest(data=root, classes=options.parse_classes(classes), skip_unknown=skip_unknown).load()
    samples = _choose(dataset, split, part, bundle)
    judged = judge(predictor, dataset, samples, _parts_of(split))
    by_resolution = _at_resolutions(predictor, dataset, samples, judged)
    if part == "all" and split is not None:
        seen = len(set(split.train) & {sample.path for sample in samples})
        warn(f"{seen} of these {len(samples)} images were used in training")
    result = _figures(judged, by_resolution, dataset=dataset, part=part, model=str(bundle))
    if output is not None:
        _write(output, judged, result, dataset, part)
    if json:
        print_json(result)
    else:
        _print(result, judged, part)
    if judged.failed:
        ERR.print(f"{len(judged.failed)} of {len(samples)} images could not be read; they are in no figure")
        raise typer.Exit(1)


def _run_of(bundle: Path) -> tuple[Path | None, Split | None]:
    from gafas.datasets.splits import read_split

    for folder in (bundle, bundle.parent):
        if (folder / "split.json").is_file():
            return folder, read_split(folder / "split.json")
    return None, None


def _recorded_root(run: Path | None) -> str | None:
    from gafas.learn.runs import open_run

    if run is None or not (run / "config.json").is_file():
        return None
    root = open_run(run).record["data"]["root"]
    return str(root) if Path(root).is_dir() else None


def _parts_of(split: Split | None) -> dict[str, str]:
    if split is None:
        return {}
    return {path: name for name in SPLIT_NAMES for path in split.part(name)}


def _choose(dataset: Dataset, split: Split | None, part: str, bundle: Path) -> list[Sample]:
    samples = dataset.at("full")
    if part == "all":
        return list(samples)
    if split is None:
        raise UsageError(f"{bundle}: no split.json beside it, so --split {part} means nothing; pass --split all")
    wanted = set(split.part(part))  # type: ignore[arg-type]  # checked by the command
    chosen = [sample for sample in samples if sample.path in wanted]
    if len(chosen) != len(wanted):
        raise DataError(
            f"{dataset.root}: has {len(chosen)} of the {len(wanted)} {part} images of the run; is it the same data?"
        )
    return chosen


def _at_resolutions(predictor: Predictor, dataset: Dataset, samples: list[Sample], judged: Judged) -> dict[str, Judged]:
    from gafas.cli.judging import judge

    results = {"full": judged}
    wanted = {_photograph(sample) for sample in samples}
    for resolution in RESOLUTIONS[1:]:
        reduced = [s for s in dataset.at(resolution) if _photograph(s) in wanted]
        if reduced:
            results[resolution] = judge(predictor, dataset, reduced, {})
    return results if len(results) > 1 else {}


def _photograph(sample: Sample) -> tuple[str | None, ...]:
    return (sample.person, sample.pose, sample.expression, sample.label)


def _figures(
    judged: Judged, by_resolution: dict[str, Judged], *, dataset: Dataset, part: str, model: str
) -> dict[str, Any]:
    from gafas.scoring.groups import by_group, count_ungrouped, group_to_json
    from gafas.scoring.metrics import evaluate as score
    from gafas.scoring.metrics import to_json

    def figures(one: Judged) -> dict[str, Any]:
        return to_json(score(one.targets, one.probabilities, threshold=one.threshold))

    groups: dict[str, Any] = {}
    unknown: dict[str, int] = {}
    for key in ("pose", "expression", "person"):
        rows = by_group(judged.samples, judged.probabilities, threshold=judged.threshold, key=key)
        if rows:
            groups[key] = [group_to_json(row) for row in rows]
            unknown[key] = count_ungrouped(judged.samples, key=key)
    return {
        "model": model,
        "data": dataset.name,
        "synthetic": dataset.synthetic,
        "split": part,
        **figures(judged),
        "by": groups,
        "in_no_group": unknown,
        "by_resolution": {name: figures(one) for name, one in by_resolution.items()},
        "failed": dict(judged.failed),
    }


def _write(output: Path, judged: Judged, result: dict[str, Any], dataset: Dataset, part: str) -> None:
    from gafas.cli.pictures import draw_scores
    from gafas.errors import MissingExtraError
    from gafas.files import write_json
    from gafas.imaging import read_image
    from gafas.learn.results import write_predictions

    write_json(output / "metrics.json", result)
    write_predictions(output / "predictions.csv", judged.rows)
    images = [read_image(dataset.root / sample.path) for sample in judged.samples[:30]]
    try:
        draw_scores(
            output, judged.samples, judged.probabilities, judged.threshold, part, dataset.synthetic, images=images
        )
    except MissingExtraError as error:
        warn(f"no pictures: {error}")
    note(f"written: {output}")


def _print(result: dict[str, Any], judged: Judged, part: str) -> None:
    counts = result["confusion"]
    print_table(
        f"{result['model']} on {result['data']}, {part}: n = {result['n']}, threshold {result['threshold']:g}",
        ["figure", "value", "95 % interval"],
        [
            ("accuracy", share(result["accuracy"]), between(result["interval"])),
            ("loss", share(result["loss"]), ""),
            ("precision", share(result["precision"]), between(result["precision_interval"])),
            ("recall", share(result["recall"]), between(result["recall_interval"])),
            ("F1", share(result["f1"]), ""),
            ("ROC-AUC", share(result["roc_auc"]), ""),
            ("average precision", share(result["average_precision"]), ""),
        ],
    )
    print_table(
        "Confusion",
        ["", "said no_sunglasses", "said sunglasses"],
        [("no_sunglasses", counts["tn"], counts["fp"]), ("sunglasses", counts["fn"], counts["tp"])],
    )
    for key, rows in result["by"].items():
        cells = [(r["group"], share(r["accuracy"]), between(r["interval"]), r["correct"], r["n"]) for r in rows]
        print_table(f"By {key}", [key, "accuracy", "95 % interval", "right", "n"], cells)
        if missing := result["in_no_group"][key]:
            note(f"{missing} images have no known {key}")
    if result["by_resolution"]:
        cells = [
            (name, share(r["accuracy"]), between(r["interval"]), share(r["loss"]), r["n"])
            for name, r in result["by_resolution"].items()
        ]
        print_table("By resolution", ["resolution", "accuracy", "95 % interval", "loss", "n"], cells)
    _print_one_batch(judged)


def _print_one_batch(judged: Judged, size: int = 10) -> None:
    import numpy as np

    probabilities = np.asarray(judged.probabilities[:size], dtype=np.float64).clip(1e-12, 1 - 1e-12)
    logits = np.log(probabilities / (1 - probabilities))
    rows = [
        (s.path, f"{z:.4f}", f"{p:.4f}", int(p >= judged.threshold), s.target)
        for s, z, p in zip(judged.samples[:size], logits, probabilities, strict=True)
    ]
    print_table(
        f"The first {len(rows)} images, as the notebook prints a batch (1 = sunglasses)",
        ["image", "raw (logit)", "sigmoid", "prediction", "label"],
        rows,
    )
