"""``gafas evaluate``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gafas.cli import options
from gafas.cli.console import ERR, note, print_json, warn
from gafas.errors import DataError, UsageError
from gafas.values import RESOLUTIONS, SPLIT_NAMES, Dataset, Sample

if TYPE_CHECKING:
    from gafas.cli.figures import Judgement
    from gafas.cli.judging import Judged
    from gafas.runtime.predictor import Predictor
    from gafas.values import Split


def evaluate(
    bundle: Annotated[
        Path, typer.Argument(metavar="BUNDLE", help="Bundle, run folder, .onnx or .tflite file, or gafas-base.")
    ],
    data: options.Data = None,
    part: Annotated[
        str, typer.Option("--split", help="train, validation or test of the run's split; or all images.")
    ] = "test",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write metrics.json, predictions.csv and pictures here."),
    ] = None,
    threshold: options.Threshold = None,
    region: options.Region = "auto",
    thorough: options.Thorough = False,
    runtime: Annotated[str, typer.Option(help="auto, onnx, litert or litert-full.")] = "auto",
    precision: options.Precision = "auto",
    output_scale: Annotated[
        str, typer.Option(help="What a bare model file gives: probability or logit.")
    ] = "probability",
    output_class: Annotated[
        str, typer.Option(help="Whose score a bare model file gives: sunglasses or no_sunglasses.")
    ] = "sunglasses",
    robustness: Annotated[
        bool,
        typer.Option(
            "--robustness", help="Judge the same images also darker, brighter, blurred, turned, noisy, as JPEG."
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of bootstrap intervals and of the noise of --robustness.")] = 0,
    classes: options.Classes = None,
    skip_unknown: options.SkipUnknown = False,
    threads: options.Threads = 0,
    overwrite: options.Overwrite = False,
    json: options.Json = False,
) -> None:
    """Judge a model on labelled images: figures with n and interval, calibration, thresholds, and by group.

    Where the model knows clear eyeglasses and the data set too, also the three classes sunglasses, eyeglasses, none.
    Images in a folder [bold]unclear[/bold] are scored and reported apart.

    Example: [bold]gafas evaluate runs/20260101-120000-notebook --split test -o evaluation[/bold]

    The shipped model on people it never saw: [bold]gafas evaluate gafas-base --data cmu_faces --split all[/bold]

    The notebook's own file gives logits of class 1, no_glasses:
    [bold]gafas evaluate model.tflite --split all --output-scale logit --output-class no_sunglasses[/bold]
    """
    from gafas.cli.figure_tables import print_figures
    from gafas.cli.figures import Judgement, figures, judge_corrupted, judge_unclear
    from gafas.cli.holding import hold
    from gafas.cli.judging import judge, open_predictor
    from gafas.cli.training import DataRequest
    from gafas.files import require_free

    if part not in (*SPLIT_NAMES, "all"):
        raise UsageError(f"--split: expected train, validation, test or all, got {part}")
    if output is not None:
        hold(output)
        require_free(output, overwrite=overwrite)
    predictor = open_predictor(
        bundle,
        runtime=runtime,
        precision=precision,
        thorough=thorough,
        threads=threads,
        threshold=threshold,
        scale=output_scale,
        positive=output_class,
        region=region,
    )
    run, split = _run_of(bundle)
    root = data or _recorded_root(run)
    dataset = DataRequest(data=root, classes=options.parse_classes(classes), skip_unknown=skip_unknown).load()
    samples = _choose(dataset, split, part, bundle)
    judged = judge(predictor, dataset, samples, _parts_of(split))
    judgement = Judgement(
        images=judged,
        by_resolution=_at_resolutions(predictor, dataset, samples, judged),
        # Nothing is ever trained on them, so they belong to every part that is not for training.
        unclear=judge_unclear(predictor, dataset) if part in {"test", "all"} else None,
        conditions=judge_corrupted(predictor, dataset, judged, seed=seed) if robustness else {},
    )
    if part == "all" and split is not None:
        seen = len(set(split.train) & {sample.path for sample in samples})
        warn(f"{seen} of these {len(samples)} images were used in training")
    result = figures(judgement, dataset=dataset, part=part, model=str(bundle), seed=seed)
    if output is not None:
        _write(output, judgement, result, dataset)
    if json:
        print_json(result)
    else:
        print_figures(result, judged)
    if judged.failed:
        ERR.print(f"{len(judged.failed)} of {len(samples)} images could not be read; they are in no figure")
        raise typer.Exit(1)


def _run_of(bundle: Path) -> tuple[Path | None, Split | None]:
    from gafas.bundle import find_bundle
    from gafas.cli.finding import is_model_file
    from gafas.datasets.splits import find_split, read_split

    # A bare model file has no bundle, but may lie in a run folder.
    place = bundle if is_model_file(bundle) else find_bundle(bundle)
    found = find_split(place)
    return (None, None) if found is None else (found.parent, read_split(found))


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


def _write(output: Path, judgement: Judgement, result: dict[str, Any], dataset: Dataset) -> None:
    from gafas.cli.figure_files import draw_figures, write_eyewear, write_thresholds
    from gafas.errors import MissingExtraError
    from gafas.files import write_json
    from gafas.learn.results import write_predictions

    write_json(output / "metrics.json", result)
    write_predictions(output / "predictions.csv", judgement.images.rows)
    write_thresholds(output / "threshold_table.csv", result["thresholds"])
    write_eyewear(output / "eyewear.csv", judgement)
    try:
        draw_figures(output, judgement, dataset, part=result["split"], seed=result["seed"])
    except MissingExtraError as error:
        warn(f"no pictures: {error}")
    note(f"written: {output}")
