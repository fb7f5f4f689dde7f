"""``gafas explain``: a picture for each face, a row as predict's, and one line for what cannot be done."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gafas.cli import app
from gafas.imaging import encode, read_image
from gafas.runtime.rows import COLUMNS


@pytest.fixture(autouse=True)
def here(bundle: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the bundle ``tiny`` and the folder ``photos``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAFAS_MODEL", "tiny")
    return tmp_path


def run(command: str, *words: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, [command, *map(str, words)], input=stdin)


def pictures(folder: str = "why") -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in Path(folder).rglob("*") if path.is_file())


def test_a_picture_for_each_image_and_the_rows_of_predict() -> None:
    result = run("explain", "photos", "-o", "why", "-f", "csv")
    assert result.exit_code == 0, result.stderr
    assert pictures() == ["dark_whole.png", "far/dark_whole.png", "light_whole.png"]
    assert result.stdout == run("predict", "photos", "-f", "csv").stdout
    rows = list(csv.DictReader(io.StringIO(result.stdout)))
    assert tuple(rows[0]) == COLUMNS
    assert read_image("why/dark_whole.png").shape[1] > 600
    # The tiny model is not of the kind that says why, and that is said.
    assert "note: tiny does not say itself where its evidence lies" in result.stderr
    assert "3 images, 0 failed, 3 pictures: why" in result.stderr


def test_a_table_for_people() -> None:
    result = run("explain", "photos/dark.png", "-o", "why", "--method", "occlusion")
    assert result.exit_code == 0
    assert "photos/dark.png" in result.stdout
    assert "does not say" not in result.stderr


def test_a_broken_image_costs_one_row() -> None:
    Path("photos/a.jpg").write_bytes(b"no picture")
    result = run("explain", "photos", "gone.png", "-o", "why", "-f", "json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert [row["status"] for row in rows].count("error") == 2
    assert len(pictures()) == 3


def test_names_from_two_folders_and_from_standard_input() -> None:
    result = run("explain", "photos/dark.png", "photos/far/dark.jpg", "-o", "why")
    assert result.exit_code == 0
    assert pictures() == ["dark_whole-2.png", "dark_whole.png"]
    data = encode(np.full((9, 9, 3), 40, np.uint8), ".png")
    result = run("explain", "-", "-o", "piped", "-f", "jsonl", stdin=data)
    assert json.loads(result.stdout)["path"] == "-"
    assert pictures("piped") == ["stdin_whole.png"]


def test_sources_and_results_are_safe() -> None:
    before = Path("photos/dark.png").read_bytes()
    result = run("explain", "photos", "-o", "photos", "--overwrite")
    assert result.exit_code == 2
    assert "would be copied into the folder that it lies in; choose another --output" in result.stderr
    assert Path("photos/dark.png").read_bytes() == before
    assert run("explain", "photos", "-o", "why").exit_code == 0
    result = run("explain", "photos", "-o", "why")
    assert result.exit_code == 2
    assert "why: exists already; pass --overwrite" in result.stderr
    assert run("explain", "photos", "-o", "why", "--overwrite").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--attribute", "hats"), "--attribute: expected one of sunglasses, got hats"),
        (("--method", "magic"), "--method: expected one of auto, activation, occlusion, got magic"),
        (("--method", "activation"), "take --method occlusion"),
        (("--region", "hat"), "--region: expected one of auto, face, whole, got hat"),
        (("--format", "xml"), "--format: expected one of table, csv, json, jsonl, got xml"),
        (("--model", "tiny/model.onnx"), "explain takes a bundle or a run folder"),
    ],
)
def test_wrong_usage(words: tuple[str, ...], message: str) -> None:
    result = run("explain", "photos", "-o", "why", *words)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert not Path("why").exists()


def test_the_shipped_model_explains_a_face(monkeypatch: pytest.MonkeyPatch, cmu_root: Path) -> None:
    monkeypatch.delenv("GAFAS_MODEL")
    shutil.copy(cmu_root / "an2i/an2i_straight_neutral_sunglasses.pgm", "an2i.pgm")
    for attribute in ("sunglasses", "eyeglasses"):
        result = run("explain", "an2i.pgm", "-o", attribute, "-f", "jsonl", "--attribute", attribute)
        assert result.exit_code == 0, result.stderr
        assert json.loads(result.stdout)["label"] == "sunglasses"
        assert pictures(attribute) == ["an2i_face1.png"]
