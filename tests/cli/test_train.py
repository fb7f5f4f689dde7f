"""``gafas train``: what it writes, what it refuses, and that nothing is lost when it is killed."""

from __future__ import annotations

import csv
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.conftest import SMALL, Gafas, one_error

pytestmark = pytest.mark.train
Start = Callable[..., "subprocess.Popen[str]"]
PCA = ("--recipe", "pca", "--input-size", "32")


def test_a_run_folder_is_enough_to_repeat_the_run(trained: Path) -> None:
    config = json.loads((trained / "config.json").read_text())
    assert config["config"]["recipe"] == "notebook"
    assert config["config"]["seed"] == 5
    assert config["data"]["synthetic"] is True
    split = json.loads((trained / "split.json").read_text())
    metrics = json.loads((trained / "metrics.json").read_text())
    assert {stage: set(parts) for stage, parts in metrics.items()} == {
        "frozen": {"train", "validation", "test"},
        "tuned": {"train", "validation", "test"},
        "seconds": {"frozen", "tuned"},
    }
    test = metrics["tuned"]["test"]
    assert test["n"] == len(split["test"])
    assert test["interval"][0] <= test["accuracy"] <= test["interval"][1]
    rows = list(csv.DictReader((trained / "predictions.csv").read_text().splitlines()))
    assert {row["path"] for row in rows} == {path for part in ("train", "validation", "test") for path in split[part]}
    assert list(rows[0]) == ["path", "person", "label", "probability", "split"]
    for name in ("curves", "confusion", "roc", "precision_recall", "predictions"):
        with Image.open(trained / f"{name}.png") as picture:
            assert min(picture.size) > 200


def test_drawn_data_never_passes_for_photographs(trained: Path) -> None:
    manifest = json.loads((trained / "bundle" / "manifest.json").read_text())
    assert "synthetic" in manifest["name"]
    assert manifest["training"]["data"]["synthetic"] is True
    assert "synthetic" in manifest["licences"][0]


def test_bundle_of_a_run_predicts_without_keras(trained: Path, synthetic_root: Path) -> None:
    from gafas import load_predictor

    predictor = load_predictor(trained)
    rows = csv.DictReader((trained / "predictions.csv").read_text().splitlines())
    row = next(rows)
    verdict = predictor.predict(synthetic_root / row["path"])[0]
    assert verdict.sunglasses == pytest.approx(float(row["probability"]), abs=1e-4)


def test_finished_run_has_nothing_to_resume(gafas: Gafas, trained: Path) -> None:
    result = gafas("train", "--resume", trained)
    assert result.exit_code == 0
    assert "finished already" in result.stderr


def test_resume_takes_no_other_option(gafas: Gafas, trained: Path) -> None:
    result = gafas("train", "--resume", trained, "--epochs", "3")
    assert result.exit_code == 2
    assert "leave the other options out" in one_error(result)


def test_resume_of_something_else(gafas: Gafas, tmp_path: Path) -> None:
    result = gafas("train", "--resume", tmp_path)
    assert result.exit_code == 2
    assert "expected a run folder" in one_error(result)


def _wait_for_epoch(run: Path, process: subprocess.Popen[str]) -> None:
    state = run / "checkpoint" / "state.json"
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        if state.exists() and json.loads(state.read_text())["epochs_done"] >= 1:
            return
        time.sleep(0.02)
    raise AssertionError(f"no epoch was finished: {process.communicate()}")


def test_killed_run_goes_on_to_the_same_history(
    process: Start, gafas: Gafas, trained: Path, synthetic_root: Path, tmp_path: Path
) -> None:
    run = tmp_path / "killed"
    victim = process("train", "--data", synthetic_root, "-o", run, *SMALL)
    _wait_for_epoch(run, victim)
    victim.kill()
    victim.communicate()
    assert not (run / "metrics.json").exists()
    result = gafas("train", "--resume", run)
    assert result.exit_code == 0, result.output
    for name in ("history.json", "predictions.csv", "split.json"):
        assert (run / name).read_text() == (trained / name).read_text()


