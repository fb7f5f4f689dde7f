"""Recipes gafas and adapt on small drawn data: portraits, feeds, training, resuming, the bundle."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("cv2", reason="the train extra is not installed")
pytest.importorskip("keras", reason="the train extra is not installed")

from gafas.bundle import load_bundle
from gafas.cli.training import DataRequest, Job, resume_job, start_job, train_job
from gafas.datasets.folder import read_folder
from gafas.datasets.synthetic import draw_synthetic
from gafas.errors import DataError, UsageError
from gafas.imaging import read_image, write_image
from gafas.learn.conditions import CONDITIONS
from gafas.learn.config import GafasConfig, make_config
from gafas.learn.fitting import Progress
from gafas.learn.portraits import Portraits, load_portraits
from gafas.learn.weights import WeightsSource
from gafas.runtime.predictor import load_predictor
from gafas.values import SPLIT_NAMES

pytestmark = pytest.mark.train

SMALL = {"input_size": 32, "epochs": 2, "batch_size": 8, "validation_views": 2, "seed": 3}


@pytest.fixture(scope="module")
def faces_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Numbered drawn faces in the folders sunglasses, eyeglasses and none."""
    drawn = draw_synthetic(tmp_path_factory.mktemp("drawn") / "faces", persons=2, size=(44, 48))
    root = tmp_path_factory.mktemp("three") / "faces"
    names = sorted(path for path in drawn.rglob("*.pgm") if not path.stem.endswith(("_2", "_4")))
    for number, path in enumerate(names):
        kind = "sunglasses" if "sunglasses" in path.stem else ("none", "eyeglasses")[number // 2 % 2]
        write_image(root / kind / f"{number * 37:06d}.png", read_image(path))
    return root


def _start(root: Path, output: Path, recipe: str = "gafas", **overrides: object) -> Job:
    config = make_config(recipe, {**SMALL, **overrides})
    return start_job(config, DataRequest(data=str(root)), weights="random", output=output, overwrite=False)


@pytest.fixture(scope="module")
def run(faces_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished small run."""
    folder = tmp_path_factory.mktemp("runs") / "gafas"
    train_job(_start(faces_root, folder))
    return folder


def test_the_run_tells_what_was_chosen(run: Path) -> None:
    chosen = json.loads((run / "calibration.json").read_text())
    manifest = load_bundle(run).manifest
    assert chosen["outputs"] == ["sunglasses", "eyeglasses"] == list(manifest.outputs)
    assert manifest.region == "face"
    assert manifest.margin == GafasConfig().margin
    assert [manifest.threshold, manifest.eyeglasses_threshold] == chosen["thresholds"]
    assert manifest.training["calibration"]["n_views"] == chosen["n_views"] > 0
    validation = json.loads((run / "split.json").read_text())["validation"]
    assert chosen["n_conditions"] == len(CONDITIONS) * len(validation)
    assert "root" not in manifest.training["data"]


def test_the_bundle_gives_two_probabilities_in_the_light_runtime(run: Path, faces_root: Path) -> None:
    path = next((faces_root / "sunglasses").iterdir())
    (verdict, *_) = load_predictor(run).predict(path)
    assert 0 <= verdict.sunglasses <= 1
    assert verdict.eyeglasses is not None
    assert 0 <= verdict.eyeglasses <= 1


def test_the_light_runtime_agrees_with_the_predictions_file(run: Path, faces_root: Path) -> None:
    lines = (run / "predictions.csv").read_text().splitlines()[1:]
    predictor = load_predictor(run)
    for line in lines[:5]:
        path, _, _, probability, _ = line.split(",")
        score = predictor.score([read_image(faces_root / path)])[0, 0]
        # The graph's weights are rounded to float16.
        assert score == pytest.approx(float(probability), abs=5e-3)


@pytest.fixture
def eager() -> Iterator[None]:
    """Training step by step: a few steps take less time than the making of a graph for them."""
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


class Stopped(Exception):
    """Raised by a listener, to stop a training at a certain place."""


def _train_until(job: Job, stop: Callable[[Progress], bool]) -> dict[str, list[float]]:
    """Train until `stop` says so, and return the history."""
    from gafas.learn.face_train import train_faces

    def listen(progress: Progress) -> None:
        if stop(progress):
            raise Stopped

    parts = {name: job.pictures.take(job.split.part(name)) for name in SPLIT_NAMES}
    assert all(isinstance(part, Portraits) for part in parts.values())
    assert isinstance(job.run.config, GafasConfig)
    with pytest.raises(Stopped):
        train_faces(job.run, job.run.config, parts, WeightsSource("random"), (), listener=listen)  # type: ignore[arg-type]
    history: dict[str, list[float]] = json.loads((job.run.folder / "history.json").read_text())
    return history


@pytest.mark.filterwarnings("ignore:Even though the:UserWarning")  # tf.data's functions are graphs all the same
@pytest.mark.usefixtures("eager")
def test_a_resumed_run_repeats_the_undisturbed_one(faces_root: Path, tmp_path: Path) -> None:
    def finished(progress: Progress) -> bool:
        # What follows the epochs takes longer than they do, and is the same code.
        return progress.epoch == 2 and "val_loss" in progress.logs

    want = _train_until(_start(faces_root, tmp_path / "undisturbed"), finished)
    killed = _start(faces_root, tmp_path / "killed")
    _train_until(killed, lambda progress: progress.epoch == 2)
    assert killed.run.read_state().epochs_done == 1
    got = _train_until(resume_job(tmp_path / "killed"), finished)
    assert killed.run.read_state().epochs_done == 2
    assert got["loss"] == pytest.approx(want["loss"], rel=1e-5)
    assert got["val_loss"] == pytest.approx(want["val_loss"], rel=1e-5)


def test_the_shipped_bundle_is_made_of_a_run(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("jinja2", reason="the report extra is not installed")
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "tools"))
    import make_model  # a script, not a package

    others_root = draw_synthetic(tmp_path / "data" / "cmu_faces", persons=1, size=(44, 48))
    make_model.main([str(run), str(tmp_path / "made"), "--data", str(tmp_path / "data"), "--name", "small"])
    made = load_bundle(tmp_path / "made")
    assert {path.name for path in made.folder.iterdir()} == {
        "model.onnx",
        "model-int8.onnx",
        "model.weights.h5",
        "manifest.json",
        "split.json",
        "MODEL_CARD.md",
    }
    held_out, others, held_out_int8, others_int8 = made.manifest.metrics.values()
    assert (held_out_int8["n"], others_int8["n"]) == (held_out["n"], others["n"])
    assert held_out["n"] == len(json.loads((run / "split.json").read_text())["test"])
    assert set(others["robustness"]) > {"as they are"}
    card = (made.folder / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert card.startswith("---\nlicense:")
    assert "# small\n" in card
    assert f"n = {held_out['n']}" in card
    assert f"{held_out['accuracy']:.4f} [{held_out['interval'][0]:.3f}, {held_out['interval'][1]:.3f}]" in card
    image = read_image(others_root / "synth01" / "synth01_straight_happy_open.pgm")
    for precision in ("float32", "int8"):
        scores = [load_predictor(one, precision=precision).score([image]) for one in (made.folder, run)]
        assert scores[0] == pytest.approx(scores[1])


def test_data_without_clear_glasses_is_refused(synthetic_root: Path, tmp_path: Path) -> None:
    job = _start(synthetic_root, tmp_path / "run", split="person")
    with pytest.raises(DataError, match="folders none, eyeglasses and sunglasses"):
        train_job(job)


def test_a_broken_picture_is_named_or_left_out(faces_root: Path, tmp_path: Path) -> None:
    root = tmp_path / "faces"
    for kind in ("sunglasses", "none"):
        (root / kind).mkdir(parents=True)
        for path in sorted((faces_root / kind).iterdir())[:2]:
            (root / kind / path.name).write_bytes(path.read_bytes())
    (root / "none" / "000001.png").write_bytes(b"broken")
    dataset = read_folder(root)
    with pytest.raises(DataError, match=r"000001\.png.*--skip-broken"):
        load_portraits(dataset, dataset.samples, size=32, margin=1.5)
    portraits, broken = load_portraits(dataset, dataset.samples, size=32, margin=1.5, skip_broken=True)
    assert broken == ("none/000001.png",)
    assert portraits.images.shape == (4, 32, 32, 3)
    with pytest.raises(DataError, match="none of the 1 images"):
        load_portraits(
            dataset, [s for s in dataset.samples if "000001" in s.path], size=32, margin=1.5, skip_broken=True
        )


def test_only_the_surroundings_of_a_face_are_kept(faces_root: Path) -> None:
    dataset = read_folder(faces_root)
    portraits, _ = load_portraits(dataset, dataset.samples[:6], size=32, margin=1.5)
    for photograph, box in zip(portraits.photographs, portraits.boxes, strict=True):
        height, width = photograph.shape[:2]
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height
    taken = portraits.take([dataset.samples[3].path])
    assert (taken.images[0] == portraits.images[3]).all()
    assert taken.boxes == (portraits.boxes[3],)


def test_batches_follow_from_seed_and_epoch(faces_root: Path) -> None:
    from gafas.learn.face_feed import FaceFeed, fixed_views
    from gafas.learn.views import ViewConfig
    from gafas.learn.wearing import PasteConfig

    dataset = read_folder(faces_root)
    portraits, _ = load_portraits(dataset, dataset.samples, size=32, margin=1.5)

    def feed(epoch: int) -> FaceFeed:
        return FaceFeed(
            portraits,
            (),
            size=32,
            batch_size=8,
            margin=1.5,
            seed=1,
            epoch=epoch,
            paste=PasteConfig(),
            views=ViewConfig(),
        )

    (first, targets), (again, _), (other, _) = feed(1)[0], feed(1)[0], feed(2)[0]
    assert first.shape == (8, 32, 32, 3)
    assert targets.shape == (8, 2)
    assert (targets.sum(axis=1) <= 1).all()
    assert (first == again).all()
    assert (first != other).any()
    bare = sum(sample.eyewear == "none" for sample in portraits.samples)
    assert len(feed(1)) == (len(portraits.samples) + bare) // 8
    views, wanted = fixed_views(portraits, ViewConfig(), size=32, margin=1.5, count=2, seed=0)
    assert len(views) == len(wanted) == 2 * len(portraits.samples)
    assert wanted[:, 0].tolist() == np.repeat(portraits.targets, 2).tolist()


@pytest.mark.parametrize(
    ("key", "value"),
    [("margin", 0.5), ("averaging", 1), ("dark", 1.5), ("epochs", 0), ("learning_rate", 0), ("validation_views", 0)],
)
def test_settings_out_of_range_are_refused(key: str, value: float) -> None:
    with pytest.raises(UsageError, match=key):
        make_config("gafas", {key: value})
    with pytest.raises(UsageError, match="at most 1"):
        make_config("gafas", {"dark": 0.8, "clear": 0.3})


def test_a_model_is_chosen_by_validation_portraits(
    run: Path, faces_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "tools"))
    import choose_model  # a script, not a package

    choice = tmp_path / "choice.json"
    choose_model.main([str(run), "--data", str(faces_root), "--json", str(choice)])
    chosen = json.loads(choice.read_text())
    rows = chosen["conditions"][str(run)]
    assert {row["n"] for row in rows} == {len(json.loads((run / "split.json").read_text())["validation"])}
    assert chosen["best"] == str(run)
    assert chosen["means"][str(run)]["loss"] == pytest.approx(np.mean([row["loss"] for row in rows]))
    assert f"the least mean log loss: {run}" in capsys.readouterr().out
    with pytest.raises(UsageError, match="not trained with the same split"):
        choose_model.main([str(run), "gafas-base", "--data", str(faces_root)])
