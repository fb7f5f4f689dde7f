"""Scoring labelled samples with a light runtime; the unreadable ones are kept and named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from rich.progress import track

from gafas.cli.console import ERR
from gafas.cli.finding import is_model_file
from gafas.errors import DataError, ImageError, UsageError
from gafas.values import Dataset, Sample

if TYPE_CHECKING:
    from gafas.imaging import Rgb
    from gafas.learn.results import Prediction
    from gafas.runtime.predictor import Predictor

_BATCH = 32


@dataclass(frozen=True, slots=True)
class Judged:
    """Scores beside their samples.

    Attributes
    ----------
    samples, probabilities : lists of the same length
        What could be read, and P(sunglasses) of it.
    failed : list of (path, reason)
    rows : list of Prediction
        Every sample, also the failed ones, in the order given.
    threshold, eyeglasses_threshold : float
        From which each is said to be worn.
    eyeglasses : list of float, or None
        P(eyeglasses) of each of `samples`; ``None`` where the model does not know them.
    """

    samples: list[Sample]
    probabilities: list[float]
    failed: list[tuple[str, str]]
    rows: list[Prediction]
    threshold: float
    eyeglasses_threshold: float = 0.5
    eyeglasses: list[float] | None = None

    @property
    def targets(self) -> list[int]:
        """1 for sunglasses, 0 for none."""
        return [sample.target for sample in self.samples]


def open_predictor(
    model: Path,
    *,
    runtime: str,
    threads: int,
    threshold: float | None,
    scale: str,
    positive: str,
    region: str = "auto",
    precision: str = "auto",
    thorough: bool = False,
) -> Predictor:
    """Open a bundle, a run folder or a bare model file, which judges whole images unless `region` says ``face``.

    Raises
    ------
    UsageError
        An unknown runtime, precision or region, or output options that mean nothing here.
    """
    from gafas.runtime.backends import OutputMeaning, open_model
    from gafas.runtime.faces import FaceDetector
    from gafas.runtime.predictor import RUNTIMES, Predictor, load_predictor, resolve_region

    if runtime not in RUNTIMES:
        raise UsageError(f"--runtime: expected one of {', '.join(RUNTIMES)}, got {runtime}")
    if scale not in {"probability", "logit"}:
        raise UsageError(f"--output-scale: expected probability or logit, got {scale}")
    if positive not in {"sunglasses", "no_sunglasses"}:
        raise UsageError(f"--output-class: expected sunglasses or no_sunglasses, got {positive}")
    meaning = OutputMeaning(cast(Any, scale), cast(Any, positive))
    if not is_model_file(model):
        if meaning != OutputMeaning():
            raise UsageError("--output-scale and --output-class are for bare model files; a bundle's manifest says it")
        return load_predictor(
            model,
            threads=threads,
            threshold=threshold,
            runtime=cast(Any, runtime),
            region=region,
            precision=precision,
            thorough=thorough,
        )
    chosen = resolve_region(region, trained_on="whole")
    return Predictor(
        open_model(model, threads=threads, meaning=meaning),
        threshold=0.5 if threshold is None else threshold,
        region=chosen,
        detector=FaceDetector(threads=threads, precision=precision, thorough=thorough) if chosen == "face" else None,
        name=model.name,
    )


def judge(
    predictor: Predictor,
    dataset: Dataset,
    samples: Sequence[Sample],
    parts: dict[str, str],
    *,
    change: Callable[[Sample, Rgb], Rgb] | None = None,
) -> Judged:
    """Score samples in batches.

    Parameters
    ----------
    parts : dict
        Path → part of the split, for the rows.
    change : callable, optional
        What is done to each image before it is scored.

    Raises
    ------
    DataError
        None of the images can be read.
    """
    clear: list[float] | None = [] if predictor.knows_eyeglasses else None
    judged = Judged([], [], [], [], predictor.threshold, predictor.eyeglasses_threshold, clear)
    starts = range(0, len(samples), _BATCH)
    for start in track(starts, "scoring", console=ERR, transient=True, disable=not ERR.is_terminal):
        _judge_batch(predictor, dataset, samples[start : start + _BATCH], parts, judged, change)
    if not judged.samples:
        raise DataError(f"{dataset.root}: none of the {len(samples)} images can be read")
    return judged


def _judge_batch(
    predictor: Predictor,
    dataset: Dataset,
    samples: Sequence[Sample],
    parts: dict[str, str],
    judged: Judged,
    change: Callable[[Sample, Rgb], Rgb] | None,
) -> None:
    from gafas.imaging import read_image

    images = []
    readable = []
    for sample in samples:
        try:
            image = read_image(dataset.root / sample.path)
        except ImageError as error:
            judged.failed.append((sample.path, str(error)))
            continue
        images.append(image if change is None else change(sample, image))
        readable.append(sample)
    scores = predictor.score(images)
    probabilities = scores[:, 0].tolist()
    judged.samples.extend(readable)
    judged.probabilities.extend(probabilities)
    if judged.eyeglasses is not None:
        judged.eyeglasses.extend(scores[:, predictor.outputs.index("eyeglasses")].tolist())
    known = dict(zip((sample.path for sample in readable), probabilities, strict=True))
    judged.rows.extend((sample, known.get(sample.path), parts.get(sample.path, "")) for sample in samples)