def test_plain_keras_is_kept_by_a_resumed_run(
    process: Start, gafas: Gafas, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gafas.learn import train

    run = tmp_path / "plain"
    words = (
        "train",
        "--data",
        synthetic_root,
        "-o",
        run,
        *SMALL[:2],
        "--epochs",
        "2",
        "--weights",
        "random",
        "--plain",
    )
    victim = process(*words, "--fine-tune-epochs", "0")
    _wait_for_epoch(run, victim)
    victim.kill()
    victim.communicate()
    assert json.loads((run / "config.json").read_text())["plain"] is True
    monkeypatch.setattr(train, "FrozenFeed", None)
    result = gafas("train", "--resume", run)
    assert result.exit_code == 0, result.output
    assert gafas("train", "--resume", run, "--plain").exit_code == 2


def test_ctrl_c_says_how_to_go_on(process: Start, synthetic_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "interrupted"
    victim = process("train", "--data", synthetic_root, "-o", run, *SMALL[:2], "--epochs", "500")
    _wait_for_epoch(run, victim)
    victim.send_signal(signal.SIGINT)
    _, words = victim.communicate(timeout=120)
    assert victim.returncode == 130
    assert f"go on with: gafas train --resume {run}" in words
    assert "Traceback" not in words
    assert json.loads((run / "checkpoint" / "state.json").read_text())["epochs_done"] >= 1


def test_no_data(gafas: Gafas, no_data: Path, tmp_path: Path) -> None:
    result = gafas("train", *PCA, "-o", tmp_path / "run")
    assert result.exit_code == 1
    error = one_error(result)
    assert "--data" in error
    assert "--data synthetic" in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda root: [p.unlink() for p in root.rglob("*.pgm")], "no"),
        (lambda root: [p.unlink() for p in root.rglob("*_open*")], "no_sunglasses"),
        (lambda root: [p.unlink() for p in sorted(root.rglob("*.pgm"))[12:-12]], "batch"),
        (lambda root: (root / "synth01" / "holiday.pgm").write_bytes(b"P5 1 1 255 x"), "--skip-unknown"),
        (lambda root: next(root.rglob("*_open.pgm")).write_bytes(b""), "0 bytes.*--skip-broken"),
        (lambda root: next(root.rglob("*_open.pgm")).write_text("hello"), "--skip-broken"),
        (lambda root: next(root.rglob("*_open.pgm")).write_bytes(b"P2\n48 44\n70000\n1 2"), "--skip-broken"),
    ],
    ids=["empty", "one class", "fewer than a batch", "unknown name", "zero bytes", "text", "maximum grey value"],
)
def test_bad_data_ends_in_one_line(
    gafas: Gafas, faces: Path, tmp_path: Path, spoil: Callable[[Path], object], message: str
) -> None:
    spoil(faces)
    result = gafas("train", *PCA, "--data", faces, "-o", tmp_path / "run")
    assert result.exit_code == 1, result.output
    assert re.search(message, one_error(result))
    assert not (tmp_path / "run" / "metrics.json").exists()


def test_broken_images_are_left_out_when_asked_and_named(gafas: Gafas, faces: Path, tmp_path: Path) -> None:
    victim = min(faces.rglob("*_open.pgm"))
    victim.write_bytes(victim.read_bytes()[:200])
    result = gafas("train", *PCA, "--data", faces, "--skip-broken", "-o", tmp_path / "run")
    assert result.exit_code == 0, result.output
    relative = victim.relative_to(faces).as_posix()
    assert f"left out: {relative}" in result.stderr
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    assert record["data"]["skipped"] == [relative]


