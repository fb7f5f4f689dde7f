"""Bad places and bad names: one clear line, the right exit code, nothing half-written, nothing lost."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gafas.datasets import fetch as fetching
from gafas.datasets.verify import make_manifest
from gafas.imaging import write_image
from tests.cli.conftest import Gafas, one_error
from tests.disks import fill, held_by_another, read_only, small_disk, somebody_elses

PCA = ("--recipe", "pca", "--set", "input_size=16")

Words = Callable[[Path], tuple[str | Path, ...]]


@pytest.fixture
def inputs(bundle: Path, synthetic_root: Path, photos: Path) -> dict[str, Words]:
    """Each command that writes, with a place to write to."""
    judging = ("--model", bundle)
    return {
        "predict": lambda place: ("predict", photos, *judging, "-o", place / "rows.csv"),
        "job": lambda place: ("predict", photos, *judging, "-o", place / "rows", "--workers", "1"),
        "copies": lambda place: ("predict", photos, *judging, "-f", "csv", "--annotate", place / "drawn"),
        "sorted": lambda place: ("predict", photos, *judging, "-f", "csv", "--sort-into", place / "sorted"),
        "explain": lambda place: ("explain", photos, *judging, "-o", place / "why"),
        "evaluate": lambda place: (
            *("evaluate", bundle, "--data", synthetic_root, "--split", "all", "-o", place / "evaluation"),
        ),
        "report": lambda place: ("report", bundle, "-o", place / "report.html"),
        "organize": lambda place: ("data", "organize", "--data", synthetic_root, "-o", place / "tree"),
        "fetch": lambda place: ("data", "fetch", "--from", synthetic_root, "-o", place / "faces"),
        "train": lambda place: ("train", *PCA, "--data", synthetic_root, "-o", place / "run"),
        "crossval": lambda place: ("crossval", *PCA, "--jobs", "1", "--data", synthetic_root, "-o", place / "cv"),
    }


COMMANDS = (
    "predict",
    "job",
    "copies",
    "sorted",
    "explain",
    "evaluate",
    "report",
    "organize",
    "fetch",
    "train",
    "crossval",
)


@pytest.fixture(scope="module")
def _manifest(synthetic_root: Path) -> object:
    return make_manifest(synthetic_root)


@pytest.fixture(autouse=True)
def _drawn_manifest(monkeypatch: pytest.MonkeyPatch, _manifest: object) -> None:
    monkeypatch.setattr(fetching, "read_manifest", lambda: _manifest)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with small_disk(tmp_path_factory.mktemp("disk"), size="1m") as folder:
        yield folder


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


LEFT = {"organize": 100_000, "evaluate": 40_000, "fetch": 200_000, "train": 60_000, "crossval": 60_000}
"""Bytes that a full disk still has: enough to begin, not to end."""


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk(command: str, gafas: Gafas, inputs: dict[str, Words], disk: Path) -> None:
    filler = fill(disk, leave=LEFT.get(command, 0))
    try:
        result = gafas(*inputs[command](disk))
        assert result.exit_code == 2, result.output
        error = one_error(result)
        assert "No space left on device" in error
        assert str(disk) in error
        assert not [name for name in everything(disk) if "/." in f"/{name}"]
        assert all((disk / name).stat().st_size for name in everything(disk))
    finally:
        for path in disk.iterdir():
            if path != filler:
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        filler.unlink()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_read_only_disk(command: str, gafas: Gafas, inputs: dict[str, Words], disk: Path) -> None:
    with read_only(disk):
        result = gafas(*inputs[command](disk))
    assert result.exit_code == 2, result.output
    assert "Read-only file system" in one_error(result)


@pytest.mark.parametrize("command", COMMANDS)
def test_somebody_elses_folder(command: str, gafas: Gafas, inputs: dict[str, Words], tmp_path: Path) -> None:
    with somebody_elses(tmp_path / "theirs") as place:
        result = gafas(*inputs[command](place))
    assert result.exit_code == 2, result.output
    assert "Permission denied" in one_error(result)
    assert str(place) in one_error(result)


@pytest.mark.parametrize("words", [("models", "list"), ("models", "list", "--json"), ("--version",)])
def test_standard_output_on_a_full_disk(words: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "gafas", *words]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "error: standard output: not written: No space left on device; make room, or write elsewhere\n"
    )


# Names


def _odd_names(root: Path, endings: tuple[str, ...] = (".png",)) -> list[str]:
    """Pictures of both classes with the longest name that a folder takes, and one that is no UTF-8."""
    names = []
    for label, brightness in (("sunglasses", 10), ("no_sunglasses", 250)):
        (root / label).mkdir(parents=True)
        stems = ["a" * (255 - len(endings[0])), os.fsdecode(b"caf\xe9"), *(f"plain{number}" for number in range(6))]
        for number, stem in enumerate(stems):
            path = root / label / f"{stem}{endings[number % len(endings)]}"
            write_image(path, np.full((20, 20, 3), brightness + number % 3, np.uint8))
            names.append(path.relative_to(root).as_posix())
    return names


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
        return list(csv.DictReader(lines))


def test_predict_takes_and_copies_odd_names(gafas: Gafas, bundle: Path, tmp_path: Path) -> None:
    names = _odd_names(tmp_path / "in")
    words = ("predict", tmp_path / "in", "--model", bundle)
    copies = ("--annotate", tmp_path / "drawn", "--sort-into", tmp_path / "sorted")
    result = gafas(*words, "-o", tmp_path / "rows.csv", *copies)
    assert result.exit_code == 0, result.output
    assert {row["path"] for row in _rows(tmp_path / "rows.csv")} == {str(tmp_path / "in" / name) for name in names}
    drawn = [path for path in (tmp_path / "drawn").rglob("*") if path.is_file()]
    assert len(drawn) == len([path for path in (tmp_path / "sorted").rglob("*") if path.is_file()]) == len(names)
    assert gafas(*words, "-o", tmp_path / "rows.json").exit_code == 0
    assert len(json.loads((tmp_path / "rows.json").read_text(encoding="utf-8"))) == len(names)
    # The name stays as long as a name may be, whatever is put behind it.
    result = gafas("explain", tmp_path / "in", "--model", bundle, "-f", "json", "-o", tmp_path / "why")
    assert result.exit_code == 0, result.output
    assert len([path for path in (tmp_path / "why").rglob("*.png") if path.is_file()]) == len(names)


def test_organize_keeps_odd_names(gafas: Gafas, tmp_path: Path) -> None:
    names = _odd_names(tmp_path / "in")
    result = gafas("data", "organize", "--data", tmp_path / "in", "-o", tmp_path / "tree", "--image-format", "png")
    assert result.exit_code == 0, result.output
    written = {path.name for path in (tmp_path / "tree").rglob("*.png")}
    assert written == {Path(name).name for name in names}


@pytest.mark.train
def test_a_run_on_odd_names(gafas: Gafas, tmp_path: Path) -> None:
    names = _odd_names(tmp_path / "in")
    run = tmp_path / "run"
    small = ("--recipe", "pca", "--input-size", "16", "--batch-size", "2")
    result = gafas("train", *small, "--data", tmp_path / "in", "-o", run)
    assert result.exit_code == 0, result.output
    assert {row["path"] for row in _rows(run / "predictions.csv")} == set(names)
    (run / "metrics.json").unlink()
    assert gafas("train", "--resume", run).exit_code == 0
    result = gafas("evaluate", run, "--split", "all", "-o", tmp_path / "evaluation", "--json")
    assert result.exit_code == 0, result.output
    assert {row["path"] for row in _rows(tmp_path / "evaluation" / "predictions.csv")} == set(names)
    result = gafas("report", tmp_path / "evaluation")
    assert result.exit_code == 0, result.output


# Loops of links


def _loops(root: Path) -> None:
    """Two links that lead back up, to which everything is twice as deep at each step, and a file that is itself."""
    for name in ("one", "two"):
        (root / "sunglasses" / name).symlink_to(root, target_is_directory=True)
    (root / "no_sunglasses" / "itself.png").symlink_to(root / "no_sunglasses" / "itself.png")


def test_loops_of_links_end(gafas: Gafas, bundle: Path, tmp_path: Path) -> None:
    names = _odd_names(tmp_path / "in")
    _loops(tmp_path / "in")
    for source in (tmp_path / "in", tmp_path / "in" / "**" / "*.png"):
        result = gafas("predict", source, "--model", bundle, "-o", tmp_path / "rows.csv", "--overwrite")
        assert result.exit_code == 1, result.output
        rows = _rows(tmp_path / "rows.csv")
        assert len(rows) == len(names) + 1
        assert ["itself.png" in row["path"] for row in rows if row["status"] == "error"] == [True]
    words = ("evaluate", bundle, "--data", tmp_path / "in", "--split", "all", "--json")
    result = gafas(*words)
    assert result.exit_code == 1, result.output
    assert json.loads(result.stdout)["n"] == len(names)


# Two at once


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("job", "rows"),
        ("copies", "drawn"),
        ("sorted", "sorted/sunglasses"),
        ("explain", "why"),
        ("evaluate", "evaluation"),
        ("organize", "tree"),
        ("train", "run"),
        ("crossval", "cv"),
    ],
)
def test_a_folder_belongs_to_one_at_a_time(
    command: str, name: str, gafas: Gafas, inputs: dict[str, Words], tmp_path: Path
) -> None:
    place = tmp_path / "place"
    with held_by_another(place / name):
        overwrite = () if command == "organize" else ("--overwrite",)
        result = gafas(*inputs[command](place), *overwrite)
        assert result.exit_code == 2, result.output
        assert f"{place / name}: another gafas is writing into it; wait until it has ended" in one_error(result)
        assert everything(place) == set()
    if command in {"explain", "organize"}:
        # A kill lets go of it.
        result = gafas(*inputs[command](place))
        assert result.exit_code == 0, result.output


@pytest.mark.parametrize("command", ["predict", "organize"])
def test_two_at_once_end_in_one_whole_result(
    command: str, process: Callable[..., subprocess.Popen[str]], inputs: dict[str, Words], tmp_path: Path
) -> None:
    words = inputs[command](tmp_path / "place")
    both = [process(*words) for _ in range(2)]
    said = [one.communicate()[1] for one in both]
    codes = sorted(one.returncode for one in both)
    assert codes in ([0, 0], [0, 2]), said
    assert not any("Traceback" in text for text in said)
    if codes[1] == 2:
        assert any("another gafas is writing" in text or "exists already" in text for text in said), said
    assert not [name for name in everything(tmp_path / "place") if "/." in f"/{name}"]
    if command == "predict":
        assert len(_rows(tmp_path / "place" / "rows.csv")) == 3
    else:
        assert len(everything(tmp_path / "place")) == 379


# Killed at an awkward moment


@pytest.mark.train
def test_a_run_that_was_killed_before_its_split_was_saved(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ("train", "--recipe", "pca", "--input-size", "16", "--data", synthetic_root, "-o", run)
    assert gafas(*words).exit_code == 0
    want = {name: (run / name).read_bytes() for name in ("split.json", "predictions.csv")}
    for path in run.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        elif path.name != "config.json":
            path.unlink()
    result = gafas("train", "--resume", run)
    assert result.exit_code == 0, result.output
    assert {name: (run / name).read_bytes() for name in want} == want
    # What was trained on another split must not go on with a new one.
    for name in ("split.json", "metrics.json"):
        (run / name).unlink()
    result = gafas("train", "--resume", run)
    assert result.exit_code == 1
    assert "split.json" in one_error(result)
