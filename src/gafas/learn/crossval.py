"""Cross-validation by person: folds in parallel, each finished one kept, the pooled figures of all. No Keras here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from gafas.errors import DataError, GafasError, MissingExtraError
from gafas.files import write_json
from gafas.learn.config import Config
from gafas.learn.fold_files import FOLDS, PREDICTIONS, FoldResult, read_fold, verify, write_fold, write_rows
from gafas.learn.fold_recipes import FoldWork, find_fold_recipe
from gafas.learn.folds import Fold, digest, fingerprint, plan_folds
from gafas.learn.pictures import Pictures
from gafas.learn.runs import METRICS
from gafas.learn.weights import WeightsSource
from gafas.scoring.checks import check_scores
from gafas.scoring.groups import GroupKey, by_group, clustered_interval, group_to_json
from gafas.scoring.metrics import evaluate, to_json
from gafas.values import Sample

_KEYS: tuple[GroupKey, ...] = ("person", "pose", "expression", "eyewear", "label")

Listener = Callable[[FoldResult, int, int], None]
"""Told of each finished fold, how many are finished and how many there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crossval:
    """A planned cross-validation.

    Attributes
    ----------
    folder : Path
        Where everything is written.
    config : Config
        Of the recipe.
    pictures : Pictures
        Of all folds.
    folds : tuple of Fold
    weights : WeightsSource
    """

    folder: Path
    config: Config
    pictures: Pictures
    folds: tuple[Fold, ...]
    weights: WeightsSource


@dataclass(frozen=True, slots=True)
class _Task:
    crossval: Crossval
    fold: Fold
    fingerprint: str
    threads: int


def plan(folder: Path, config: Config, pictures: Pictures, folds: int | None, *, weights: WeightsSource) -> Crossval:
    """Decide who is left out when; errors as `gafas.learn.folds.plan_folds` and for an unknown recipe."""
    recipe = find_fold_recipe(config.recipe)
    planned = plan_folds(pictures.samples, folds, seed=config.seed, validation=recipe.chooses)
    return Crossval(folder=folder, config=config, pictures=pictures, folds=planned, weights=weights)


def run_crossval(
    crossval: Crossval, *, jobs: int, listener: Listener, engine: Literal["local", "ray"] = "local"
) -> dict[str, Any]:
    """Train what is not finished yet, verify, and write predictions and metrics.

    Parameters
    ----------
    jobs : int
        Processes at once, 1 or more; the cores are shared among them.
    listener : callable
        Also told of the folds that an earlier sitting has finished.
    engine : {"local", "ray"}
        Processes of this machine, or those of the Ray cluster that this process has joined; its machines must see the
        data and the weights under the same paths.

    Returns
    -------
    dict
        As ``metrics.json`` holds it.

    Raises
    ------
    DataError
        A fold cannot be trained, or the files do not prove that nobody was seen.
    GafasError
        A process was killed from outside.
    MissingExtraError
        joblib, or Ray, is not installed.
    OutputError
        A file cannot be written.
    """
    tasks = _tasks(crossval, jobs)
    finished = [result for task in tasks if (result := _finished(task)) is not None]
    _remove_strangers(crossval)
    for done, result in enumerate(finished, start=1):
        listener(result, done, len(tasks))
    done_already = {result.fold for result in finished}
    for result in _in_parallel([task for task in tasks if task.fold.name not in done_already], jobs, engine):
        finished.append(result)
        listener(result, len(finished), len(tasks))
    write_rows(crossval.folder / PREDICTIONS, crossval.pictures.samples, finished)
    probabilities = verify(crossval.folder, crossval.pictures.samples)
    metrics = pool(crossval, probabilities, finished)
    write_json(crossval.folder / METRICS, metrics)
    return metrics


def pool(crossval: Crossval, probabilities: dict[str, float], results: Sequence[FoldResult]) -> dict[str, Any]:
    """Return the figures of all images together, each judged by its own fold."""
    samples, config = crossval.pictures.samples, crossval.config
    scores = [probabilities[sample.path] for sample in samples]
    rows = {key: by_group(samples, scores, threshold=config.threshold, key=key) for key in _KEYS}
    whole = clustered_interval(
        samples, scores, threshold=config.threshold, key="person", rng=np.random.default_rng(config.seed)
    )
    return {
        "recipe": config.recipe,
        **to_json(evaluate([sample.target for sample in samples], scores, threshold=config.threshold)),
        "persons": len(rows["person"]),
        "interval_over_persons": [whole.low, whole.high],
        "errors": [
            sample.path
            for sample, score in zip(samples, scores, strict=True)
            if (score >= config.threshold) != (sample.target == 1)
        ],
        "by": {key: [group_to_json(row) for row in found] for key, found in rows.items() if found},
        "folds": len(crossval.folds),
        "seconds": sum(result.seconds for result in results),
    }