def test_person_split_keeps_persons_apart(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    result = gafas("train", *PCA, "--split", "person", "--data", synthetic_root, "-o", tmp_path / "run", "--json")
    assert result.exit_code == 0, result.output
    split = json.loads((tmp_path / "run" / "split.json").read_text())
    persons = [{path.split("/")[0] for path in split[part]} for part in ("train", "validation", "test")]
    assert not persons[0] & persons[1]
    assert not (persons[0] | persons[1]) & persons[2]
    assert json.loads(result.stdout)["fitted"]["test"]["n"] == len(split["test"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--recipe", "cake"), "recipe"),
        (("--epochs", "0"), "epochs"),
        (("--recipe", "pca", "--plain"), "--plain: only recipe notebook"),
        (("--set", "colour"), "KEY=VALUE"),
        (("--set", "colour=1"), "colour"),
        (("--split", "thirds"), "split"),
        (("--classes", "sunglasses"), "--classes"),
        (("--classes", "sunglasses=a"), "no_sunglasses"),
    ],
)
def test_wrong_usage_is_exit_2(gafas: Gafas, synthetic_root: Path, words: tuple[str, ...], message: str) -> None:
    result = gafas("train", "--data", synthetic_root, *words)
    assert result.exit_code == 2
    assert message in one_error(result)


def test_existing_output_is_kept(gafas: Gafas, trained: Path, synthetic_root: Path) -> None:
    before = (trained / "metrics.json").read_bytes()
    result = gafas("train", *PCA, "--data", synthetic_root, "-o", trained)
    assert result.exit_code == 2
    assert "--overwrite" in one_error(result)
    assert (trained / "metrics.json").read_bytes() == before


def test_output_that_cannot_be_written(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    result = gafas("train", *PCA, "--data", synthetic_root, "-o", tmp_path / "file" / "run")
    assert result.exit_code == 2
    assert one_error(result)
    assert (tmp_path / "file").read_text() == "kept"


def test_wrong_weights(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    (tmp_path / "w.weights.h5").write_text("no weights")
    words = ("--data", synthetic_root, "--weights", tmp_path / "w.weights.h5", "-o", tmp_path / "run", *SMALL[:-2])
    result = gafas("train", *words)
    assert result.exit_code == 1
    assert "expected MobileNetV2 weights" in one_error(result)


@pytest.mark.parametrize(("module", "extra"), [("keras", "train"), ("sklearn", "train"), ("matplotlib", "report")])
def test_missing_extra_gives_its_install_line(module: str, extra: str, synthetic_root: Path, tmp_path: Path) -> None:
    recipe = ("--recipe", "notebook" if module == "keras" else "pca")
    words = ["gafas", "train", "--data", str(synthetic_root), "-o", str(tmp_path / "run"), *recipe]
    script = f"import sys; sys.modules[{module!r}] = None; sys.argv = {words!r}; from gafas.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    # Without Matplotlib only the pictures are missing; the figures are safe.
    assert done.returncode == (0 if extra == "report" else 2), done.stderr
    assert f"pip install 'gafas[{extra}]'" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_keras_backends(
    backend: str, process: Start, synthetic_root: Path, trained: Path, tmp_path: Path
) -> None:
    pytest.importorskip(backend, reason=f"{backend} is not installed: make setup EXTRAS=dev,backends")
    run = tmp_path / backend
    words = ("train", "--data", synthetic_root, "-o", run, *SMALL, "--epochs", "1")
    done = process(*words, KERAS_BACKEND=backend)
    _, said = done.communicate(timeout=600)
    assert done.returncode == 0, said
    assert f"KERAS_BACKEND=tensorflow gafas export {run} --format onnx" in said
    assert len(json.loads((run / "history.json").read_text())["loss"]) == 2
    # The second step that the message asks for, and that the model is the one that was trained.
    done = process("export", run, "--format", "onnx", KERAS_BACKEND="tensorflow")
    _, said = done.communicate(timeout=600)
    assert done.returncode == 0, said
    from gafas import load_predictor

    row = next(csv.DictReader((run / "predictions.csv").read_text().splitlines()))
    verdict = load_predictor(run).predict(synthetic_root / row["path"])[0]
    assert verdict.sunglasses == pytest.approx(float(row["probability"]), abs=1e-3)


def test_export_on_another_backend_says_what_to_do(process: Start, trained: Path) -> None:
    pytest.importorskip("jax", reason="jax is not installed: make setup EXTRAS=dev,backends")
    done = process("export", trained, "--format", "onnx", KERAS_BACKEND="jax")
    _, said = done.communicate(timeout=300)
    assert done.returncode == 2
    assert "run it again with KERAS_BACKEND=tensorflow" in said


def test_full_disk_half_way(synthetic_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ["gafas", "train", "--data", str(synthetic_root), "-o", str(run), *PCA]
    # Small files can be written, the model cannot.
    script = (
        "import resource, sys; from gafas.cli import main; "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000)); sys.argv = {words!r}; main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "not written" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (run / "metrics.json").exists()
    assert not (run / "bundle").exists()
    assert [path for path in run.rglob(".*") if path.is_file()] == []
    # With space again, it goes on.
    done = subprocess.run(
        [sys.executable, "-m", "gafas", "train", "--resume", str(run)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    shutil.rmtree(run)
