"""``gafas reproduce``: the notebook from the first cell to the last, on drawn faces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gafas.report.comparison import compare_epochs, notebook_figures
from tests.cli.conftest import Gafas, one_error

QUICK = ("--set", "input_size=32", "--set", "epochs=1", "--set", "fine_tune_epochs=1", "--weights", "random")


@pytest.mark.train
def test_everything_is_in_one_run_folder(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    result = gafas("reproduce", "--data", synthetic_root, "-o", run, *QUICK)
    assert result.exit_code == 0, result.output
    # A training of two epochs may leave labels too close to the threshold for 8 bits; then it is said.
    assert (run / "bundle" / "model.tflite").exists() != ("model.tflite is not in the bundle" in result.stderr)
    for place in (
        "data/full/glasses",
        "data/bad",
        "data_pictures/resolutions.png",
        "data_pictures/bad.png",
        "data_pictures/training.png",
        "data_pictures/augmented.png",
        "curves.png",
        "evaluation/confusion.png",
        "evaluation/predictions.csv",
        "bundle/model.onnx",
        "bundle/model-full.tflite",
        "bundle/saved_model/saved_model.pb",
        "pca/eigenfaces.png",
        "pca/explained_variance.png",
        "network.json",
        "summary.md",
        "report.html",
    ):
        assert (run / place).exists(), place
    summary = (run / "summary.md").read_text()
    assert "SYNTHETIC DATA" in summary
    for line in ("41.18 %", "| 94.92 % |", "really dropped", "trainable parameters, tuned | 1,862,721 | 1,862,721"):
        assert line in summary
    assert "Notebook | this run" in result.stdout
    assert f"report: {run / 'report.html'}" in result.stdout
    page = (run / "report.html").read_text(encoding="utf-8")
    for section in ("training", "errors", "export", "comparison", "card"):
        assert f'<section id="{section}"' in page


@pytest.mark.train
def test_without_data_and_network_it_draws_and_says_so(
    gafas: Gafas, no_data: Path, synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gafas.cli import reproduce
    from gafas.datasets import fetch

    # A closed port: refused at once, like a machine without a network.
    monkeypatch.setattr(fetch, "URL", "http://127.0.0.1:9/faces.zip")
    assert reproduce._find_data() == "synthetic"


def test_resume_takes_no_other_option(gafas: Gafas, tmp_path: Path) -> None:
    result = gafas("reproduce", "--resume", tmp_path, "--seed", "1")
    assert result.exit_code == 2
    assert "leave the other options out" in one_error(result)


def test_notebook_figures_are_the_notebooks() -> None:
    figures = notebook_figures()
    assert figures["photographs"] == figures["with_sunglasses"] + figures["without_sunglasses"] == 624
    assert {len(values) for values in figures["history"].values()} == {21}
    assert figures["history"]["val_accuracy"][-1] == figures["stages"]["tuned"]["validation"]["accuracy"] == 0.9809


def test_epochs_of_unequal_runs_are_shown_with_dashes() -> None:
    history = {key: [0.5] for key in ("accuracy", "val_accuracy", "loss", "val_loss")}
    rows = compare_epochs(history)
    assert len(rows) == 21
    assert rows[0][2] == "0.5000"
    assert rows[1][2] == "–"
    assert json.dumps(rows)
