"""Recipe adapt: the shipped model on drawn faces, in each of its ways, and how the way is chosen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("cv2", reason="the train extra is not installed")
pytest.importorskip("keras", reason="the train extra is not installed")

from gafas.cli.training import DataRequest, start_job, train_job
from gafas.datasets.cmu import read_cmu
from gafas.errors import DataError, UsageError
from gafas.learn.adapt import WAYS, adapt, inner_split
from gafas.learn.backbone import run_batches
from gafas.learn.config import AdaptConfig, make_config
from gafas.learn.portraits import Portraits, load_portraits
from gafas.runtime.predictor import load_predictor
from gafas.values import Dataset, Sample

pytestmark = pytest.mark.train

CONFIG = AdaptConfig(batch_size=8, epochs=1, seed=1)


@pytest.fixture(scope="module")
def drawn(synthetic_root: Path) -> Dataset:
    return read_cmu(synthetic_root)


@pytest.fixture(scope="module")
def faces(drawn: Dataset) -> Portraits:
    portraits, _ = load_portraits(drawn, drawn.at("full")[::3], size=CONFIG.input_size, margin=CONFIG.margin)
    return portraits


def scores(faces: Portraits, way: str) -> NDArray[np.float64]:
    return run_batches(adapt(replace(CONFIG, way=way), faces).network.inference, faces.images)[:, 0]


def test_as_it_is_the_shipped_model_answers_with_its_threshold_at_a_half(faces: Portraits) -> None:
    shipped = load_predictor(precision="float32")
    want = np.array([shipped.backend.probabilities(image[None])[0, 0] for image in faces.images])
    got = scores(faces, "base")
    middle = np.log(shipped.threshold / (1 - shipped.threshold))
    assert np.log(got / (1 - got)) == pytest.approx(np.log(want / (1 - want)) - middle, abs=0.3)  # float16 weights


def test_a_fitted_head_fits_better(faces: Portraits) -> None:
    def loss(answers: NDArray[np.float64]) -> float:
        sure = np.where(faces.targets == 1, answers, 1 - answers).clip(1e-7)
        return float(-np.log(sure).mean())

    assert loss(scores(faces, "head")) < loss(scores(faces, "base"))


def test_the_way_with_the_least_loss_on_persons_held_out_is_taken(faces: Portraits) -> None:
    adapted = adapt(CONFIG, faces)
    assert set(adapted.losses) == set(WAYS)
    assert adapted.losses[adapted.way] == min(adapted.losses.values())


def _samples(persons: str, *, known: bool = True) -> list[Sample]:
    return [
        Sample(path=f"{kind}/{person}{i}.png", label=kind, person=person if known else None)
        for person in persons
        for kind in ("sunglasses", "no_sunglasses")
        for i in range(3)
    ]


def test_no_person_is_on_both_inner_sides() -> None:
    samples = _samples("abcdefghij")
    inner, held = inner_split(samples, fraction=0.2, seed=5)
    person = {sample.path: sample.person for sample in samples}
    assert {person[path] for path in inner} | {person[path] for path in held} == set("abcdefghij")
    assert not {person[path] for path in inner} & {person[path] for path in held}
    assert len({person[path] for path in held}) == 2
    assert inner_split(samples, fraction=0.2, seed=5) == (inner, held)
    assert inner_split(samples, fraction=0.2, seed=6) != (inner, held)


def test_without_persons_files_are_dealt_out() -> None:
    samples = _samples("ab", known=False)
    inner, held = inner_split(samples, fraction=0.5, seed=0)
    assert sorted(inner + held) == sorted(sample.path for sample in samples)


def test_one_person_is_too_few_to_choose(faces: Portraits) -> None:
    with pytest.raises(DataError, match=r"1 persons are too few.*--set way=head"):
        inner_split(_samples("a"), fraction=0.2, seed=0)
    with pytest.raises(UsageError, match="way: expected auto, base, head or tuned, got magic"):
        make_config("adapt", {"way": "magic"})


def test_a_run_tells_how_it_was_adapted(synthetic_root: Path, tmp_path: Path) -> None:
    config = make_config("adapt", {"batch_size": 8, "way": "head", "seed": 1})
    job = start_job(
        config, DataRequest(data=str(synthetic_root)), weights="gafas-base", output=tmp_path / "run", overwrite=False
    )
    train_job(job)
    predictor = load_predictor(tmp_path / "run")
    assert (predictor.region, predictor.outputs, predictor.threshold) == ("face", ("sunglasses",), 0.5)
