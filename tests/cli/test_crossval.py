"""``gafas crossval``: folds by person, interrupted and resumed, compared, and bad input."""

from __future__ import annotations

import csv
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from gafas.imaging import write_image
from tests.cli.conftest import Gafas, one_error

pytestmark = pytest.mark.train

PCA = ("--recipe", "pca", "--set", "input_size=16", "--jobs", "1")


def rows_of(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "predictions.csv").read_text(encoding="utf-8").splitlines()))


@pytest.fixture(scope="module")
def finished(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cross-validation that nobody disturbed."""
    from typer.testing import CliRunner

    from gafas.cli import app

    folder = tmp_path_factory.mktemp("crossval") / "pca"
    result = CliRunner().invoke(app, ["crossval", *PCA, "--data", str(synthetic_root), "-o", str(folder)])
    assert result.exit_code == 0, result.output
    for words in ("SYNTHETIC DATA", "4 folds by person", "accuracy, drawing 4 persons", "By person", "verified"):
        assert words in result.output
    return folder


def test_one_person_at_a_time(finished: Path) -> None:
    rows = rows_of(finished)
    assert len({row["path"] for row in rows}) == len(rows) == 125
    assert all(row["fold"] == row["person"] for row in rows)
    for path in (finished / "folds").glob("[!.]*.json"):
        fold = json.loads(path.read_text())
        assert not any(row["person"] in fold["persons"] for row in rows if row["path"] in fold["train"])
    metrics = json.loads((finished / "metrics.json").read_text())
    assert (metrics["n"], metrics["folds"], metrics["persons"]) == (125, 4, 4)
    wrong = [row["path"] for row in rows if (float(row["probability"]) >= 0.5) != (row["label"] == "sunglasses")]
    assert metrics["errors"] == wrong
    assert set(metrics["by"]) == {"person", "pose", "expression", "label"}
    for name in ("confusion", "roc", "errors"):
        assert (finished / f"{name}.png").stat().st_size > 5000


def test_two_folds_at_once_give_the_same(gafas: Gafas, finished: Path, synthetic_root: Path, tmp_path: Path) -> None:
    words = ("--recipe", "pca", "--set", "input_size=16", "--jobs", "2", "--data", synthetic_root)
    result = gafas("crossval", *words, "-o", tmp_path / "two")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "two" / "predictions.csv").read_text() == (finished / "predictions.csv").read_text()


def test_some_persons_at_a_time(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    result = gafas("crossval", *PCA, "--data", synthetic_root, "--folds", "2", "-o", tmp_path / "k", "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["folds"] == 2
    rows = rows_of(tmp_path / "k")
    home = {row["person"]: row["fold"] for row in rows}
    assert all(home[row["person"]] == row["fold"] for row in rows)
    assert sorted(home.values()) == ["fold-1", "fold-1", "fold-2", "fold-2"]


def test_notebook(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    tiny = [word for setting in ("input_size=32", "epochs=1", "fine_tune_epochs=0") for word in ("--set", setting)]
    words = ("--recipe", "notebook", "--weights", "random", "--folds", "2", *tiny, "--jobs", "1")
    result = gafas("crossval", *words, "--data", synthetic_root, "-o", tmp_path / "n")
    assert result.exit_code == 0, result.output
    assert len(rows_of(tmp_path / "n")) == 125


def test_killed_and_resumed(
    gafas: Gafas, process: Callable[..., subprocess.Popen[str]], faces: Path, tmp_path: Path
) -> None:
    # Large enough that a fold takes a moment: the second one is under way when the first is finished.
    slow = ("--recipe", "pca", "--set", "input_size=128", "--jobs", "1", "--data", faces)
    folder = tmp_path / "killed"
    started = process("crossval", *slow, "-o", folder)
    deadline = time.monotonic() + 60
    while not list((folder / "folds").glob("[!.]*.json")) and time.monotonic() < deadline and started.poll() is None:
        time.sleep(0.005)
    started.send_signal(signal.SIGKILL)
    started.communicate()
    assert started.returncode == -signal.SIGKILL
    kept = {path: path.read_bytes() for path in (folder / "folds").glob("[!.]*.json")}
    assert 0 < len(kept) < 4
    assert not (folder / "metrics.json").exists()
    compared = gafas("crossval", folder)
    assert (compared.exit_code, "not finished; go on with" in one_error(compared)) == (1, True)

    resumed = gafas("crossval", "--resume", folder, "--jobs", "1")
    assert resumed.exit_code == 0, resumed.output
    assert all(path.read_bytes() == data for path, data in kept.items())
    undisturbed = gafas("crossval", *slow, "-o", tmp_path / "undisturbed")
    assert undisturbed.exit_code == 0, undisturbed.output
    for name in ("predictions.csv", "errors.png"):
        assert (folder / name).read_bytes() == (tmp_path / "undisturbed" / name).read_bytes()


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    """A finished cross-validation that a test may spoil."""
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_resume_trains_only_what_is_missing_or_damaged(gafas: Gafas, copy: Path) -> None:
    before = (copy / "predictions.csv").read_text()
    files = sorted((copy / "folds").glob("[!.]*.json"))
    files[0].unlink()
    files[1].write_text("{")
    (copy / "folds" / "stranger.json").write_text("{}")
    kept = files[2].stat().st_mtime_ns
    assert gafas("crossval", "--resume", copy, "--jobs", "1").exit_code == 0
    assert (copy / "predictions.csv").read_text() == before
    assert files[2].stat().st_mtime_ns == kept
    assert not (copy / "folds" / "stranger.json").exists()


def test_other_settings_do_not_take_old_folds(gafas: Gafas, copy: Path) -> None:
    record = json.loads((copy / "config.json").read_text())
    record["config"]["regularization"] = 0.001
    (copy / "config.json").write_text(json.dumps(record))
    before = (copy / "predictions.csv").read_text()
    assert gafas("crossval", "--resume", copy, "--jobs", "1").exit_code == 0
    assert (copy / "predictions.csv").read_text() != before


def test_compare(gafas: Gafas, finished: Path, copy: Path) -> None:
    result = gafas("crossval", finished, copy)
    assert result.exit_code == 0, result.output
    metrics = json.loads((finished / "metrics.json").read_text())
    assert result.stdout.count(f"{metrics['accuracy']:.4f}") >= 2
    for words in ("Cross-validation by person", "errors", "seconds", "over persons"):
        assert words in result.stdout
    as_json = json.loads(gafas("crossval", finished, "--json").stdout)
    assert as_json[0]["accuracy"] == metrics["accuracy"]


def _anonymous(root: Path) -> Path:
    for name, grey in (("sunglasses", 20), ("no_sunglasses", 230)):
        for number in range(6):
            write_image(root / "d" / name / f"{number}.png", np.full((9, 9, 3), grey + number, dtype=np.uint8))
    return root / "d"


def test_a_data_set_without_persons(gafas: Gafas, tmp_path: Path) -> None:
    result = gafas("crossval", *PCA, "--data", _anonymous(tmp_path), "-o", tmp_path / "c")
    assert result.exit_code == 1
    error = one_error(result)
    assert "the person is not known (12 of 12 images)" in error
    assert "gafas train --split file" in error
    assert not (tmp_path / "c").exists()


def test_fewer_persons_than_folds(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    result = gafas("crossval", *PCA, "--data", synthetic_root, "--folds", "5", "-o", tmp_path / "c")
    assert result.exit_code == 1
    assert "expected 2 to 4 for 4 persons, got 5; lower --folds" in one_error(result)


def test_broken_picture(gafas: Gafas, faces: Path, tmp_path: Path) -> None:
    broken = min(faces.rglob("*_open.pgm"))
    broken.write_bytes(b"P5")
    words = ("crossval", *PCA, "--data", faces, "-o", tmp_path / "c")
    result = gafas(*words)
    assert result.exit_code == 1
    assert "1 of 125 images cannot be read" in one_error(result)
    result = gafas(*words, "--skip-broken")
    assert result.exit_code == 0, result.output
    assert "cannot be read, left out" in result.stderr
    before = (tmp_path / "c" / "predictions.csv").read_text()
    assert len(before.splitlines()) == 125
    resumed = gafas("crossval", "--resume", tmp_path / "c", "--jobs", "1")
    assert resumed.exit_code == 0, resumed.output
    assert (tmp_path / "c" / "predictions.csv").read_text() == before


def test_a_person_of_one_class(gafas: Gafas, faces: Path, tmp_path: Path) -> None:
    person = min(path for path in faces.iterdir() if path.is_dir())
    for path in person.glob("*_sunglasses*"):
        path.unlink()
    result = gafas("crossval", *PCA, "--data", faces, "-o", tmp_path / "c", "--json")
    assert result.exit_code == 0, result.output
    rows = {row["group"]: row for row in json.loads(result.stdout)["by"]["person"]}
    assert 0 < rows[person.name]["n"] < 20


def test_nobody_else_of_a_class(gafas: Gafas, faces: Path, tmp_path: Path) -> None:
    persons = sorted(path for path in faces.iterdir() if path.is_dir())
    for path in (p for person in persons[1:] for p in person.glob("*_sunglasses*")):
        path.unlink()
    result = gafas("crossval", *PCA, "--data", faces, "-o", tmp_path / "c")
    assert result.exit_code == 1
    assert f"fold {persons[0].name}: expected both classes" in one_error(result)


def test_existing_folder_is_kept(gafas: Gafas, copy: Path, synthetic_root: Path) -> None:
    before = (copy / "predictions.csv").read_text()
    words = ("crossval", *PCA, "--seed", "9", "--data", synthetic_root, "-o", copy)
    result = gafas(*words)
    assert (result.exit_code, "exists already" in one_error(result)) == (2, True)
    # What cannot be done replaces nothing.
    assert gafas(*words, "--overwrite", "--folds", "99").exit_code == 1
    assert (copy / "predictions.csv").read_text() == before
    (copy / "mine.txt").write_text("mine")
    assert gafas(*words, "--overwrite", "--folds", "2").exit_code == 0
    assert (copy / "mine.txt").exists()
    assert len(list((copy / "folds").glob("[!.]*.json"))) == 2


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--folds", "many"), "--folds: expected person or a number from 2 up, got many"),
        (("--folds", "1"), "--folds: expected person or a number from 2 up, got 1"),
        (("--recipe", "magic"), "--recipe: expected one of"),
        (("--recipe", "pca", "--set", "epochs=2"), "epochs: not a setting of recipe pca"),
        (("--resume", "nowhere"), "expected the folder of a cross-validation"),
        (("--resume", "nowhere", "--seed", "1"), "--resume takes everything from the folder"),
        (("nowhere", "--folds", "2"), "comparing takes finished folders only"),
        (("nowhere",), "expected the folder of a cross-validation"),
    ],
)
def test_wrong_usage(gafas: Gafas, words: tuple[str, ...], message: str) -> None:
    result = gafas("crossval", *words)
    assert (result.exit_code, message in one_error(result)) == (2, True), result.stderr


def test_a_run_is_no_cross_validation(gafas: Gafas, trained: Path) -> None:
    result = gafas("crossval", trained)
    assert (result.exit_code, "gafas train --resume" in one_error(result)) == (2, True)
