"""The figures of an evaluation as ``metrics.json`` holds them: computed by `gafas.scoring`, only put together here."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from gafas.errors import DataError
from gafas.values import EYEWEAR, Dataset, Eyewear, Sample

if TYPE_CHECKING:
    from gafas.cli.judging import Judged
    from gafas.imaging import Rgb
    from gafas.runtime.predictor import Predictor

UNTOUCHED = "as they are"


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """All that was scored for one evaluation.

    Attributes
    ----------
    images : Judged
        The images that the figures are of.
    by_resolution : dict
        The same photographs at each resolution; empty where there is one only.
    unclear : Judged or None
        The images that the data set itself calls unclear. They have no label, so they are in no figure.
    conditions : dict
        The same images under each corruption; empty unless asked for.
    """

    images: Judged
    by_resolution: dict[str, Judged] = field(default_factory=dict)
    unclear: Judged | None = None
    conditions: dict[str, Judged] = field(default_factory=dict)


def judge_unclear(predictor: Predictor, dataset: Dataset) -> Judged | None:
    """Score the images of the ``unclear`` folder; ``None`` where there are none."""
    from gafas.cli.judging import Judged, judge

    if not dataset.unclear:
        return None
    # A sample must have a label; nobody looks at the one that is given here.
    samples = [Sample(path, "no_sunglasses") for path in dataset.unclear]
    try:
        return judge(predictor, dataset, samples, {})
    except DataError:
        failed = [(path, "cannot be read") for path in dataset.unclear]
        rows = [(sample, None, "") for sample in samples]
        return Judged([], [], failed, list(rows), predictor.threshold, predictor.eyeglasses_threshold)


def judge_corrupted(predictor: Predictor, dataset: Dataset, judged: Judged, *, seed: int) -> dict[str, Judged]:
    """Score the readable images again under each of `gafas.corruptions.CORRUPTIONS`, after them as they are."""
    from gafas.cli.judging import judge
    from gafas.corruptions import CORRUPTIONS

    results = {UNTOUCHED: judged}
    for name, corrupt in CORRUPTIONS.items():

        def change(sample: Sample, image: Rgb, corrupt: Any = corrupt) -> Rgb:
            # From the path, so that an image gets the same noise in whatever company it is judged.
            rng = np.random.default_rng([seed, zlib.crc32(sample.path.encode())])
            changed: Rgb = corrupt(image, rng)
            return changed

        results[name] = judge(predictor, dataset, judged.samples, {}, change=change)
    return results


def figures(judgement: Judgement, *, dataset: Dataset, part: str, model: str, seed: int) -> dict[str, Any]:
    """Return the object of ``metrics.json``.

    Parameters
    ----------
    part : str
        Of the split, or ``all``.
    model : str
        What was judged, as the user named it.
    seed : int
        Of the bootstrap.
    """
    from gafas.scoring.detail import detail

    judged = judgement.images
    rng = np.random.default_rng(seed)
    return {
        "model": model,
        "data": dataset.name,
        "synthetic": dataset.synthetic,
        "split": part,
        "seed": seed,
        **_of(judged),
        **detail(judged.samples, judged.probabilities, threshold=judged.threshold, rng=rng),
        "by_resolution": {name: _of(one) for name, one in judgement.by_resolution.items()},
        **_eyewear(judged),
        "unclear": None if judgement.unclear is None else _unclear(judgement.unclear),
        "robustness": {name: _of(one) for name, one in judgement.conditions.items()},
        "failed": dict(judged.failed),
    }


def _of(judged: Judged) -> dict[str, Any]:
    from gafas.scoring.metrics import evaluate, to_json

    return to_json(evaluate(judged.targets, judged.probabilities, threshold=judged.threshold))


def said_of(judged: Judged) -> list[Eyewear]:
    """Return the class that is said of each image; without P(eyeglasses), ``none`` means no sunglasses."""
    from gafas.scoring.eyewear import decide

    if not judged.samples:
        return []
    clear = [0.0] * len(judged.samples) if judged.eyeglasses is None else judged.eyeglasses
    # A model without P(eyeglasses) must not say them, whatever its threshold.
    threshold = 1.0 if judged.eyeglasses is None else judged.eyeglasses_threshold
    return decide(judged.probabilities, clear, threshold=judged.threshold, eyeglasses_threshold=threshold)


def known_eyewear(judged: Judged) -> tuple[list[int], list[Eyewear]]:
    """Return the places of the images whose eyewear the data set knows, and that eyewear."""
    known = [(place, sample.eyewear) for place, sample in enumerate(judged.samples) if sample.eyewear is not None]
    return [place for place, _ in known], [eyewear for _, eyewear in known]


def _eyewear(judged: Judged) -> dict[str, Any]:
    """Return the figures that need P(eyeglasses) and images whose eyewear is known; ``None`` where one is missing."""
    from gafas.scoring.eyewear import evaluate_eyeglasses, eyewear_to_json, score_eyewear
    from gafas.scoring.metrics import to_json

    places, truth = known_eyewear(judged)
    if judged.eyeglasses is None or not truth:
        return {"eyewear": None, "eyeglasses": None}
    said = said_of(judged)
    clear = [judged.eyeglasses[place] for place in places]
    alone = {
        name: evaluate_eyeglasses(truth, clear, threshold=judged.eyeglasses_threshold, without_sunglasses=without)
        for name, without in (("among_all", False), ("without_sunglasses", True))
    }
    return {
        "eyewear": {
            **eyewear_to_json(score_eyewear(truth, [said[place] for place in places])),
            "unknown": len(judged.samples) - len(truth),
        },
        "eyeglasses": {name: None if one is None else to_json(one) for name, one in alone.items()},
    }


def _unclear(judged: Judged) -> dict[str, Any]:
    counts = Counter(said_of(judged))
    n = len(judged.samples)
    words = [word for word in EYEWEAR if word != "eyeglasses" or judged.eyeglasses is not None]
    return {
        "n": n,
        "said": {word: {"count": counts[word], "share": counts[word] / n if n else None} for word in words},
        "failed": dict(judged.failed),
    }
