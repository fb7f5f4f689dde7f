"""Training: two stages, repeatable to the last digit, and resumed as if nothing had happened."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.cli.training import Job
from gafas.errors import DataError
from gafas.learn.pictures import Pictures
from gafas.values import SPLIT_NAMES, Sample
from tests.learn.conftest import MakeJob

pytestmark = pytest.mark.train


def _train(job: Job, *, stop_at: int | None = None) -> list[Any]:
    from gafas.learn.config import NotebookConfig
    from gafas.learn.fitting import Progress
    from gafas.learn.train import train_network
    from gafas.learn.weights import WeightsSource

    heard: list[Progress] = []

    def listen(progress: Progress) -> None:
        heard.append(progress)
        if progress.epoch == stop_at and progress.step == 2:
            raise KeyboardInterrupt

    parts = {name: job.pictures.take(job.split.part(name)) for name in SPLIT_NAMES}
    assert isinstance(job.run.config, NotebookConfig)
    train_network(job.run, job.run.config, parts, WeightsSource("random"), listener=listen)
    return heard


def _history(job: Job) -> dict[str, Any]:
    history: dict[str, Any] = json.loads((job.run.folder / "history.json").read_text())
    return history


@pytest.fixture(scope="module")
def undisturbed(make_job: MakeJob) -> tuple[Job, list[Any]]:
    """A job that nobody interrupted, and what its listener heard."""
    job = make_job("undisturbed")
    return job, _train(job)


def test_two_stages_with_history_checkpoint_and_metrics(undisturbed: tuple[Job, list[Any]]) -> None:
    job, heard = undisturbed
    history, state = _history(job), job.run.read_state()
    assert all(len(history[key]) == 4 for key in ("loss", "accuracy", "val_loss", "val_accuracy"))
    assert history["fine_tune_at"] == 2
    assert set(history["initial"]) == {"val_loss", "val_accuracy"}
    assert (state.epochs_done, list(state.stages)) == (4, ["frozen", "tuned"])
    assert set(state.stages["tuned"]) == {"train", "validation", "test"}
    assert state.stages["tuned"]["test"]["n"] == 8
    assert [p.name for p in (job.run.folder / "checkpoint").glob("epoch-*")] == ["epoch-004.npz"]
    ends = [(p.stage, p.epoch, p.epochs) for p in heard if "val_loss" in p.logs]
    assert ends == [("frozen", 1, 4), ("frozen", 2, 4), ("tuned", 3, 4), ("tuned", 4, 4)]
    # The figures of the last epoch are those of the exported, random-free graph.
    assert state.stages["tuned"]["validation"]["accuracy"] == pytest.approx(history["val_accuracy"][-1])
    assert state.stages["tuned"]["validation"]["loss"] == pytest.approx(history["val_loss"][-1], rel=1e-3)


def test_resumed_history_is_the_undisturbed_one(make_job: MakeJob, undisturbed: tuple[Job, list[Any]]) -> None:
    disturbed = make_job("disturbed")
    # In the middle of the frozen stage, at the door of the tuned one, and inside it.
    for stop in (2, 3, 4):
        with pytest.raises(KeyboardInterrupt):
            _train(disturbed, stop_at=stop)
        assert disturbed.run.read_state().epochs_done == stop - 1
    _train(disturbed)
    assert _history(disturbed) == _history(undisturbed[0])
    first, second = (job.run.read_state().stages for job in (undisturbed[0], disturbed))
    assert first == second


def test_another_seed_is_another_training(make_job: MakeJob) -> None:
    jobs = [make_job(str(seed), seed=seed, epochs=1, fine_tune_epochs=0) for seed in (1, 2)]
    for job in jobs:
        _train(job)
    assert _history(jobs[0])["loss"] != _history(jobs[1])["loss"]
    assert list(jobs[0].run.read_state().stages) == ["frozen"]


def test_a_lost_checkpoint_is_named(make_job: MakeJob) -> None:
    job = make_job("run")
    with pytest.raises(KeyboardInterrupt):
        _train(job, stop_at=2)
    next((job.run.folder / "checkpoint").glob("*.npz")).unlink()
    with pytest.raises(DataError, match="the checkpoint's weights are missing"):
        _train(job)


def test_a_damaged_checkpoint_is_named(make_job: MakeJob) -> None:
    job = make_job("run")
    with pytest.raises(KeyboardInterrupt):
        _train(job, stop_at=2)
    checkpoint = next((job.run.folder / "checkpoint").glob("*.npz"))
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    with pytest.raises(DataError, match=r"epoch-001.npz: expected a checkpoint: .*; start a new run"):
        _train(job)
    with checkpoint.open("wb") as file:
        np.savez(file, np.zeros(3))
    with pytest.raises(DataError, match=r"expected \d+ arrays of this network, got others"):
        _train(job)


def test_a_checkpoint_of_an_earlier_version_is_taken(make_job: MakeJob) -> None:
    from gafas.learn.backend import keras
    from gafas.learn.fitting import load_checkpoint
    from gafas.learn.runs import State

    job = make_job("run")
    models = [keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]) for _ in range(2)]
    for model in models:
        model.compile(optimizer=keras.optimizers.RMSprop(0.1), loss="mse")
    models[0].fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
    (job.run.folder / "checkpoint").mkdir()
    models[0].save_weights(job.run.folder / "checkpoint" / "epoch-001.weights.h5")
    load_checkpoint(job.run, State(epochs_done=1, weights="epoch-001.weights.h5"), models[1])
    old_values, new_values = (model.weights + model.optimizer.variables for model in models)
    for old, new in zip(old_values, new_values, strict=True):
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(old), keras.ops.convert_to_numpy(new))


def test_plain_keras_is_the_same_training(make_job: MakeJob, undisturbed: tuple[Job, list[Any]]) -> None:
    job = make_job("plain")
    job.run.record["plain"] = True
    _train(job)
    plain, fast = _history(job), _history(undisturbed[0])
    for key in ("loss", "val_loss"):
        assert fast[key] == pytest.approx(plain[key], rel=2e-3)
    # The same dropout, the same views, the same order: a single image may change sides by rounding.
    for key in ("accuracy", "val_accuracy"):
        assert fast[key] == pytest.approx(plain[key], abs=0.05)
    assert fast["initial"]["val_loss"] == pytest.approx(plain["initial"]["val_loss"], rel=1e-4)


def _statistics(network: Any) -> list[NDArray[np.float32]]:
    return [np.asarray(v) for v in network.backbone.non_trainable_variables if "moving" in v.path]


@pytest.mark.parametrize("plain", [False, True])
def test_batchnorm_keeps_its_statistics(plain: bool, make_job: MakeJob, monkeypatch: pytest.MonkeyPatch) -> None:
    from gafas.learn import model, train

    built: list[Any] = []

    def build(*words: Any) -> Any:
        built.append(model.build_network(*words))
        built.extend(_statistics(built[0]))
        return built[0]

    monkeypatch.setattr(train, "build_network", build)
    job = make_job(f"norms {plain}", epochs=1, fine_tune_epochs=1)
    job.run.record["plain"] = plain
    _train(job)
    network, *before = built
    after = _statistics(network)
    assert len(after) == len(before) == 104
    for old, new in zip(before, after, strict=True):
        np.testing.assert_array_equal(old, new)


def _pictures(labels: list[Any]) -> Pictures:
    samples = tuple(Sample(f"{i}.png", label) for i, label in enumerate(labels))
    images: NDArray[np.uint8] = np.zeros((len(labels), 32, 32, 3), dtype=np.uint8)
    return Pictures(samples, images)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (["sunglasses", "no_sunglasses"], "at least one batch of 10 images, got 2"),
        (["sunglasses"] * 12, "both classes, got only sunglasses"),
    ],
)
def test_too_little_to_train_on(labels: list[Any], message: str, make_job: MakeJob) -> None:
    from gafas.learn.config import NotebookConfig
    from gafas.learn.train import train_network
    from gafas.learn.weights import WeightsSource

    job = make_job("run")
    parts = dict.fromkeys(SPLIT_NAMES, _pictures(labels))
    with pytest.raises(DataError, match=message):
        train_network(job.run, NotebookConfig(), parts, WeightsSource("random"), listener=lambda _: None)


def test_plain_keras_accuracy_cuts_logits_at_one_half() -> None:
    """Why our metric has a threshold of its own: the notebook's "accuracy" misjudges logits in (0, 0.5]."""
    import keras

    plain, ours = keras.metrics.BinaryAccuracy(), keras.metrics.BinaryAccuracy(threshold=0.0)
    for metric in (plain, ours):
        metric.update_state([[1.0]], [[0.3]])
    assert (float(plain.result()), float(ours.result())) == (0.0, 1.0)
