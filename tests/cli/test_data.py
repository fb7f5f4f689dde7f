from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gafas.cli import app, data
from gafas.datasets import fetch as fetching
from gafas.datasets.verify import make_manifest
from gafas.values import Dataset, Sample

pytestmark = pytest.mark.usefixtures("no_data")


def gafas(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["data", *map(str, words)])


def one_line(result: Result) -> str:
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture
def no_augmentation(monkeypatch: pytest.MonkeyPatch) -> None:
    # TensorFlow takes seconds to import, and what it draws is tested in its own room.
    monkeypatch.setattr(data, "_draw_augmented", lambda *arguments: (False, "left out in this test"))


@pytest.mark.parametrize("command", ["fetch", "organize", "summary"])
def test_every_help_has_an_example(command: str) -> None:
    result = gafas(command, "--help")
    assert result.exit_code == 0
    assert f"Example: gafas data {command}" in result.stdout


@pytest.mark.parametrize("command", ["organize", "summary"])
def test_no_data_anywhere(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = gafas(command)
    assert result.exit_code == 1
    assert result.stdout == ""
    message = one_line(result)
    for way in ("--data DIR", "gafas data fetch", "--data synthetic"):
        assert way in message
    assert not (tmp_path / "data").exists()


def test_summary_in_words(synthetic_root: Path) -> None:
    result = gafas("summary", "--data", synthetic_root)
    assert result.exit_code == 0
    assert result.stdout.startswith("SYNTHETIC DATA")
    assert "There are 125 good images without repetition" in result.stdout
    for title in ("By person", "By pose", "By expression", "By resolution"):
        assert title in result.stdout
    assert "SYNTHETIC DATA" in result.stderr


def test_summary_as_json(synthetic_root: Path) -> None:
    result = gafas("summary", "--data", synthetic_root, "--json")
    value = json.loads(result.stdout)
    assert value["photographs"] == value["sunglasses"] + value["no_sunglasses"] == 125
    assert value["synthetic"] is True


@pytest.mark.usefixtures("no_augmentation")
def test_summary_with_pictures(synthetic_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    result = gafas("summary", "--data", synthetic_root, "-o", tmp_path / "pictures")
    assert result.exit_code == 0
    assert sorted(p.name for p in (tmp_path / "pictures").iterdir()) == ["bad.png", "resolutions.png", "training.png"]
    assert "augmented.png: not drawn, left out in this test" in result.stderr


@pytest.mark.usefixtures("no_augmentation")
def test_pictures_of_few_images_and_of_nothing_writable(synthetic_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pictures = sorted(synthetic_root.glob("*/*_open.pgm"))
    for folder, picture in zip(("sunglasses", "none"), pictures, strict=False):
        (tmp_path / "in" / folder).mkdir(parents=True)
        shutil.copy(picture, tmp_path / "in" / folder / "a.pgm")
    result = gafas("summary", "--data", tmp_path / "in", "-o", tmp_path / "out")
    assert result.exit_code == 0
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["training.png"]
    (tmp_path / "file").touch()
    result = gafas("summary", "--data", tmp_path / "in", "-o", tmp_path / "file")
    assert result.exit_code == 2
    one_line(result)


@pytest.mark.train
def test_augmented_views(synthetic_root: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras")
    sample = Sample(next(synthetic_root.glob("*/*_open.pgm")).relative_to(synthetic_root).as_posix(), "no_sunglasses")
    dataset = Dataset("synthetic", synthetic_root, (sample,), synthetic=True)
    assert data._draw_augmented(tmp_path / "a.png", dataset, sample, 1) == (True, "")
    assert (tmp_path / "a.png").is_file()


def test_organize_twice(synthetic_root: Path, tmp_path: Path) -> None:
    words = ("organize", "--data", synthetic_root, "-o", tmp_path / "data", "--image-format", "png")
    first, second = gafas(*words), gafas(*words)
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert "378 files written, 0 unchanged, 0 failed" in first.stdout
    assert "0 files written, 378 unchanged, 0 failed" in second.stdout
    assert (tmp_path / "data" / "SYNTHETIC.txt").is_file()


def test_organize_with_broken_pictures(synthetic_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(synthetic_root, tmp_path / "faces")
    broken = next(root.glob("*/*_open.pgm"))
    broken.write_text("text")
    result = gafas("organize", "--data", root, "-o", tmp_path / "data")
    assert result.exit_code == 1
    assert "377 files written, 0 unchanged, 1 failed" in result.stdout
    assert f"{broken.relative_to(root)}: not a picture" in result.stderr


def test_organize_to_where_nothing_can_be_written(synthetic_root: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = gafas("organize", "--data", synthetic_root, "-o", tmp_path / "file" / "below")
    assert result.exit_code == 2
    one_line(result)
    assert gafas("organize", "--data", synthetic_root, "--image-format", "gif").exit_code == 2


def test_classes_by_name(synthetic_root: Path, tmp_path: Path) -> None:
    pictures = sorted(synthetic_root.glob("*/*_open.pgm"))
    for folder, picture in zip(("shades", "plain"), pictures, strict=False):
        (tmp_path / folder).mkdir()
        shutil.copy(picture, tmp_path / folder / "a.jpg")
    refused = gafas("summary", "--data", tmp_path)
    assert refused.exit_code == 1
    assert "--classes sunglasses=DIR" in one_line(refused)
    words = ("--classes", "sunglasses=shades", "--classes", "no_sunglasses=plain")
    result = gafas("summary", "--data", tmp_path, "--json", *words)
    assert json.loads(result.stdout)["sunglasses"] == 1
    assert gafas("summary", "--data", tmp_path, "--classes", "shades").exit_code == 2


def test_unknown_names(tmp_path: Path) -> None:
    (tmp_path / "an2i").mkdir()
    for name in ("an2i_up_sad_open", "an2i_up_sad_sunglasses", "x"):
        (tmp_path / "an2i" / f"{name}.pgm").touch()
    result = gafas("summary", "--data", tmp_path)
    assert result.exit_code == 1
    assert (
        "expected PERSON_POSE_EXPRESSION_EYES[_SCALE].pgm, got 1 field; rename it or pass --skip-unknown"
        in one_line(result)
    )
    result = gafas("summary", "--data", tmp_path, "--skip-unknown")
    assert result.exit_code == 0
    assert "1 left out" in result.stdout
    assert "left out: an2i/x.pgm" in result.stderr


def test_fetch(synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = make_manifest(synthetic_root)
    monkeypatch.setattr(fetching, "read_manifest", lambda: manifest)
    words = ("fetch", "--from", synthetic_root, "-o", tmp_path / "out")
    result = gafas(*words)
    assert result.exit_code == 0
    assert "complete and verified, 4 persons, 375 pictures, 3 spoilt ones" in result.stdout
    again = gafas(*words)
    assert again.exit_code == 0
    assert "it was there already" in again.stderr
    next((tmp_path / "out").glob("*/*.pgm")).unlink()
    refused = gafas(*words)
    assert refused.exit_code == 2
    assert "--overwrite" in one_line(refused)
    assert gafas(*words, "--overwrite").exit_code == 0


def test_fetch_from_nowhere(tmp_path: Path) -> None:
    result = gafas("fetch", "--from", tmp_path / "nowhere.zip", "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "no such file or folder" in one_line(result)
    assert not (tmp_path / "out").exists()


@pytest.mark.real_data
def test_the_notebooks_sentence(cmu_root: Path) -> None:
    result = gafas("summary", "--data", cmu_root)
    assert (
        "624 good images without repetition: 311 of people with sunglasses and 313 of people without" in result.stdout
    )