def _tasks(crossval: Crossval, jobs: int) -> list[_Task]:
    recipe = find_fold_recipe(crossval.config.recipe)
    pictures = digest(crossval.pictures)
    weights = crossval.weights.describe() if recipe.uses_weights else None
    threads = max(1, (os.cpu_count() or 1) // jobs)
    return [
        _Task(crossval, fold, fingerprint(fold, crossval.config, pictures=pictures, weights=weights), threads)
        for fold in crossval.folds
    ]


def _finished(task: _Task) -> FoldResult | None:
    """Return what an earlier sitting has left of this very fold."""
    path = task.crossval.folder / FOLDS / f"{task.fold.name}.json"
    if not path.exists():
        return None
    try:
        result = read_fold(path)
    except DataError:
        return None
    return result if result.fingerprint == task.fingerprint else None


def _remove_strangers(crossval: Crossval) -> None:
    """Remove files of folds that this plan does not have: of other data, or of another number of folds."""
    names = {f"{fold.name}.json" for fold in crossval.folds}
    for path in (crossval.folder / FOLDS).glob("*.json"):
        if path.name not in names:
            path.unlink()


def _in_parallel(tasks: Sequence[_Task], jobs: int, engine: str) -> Any:
    try:
        from joblib import Parallel, delayed, parallel_config
        from joblib.externals.loky.process_executor import BrokenProcessPool
    except ImportError as error:
        raise MissingExtraError("cross-validation", "train") from error
    if not tasks:
        return
    if engine == "ray":
        yield from _on_ray(tasks, jobs)
        return
    backend: dict[str, Any] = {"backend": "sequential"}
    if jobs > 1:
        backend = {"backend": "loky", "n_jobs": jobs, "inner_max_num_threads": tasks[0].threads}
    try:
        with parallel_config(**backend):
            # One fold at a time to each process: a fold lasts minutes, and its result is not to wait for others.
            yield from Parallel(return_as="generator_unordered", batch_size=1)(
                delayed(_run_fold)(task) for task in tasks
            )
    except BrokenProcessPool as error:
        raise GafasError(
            f"a fold's process was killed from outside, perhaps for want of memory ({type(error).__name__}); "
            f"go on with fewer: gafas crossval --resume {tasks[0].crossval.folder} --jobs 1"
        ) from error


def _on_ray(tasks: Sequence[_Task], jobs: int) -> Any:
    """Train folds on the cluster, all at once: joblib's Ray backend gives no result before the last one."""
    try:
        from joblib import Parallel, delayed, parallel_config
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise MissingExtraError("--engine ray", "scale") from error
    register_ray()
    # Never one: joblib would train it here, and not on the cluster.
    with parallel_config(backend="ray", n_jobs=max(jobs, 2)):
        results = Parallel(batch_size=1, pre_dispatch="all")(delayed(_run_fold)(task) for task in tasks)
    for task, result in zip(tasks, results, strict=True):
        # Where the machines share no folder, a fold's file lies on another one.
        write_fold(task.crossval.folder, result)
        yield result


def _run_fold(task: _Task) -> FoldResult:
    """Train one fold and write its file; in a process of its own when there are several jobs."""
    # TensorFlow reads these when it starts, and takes every core otherwise.
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        os.environ.setdefault(name, str(task.threads))
    crossval, fold = task.crossval, task.fold
    recipe = find_fold_recipe(crossval.config.recipe)
    train, held_out = crossval.pictures.take(fold.train), crossval.pictures.take(fold.held_out)
    validation = crossval.pictures.take(fold.validation) if fold.validation else None
    started = time.perf_counter()
    try:
        work = FoldWork(crossval.config, train, validation, held_out, crossval.weights, crossval.config.seed)
        _, probabilities = check_scores(held_out.targets, recipe.run(work))
    except MissingExtraError as error:
        # Its two arguments do not survive the way between processes.
        raise GafasError(str(error)) from None
    except DataError as error:
        raise DataError(f"fold {fold.name}: {error}") from error
    result = FoldResult(
        fold=fold.name,
        fingerprint=task.fingerprint,
        persons=fold.persons,
        train=_paths(train.samples),
        validation=_paths(validation.samples) if validation is not None else (),
        paths=_paths(held_out.samples),
        probabilities=tuple(probabilities.tolist()),
        seconds=time.perf_counter() - started,
    )
    write_fold(crossval.folder, result)
    return result


def _paths(samples: Sequence[Sample]) -> tuple[str, ...]:
    return tuple(sample.path for sample in samples)
