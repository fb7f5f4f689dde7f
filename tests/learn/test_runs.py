"""Run folders: named, recorded, never silently replaced."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from gafas.errors import DataError, OutputError, UsageError
from gafas.learn.config import RECIPES
from gafas.learn.crossval_folder import remove_results
from gafas.learn.results import licences, write_predictions
from gafas.learn.runs import State, new_run, open_run
from gafas.values import Sample

CONFIG = RECIPES["notebook"]


def test_a_run_is_named_by_time_recipe_and_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    first = new_run(None, CONFIG, data={"synthetic": True}, extra={})
    second = new_run(None, CONFIG, data={"synthetic": True}, extra={})
    assert first.folder.parent.name == "runs"
    assert "-notebook-synthetic" in first.folder.name
    assert first.folder != second.folder
    assert open_run(first.folder).config == CONFIG


def test_an_existing_run_is_not_replaced(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", CONFIG, data={}, extra={})
    run.write_state(State(epochs_done=3))
    with pytest.raises(OutputError, match="exists already; pass --overwrite"):
        new_run(tmp_path / "run", CONFIG, data={}, extra={})
    assert open_run(tmp_path / "run").read_state().epochs_done == 3
    (run.bundle / "saved_model").mkdir(parents=True)
    held: list[Path] = []
    fresh = new_run(tmp_path / "run", CONFIG, data={}, extra={}, overwrite=True, hold=held.append)
    assert fresh.read_state().epochs_done == 0
    # The new run's test images may be what the old model was trained on.
    assert not fresh.bundle.exists()
    assert held == [tmp_path / "run"]


def test_what_cannot_be_removed_is_named(tmp_path: Path) -> None:
    (tmp_path / "run" / "metrics.json").mkdir(parents=True)
    with pytest.raises(OutputError, match=r"run: the earlier run cannot be removed: .*; name another output"):
        new_run(tmp_path / "run", CONFIG, data={}, extra={}, overwrite=True)
    (tmp_path / "cv" / "metrics.json").mkdir(parents=True)
    (tmp_path / "cv" / "config.json").touch()
    with pytest.raises(OutputError, match=r"cv: the earlier cross-validation cannot be removed: .*"):
        remove_results(tmp_path / "cv")
    # It goes first: nobody goes on with settings whose results are half gone.
    assert not (tmp_path / "cv" / "config.json").exists()


def test_not_a_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a run folder with config\.json"):
        open_run(tmp_path)


def test_damaged_state(tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", CONFIG, data={}, extra={})
    run.write_state(State())
    (run.folder / "checkpoint" / "state.json").write_text("{")
    with pytest.raises(DataError, match="expected a checkpoint's state"):
        run.read_state()


def test_predictions_have_a_row_for_every_image(tmp_path: Path) -> None:
    samples = [Sample("a/1.pgm", "sunglasses", "ann"), Sample("2.pgm", "no_sunglasses")]
    write_predictions(tmp_path / "p.csv", [(samples[0], 0.25, "test"), (samples[1], None, "")])
    rows = list(csv.DictReader((tmp_path / "p.csv").read_text().splitlines()))
    assert rows == [
        {"path": "a/1.pgm", "person": "ann", "label": "sunglasses", "probability": "0.250000", "split": "test"},
        {"path": "2.pgm", "person": "", "label": "no_sunglasses", "probability": "", "split": ""},
    ]


def test_licences_name_data_and_backbone() -> None:
    real = licences({"name": "CMU Face Images"}, {"kind": "packaged"})
    assert "CC BY 4.0" in real[0]
    assert "Apache-2.0" in real[1]
    assert "MIT" in real[2]
    assert "own licence" in licences({"name": "CMU Face Images"}, {"kind": "file", "file": "w.h5"})[1]
    assert licences({"synthetic": True}, {"kind": "random"}) == ("Data: drawn by gafas (synthetic), Apache-2.0",)
    assert "own licence" in licences({"name": "holiday"}, None)[0]
