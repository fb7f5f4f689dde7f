"""``gafas models``: bundles that are here, and those that are damaged."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gafas.bundle import MANIFEST, ONNX, Manifest, save_manifest
from gafas.cli import app


def gafas(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["models", *map(str, words)])


@pytest.fixture(autouse=True)
def runs(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder ``runs`` with two runs and a bundle, and one that is still being written."""
    metrics = {"test": {"accuracy": 28 / 30, "interval": [0.787, 0.982], "n": 30}}
    save_manifest(bundle, Manifest(name="tiny", architecture="none", input_size=(8, 8), metrics=metrics))
    for age, name in enumerate(("new/bundle", "old/bundle", "bare", ".writing-x/bundle")):
        folder = Path(shutil.copytree(bundle, tmp_path / "runs" / name))
        os.utime(folder / MANIFEST, (1_000_000 - age, 1_000_000 - age))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "runs"


def test_the_list_newest_first() -> None:
    result = gafas("list", "--json")
    assert result.exit_code == 0
    rows = json.loads(result.stdout)
    assert [row["bundle"] for row in rows] == ["runs/new", "runs/old", "runs/bare", "gafas-base", "gafas-nano"]
    assert rows[-1]["n"] > 300
    assert rows[0] == {
        "bundle": "runs/new",
        "name": "tiny",
        "test_accuracy": 28 / 30,
        "interval": [0.787, 0.982],
        "n": 30,
    }


def test_the_list_for_people() -> None:
    result = gafas("list", "runs")
    assert result.exit_code == 0
    assert "gafas-base" not in result.stdout
    assert "gafas-nano" not in result.stdout
    assert "3 bundles" in result.stdout
    assert all(word in result.stdout for word in ("runs/new", "tiny", "0.9333", "[0.787, 0.982]", "30"))


def test_a_damaged_bundle_does_not_hide_the_others(runs: Path) -> None:
    (runs / "new" / "bundle" / MANIFEST).write_text("{")
    result = gafas("list", "--json")
    assert result.exit_code == 1
    assert [row["bundle"] for row in json.loads(result.stdout)] == ["runs/old", "runs/bare", "gafas-base", "gafas-nano"]
    assert result.stderr.startswith("error: runs/new/bundle/manifest.json: cannot be read as JSON")


def test_a_bundle_without_test_figures(runs: Path) -> None:
    save_manifest(runs / "bare", Manifest(name="bare", architecture="none", input_size=(8, 8)))
    rows = json.loads(gafas("list", "--json").stdout)
    assert [row["test_accuracy"] for row in rows if row["name"] == "bare"] == [None]
    assert gafas("list").exit_code == 0


def test_no_runs_yet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree("runs")
    result = gafas("list", "--json")
    assert (result.exit_code, [row["bundle"] for row in json.loads(result.stdout)]) == (0, ["gafas-base", "gafas-nano"])
    result = gafas("list", "elsewhere")
    assert result.exit_code == 2
    assert result.stderr == "error: elsewhere: no such folder; expected one with run folders, such as runs\n"


def test_info() -> None:
    result = gafas("info", "runs/new")
    assert result.exit_code == 0
    manifest = json.loads(result.stdout)
    assert (manifest["name"], manifest["input_size"], list(manifest["files"])) == ("tiny", [8, 8], [ONNX])


def test_info_says_what_is_judged_and_from_which_probability() -> None:
    manifest = Manifest(
        name="both",
        architecture="none",
        input_size=(8, 8),
        outputs=("sunglasses", "eyeglasses"),
        threshold=0.4,
        eyeglasses_threshold=0.6,
        region="face",
        margin=1.5,
    )
    save_manifest(Path("runs/bare"), manifest)
    said = json.loads(gafas("info", "runs/bare").stdout)
    assert {key: said[key] for key in ("region", "margin", "outputs", "threshold", "eyeglasses_threshold")} == {
        "region": "face",
        "margin": 1.5,
        "outputs": ["sunglasses", "eyeglasses"],
        "threshold": 0.4,
        "eyeglasses_threshold": 0.6,
    }


def test_verify(runs: Path) -> None:
    result = gafas("verify", "runs/new")
    assert (result.exit_code, result.stdout) == (0, "runs/new/bundle: 1 files as the manifest says\n")
    (runs / "new" / "bundle" / ONNX).write_bytes(b"changed")
    result = gafas("verify", "runs/new")
    assert result.exit_code == 1
    assert "sha256" in result.stderr
    # A look at the manifest is still possible.
    assert gafas("info", "runs/new").exit_code == 0


@pytest.mark.parametrize("command", ["info", "verify"])
def test_no_bundle_there(command: str) -> None:
    result = gafas(command, "gone")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: gone: expected a bundle or run folder with manifest.json, got none")
