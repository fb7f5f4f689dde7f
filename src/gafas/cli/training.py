"""From options to a finished run folder: what ``train`` and ``reproduce`` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gafas.cli.console import ERR, between, note, print_table, share, warn
from gafas.cli.progress import training_bar
from gafas.files import write_json
from gafas.values import SPLIT_NAMES, Dataset, Label, Split

if TYPE_CHECKING:
    from gafas.learn.config import Config
    from gafas.learn.pictures import Pictures
    from gafas.learn.recipes import Trained
    from gafas.learn.runs import Run


@dataclass(frozen=True, slots=True)
class Job:
    """A run with everything that training it needs."""

    run: Run
    dataset: Dataset
    split: Split
    pictures: Pictures


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequest:
    """Which data set, and what may be left out of it."""

    data: str | None
    classes: dict[Label, list[str]] | None = None
    skip_unknown: bool = False
    skip_broken: bool = False

    @classmethod
    def of_record(cls, record: dict[str, Any], *, data: str | None = None) -> DataRequest:
        """Ask again for what `record` says; `data` tells where it is now."""
        names = ("classes", "skip_unknown", "skip_broken")
        return cls(data=data or record["root"], **{name: record[name] for name in names})

    def record(self, dataset: Dataset, broken: Sequence[str]) -> dict[str, Any]:
        """Return what a run keeps of its data, so that it can be asked for again."""
        return {
            "name": dataset.name,
            "synthetic": dataset.synthetic,
            "root": str(dataset.root.resolve()),
            "classes": self.classes,
            "skip_unknown": self.skip_unknown,
            "skip_broken": self.skip_broken,
            "skipped": [*dataset.skipped, *broken],
        }

    def load(self) -> Dataset:
        """Find and read the data set; says so when the pictures are drawn."""
        from gafas.datasets.locate import load_dataset

        dataset = load_dataset(self.data, skip_unknown=self.skip_unknown, classes=self.classes)
        if dataset.synthetic:
            warn("SYNTHETIC DATA: drawn faces, not photographs; the figures say nothing about real ones")
        for path in dataset.skipped[:5]:
            note(f"left out: {path}")
        if len(dataset.skipped) > 5:
            note(f"left out: {len(dataset.skipped) - 5} more")
        return dataset


def start_job(
    config: Config,
    request: DataRequest,
    *,
    weights: str | None,
    output: Path | None,
    overwrite: bool,
    overlays: str | None = None,
    plain: bool = False,
) -> Job:
    """Make a new run folder: data read, split drawn and saved; `plain` is for recipe ``notebook`` alone."""
    from gafas.cli.holding import hold
    from gafas.datasets import splits
    from gafas.learn.recipes import load_for, split_for
    from gafas.learn.runs import SPLIT, new_run
    from gafas.learn.weights import find_weights

    dataset = request.load()
    source = find_weights(weights)
    pictures, broken = load_for(config, dataset, dataset.at("full"), skip_broken=request.skip_broken)
    for path in broken:
        warn(f"cannot be read, left out: {path}")
    split = split_for(config, pictures.samples)
    splits.check_split(split, pictures.samples)
    counts = {name: len(split.part(name)) for name in SPLIT_NAMES}
    extra = {"weights": source.describe() if config.recipe != "pca" else None, "split": counts}
    run = new_run(
        output,
        config,
        data=request.record(dataset, broken),
        extra={**extra, "weights_given": weights, "overlays": overlays, **({"plain": True} if plain else {})},
        overwrite=overwrite,
        hold=hold,
    )
    write_json(run.folder / SPLIT, splits.split_to_json(split))
    ERR.print(f"run folder: [bold]{run.folder}[/bold]")
    note(f"{dataset.name}: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return Job(run, dataset, split, pictures)


def find_overlays(given: str | None) -> str | None:
    """Return the folder of transparent glasses: `given`, else ``$GAFAS_DATA/overlays``, else ``None``."""
    from gafas.datasets.locate import find_data
    from gafas.errors import DataError

    try:
        return str(find_data("overlays", given or "overlays").resolve())
    except DataError:
        if given is not None:
            raise
        note("no transparent glasses found; all pasted glasses are drawn (see --overlays)")
        return None


def resume_job(folder: Path, *, data: str | None = None) -> Job:
    """Open a run folder as it was made: same config, data and split; `data` says where the data is now."""
    from gafas.cli.holding import hold
    from gafas.datasets.splits import check_split, read_split
    from gafas.learn.recipes import load_for
    from gafas.learn.runs import SPLIT, open_run

    run = open_run(folder)
    hold(folder)
    dataset = DataRequest.of_record(run.record["data"], data=data).load()
    if not (run.folder / SPLIT).exists() and not run.begun:
        return _draw_split(run, dataset)
    split = read_split(run.folder / SPLIT)
    listed = {path for name in SPLIT_NAMES for path in split.part(name)}
    samples = [sample for sample in dataset.at("full") if sample.path in listed]
    pictures, _ = load_for(run.config, dataset, samples)
    check_split(split, pictures.samples)
    return Job(run, dataset, split, pictures)


def _draw_split(run: Run, dataset: Dataset) -> Job:
    """Draw the split of a run that was stopped before it could save it: the same data and seed give the same one."""
    from gafas.datasets import splits
    from gafas.learn.recipes import load_for, split_for
    from gafas.learn.runs import SPLIT

    data = run.record["data"]
    samples = [sample for sample in dataset.at("full") if sample.path not in set(data["skipped"])]
    pictures, _ = load_for(run.config, dataset, samples)
    split = split_for(run.config, pictures.samples)
    splits.check_split(split, pictures.samples)
    write_json(run.folder / SPLIT, splits.split_to_json(split))
    return Job(run, dataset, split, pictures)


def train_job(job: Job) -> Trained:
    """Train (or go on), then write metrics, predictions, pictures and bundle into the run folder."""
    from gafas.learn.recipes import save_bundle, train_recipe
    from gafas.learn.results import write_predictions
    from gafas.learn.runs import METRICS, NETWORK, PREDICTIONS
    from gafas.learn.weights import find_weights

    run = job.run
    parts = {name: job.pictures.take(job.split.part(name)) for name in SPLIT_NAMES}
    epochs = getattr(run.config, "epochs", 0) + getattr(run.config, "fine_tune_epochs", 0)
    try:
        with training_bar(run.read_state().epochs_done, epochs) as listener:
            trained = train_recipe(run, parts, find_weights(run.record["weights_given"]), listener)
    except KeyboardInterrupt:
        done = run.read_state().epochs_done
        ERR.print(f"interrupted after epoch {done}; go on with: gafas train --resume {run.folder}")
        raise typer.Exit(130) from None
    probabilities = {
        sample.path: float(p)
        for part in parts.values()
        for sample, p in zip(part.samples, trained.predict(part), strict=True)
    }
    rows = [(s, probabilities[s.path], name) for name in SPLIT_NAMES for s in parts[name].samples]
    write_predictions(run.folder / PREDICTIONS, rows)
    bundle = save_bundle(run, trained)
    draw_run(job, trained, probabilities)
    if network := trained.details.get("network"):
        write_json(run.folder / NETWORK, network)
    write_json(run.folder / METRICS, {**trained.stages, "seconds": trained.seconds})
    if not (bundle.folder / "model.onnx").exists():
        warn(f"no model.onnx yet; make it with: KERAS_BACKEND=tensorflow gafas export {run.folder} --format onnx")
    return trained


def draw_run(job: Job, trained: Trained, probabilities: dict[str, float]) -> None:
    """Write the run's pictures; without Matplotlib say so and go on, for the figures are safe."""
    from gafas.errors import MissingExtraError

    try:
        from gafas.report import components, curves
    except MissingExtraError as error:
        warn(f"no pictures: {error}")
        return
    from gafas.cli.pictures import draw_scores

    folder, synthetic = job.run.folder, job.dataset.synthetic
    test = job.pictures.take(job.split.test)
    scores = [probabilities[path] for path in job.split.test]
    draw_scores(folder, test.samples, scores, trained.threshold, "test", synthetic, images=list(test.images))
    if history := trained.details.get("history"):
        curves.plot_curves(folder / "curves.png", history, fine_tune_at=history["fine_tune_at"], synthetic=synthetic)
    if model := trained.details.get("pca"):
        ratios = model.explained
        components.plot_eigenfaces(
            folder / "eigenfaces.png", model.components, model.mean, ratios=list(ratios), synthetic=synthetic
        )
        components.plot_explained_variance(folder / "explained_variance.png", ratios, synthetic=synthetic)


def print_stages(stages: dict[str, Any], *, title: str) -> None:
    """Print accuracy, interval, loss and n of each stage and part."""
    rows = [
        (f"{stage} {part}", share(m["accuracy"]), between(m["interval"]), share(m["loss"]), m["n"])
        for stage, parts in stages.items()
        for part, m in parts.items()
    ]
    print_table(title, ["", "accuracy", "95 % interval", "loss", "n"], rows)
