"""``gafas report``: where the page lands, and one clear line for whatever is wrong."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
from gafas.datasets.locate import load_dataset
from tests.cli.conftest import Gafas, one_error
from tests.report import folders


@pytest.fixture
def run(tmp_path: Path, synthetic_root: Path, bundle: Path) -> Path:
    return folders.make_run(tmp_path / "run", load_dataset(str(synthetic_root)), bundle)


def test_writes_into_the_folder_once(gafas: Gafas, run: Path) -> None:
    result = gafas("report", run)
    assert result.exit_code == 0, result.output
    page = run / "report.html"
    assert result.stdout == f"report: {page}\n"
    assert "SYNTHETIC" in result.stderr
    before = page.read_bytes()
    again = gafas("report", run, "--lang", "es")
    assert again.exit_code == 2
    assert "exists already; pass --overwrite" in one_error(again)
    assert page.read_bytes() == before
    assert gafas("report", run, "--lang", "es", "--overwrite").exit_code == 0
    assert '<html lang="es">' in page.read_text(encoding="utf-8")


def test_of_a_model_by_name(gafas: Gafas, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = gafas("report", "gafas-base")
    assert result.exit_code == 0, result.output
    assert (tmp_path / "gafas-base-report.html").is_file()


def test_with_a_cross_validation(gafas: Gafas, run: Path, tmp_path: Path, synthetic_root: Path) -> None:
    folds = folders.make_crossval(tmp_path / "folds", load_dataset(str(synthetic_root)))
    assert gafas("report", run, "--crossval", folds, "-o", tmp_path / "r.html").exit_code == 0
    assert 'id="persons"' in (tmp_path / "r.html").read_text(encoding="utf-8")
    wrong = gafas("report", run, "--crossval", run, "-o", tmp_path / "s.html")
    assert wrong.exit_code == 2
    assert "--crossval: expected the folder of a cross-validation" in one_error(wrong)


def test_without_the_data_set_it_says_so(gafas: Gafas, run: Path, no_data: Path) -> None:
    record = json.loads((run / "config.json").read_text())
    record["data"]["root"] = "/nowhere/faces"
    (run / "config.json").write_text(json.dumps(record))
    result = gafas("report", run)
    assert result.exit_code == 0
    assert "no pictures, the data set was not found: /nowhere/faces" in result.stderr
    assert "<img" not in (run / "report.html").read_text(encoding="utf-8")


def spoil_nothing(run: Path) -> None:
    pass


def remove_metrics(run: Path) -> None:
    (run / "metrics.json").unlink()


def cut_metrics(run: Path) -> None:
    (run / "metrics.json").write_text('{"tuned": {"te')


def empty_metrics(run: Path) -> None:
    (run / "metrics.json").write_text("{}")


def other_metrics(run: Path) -> None:
    (run / "metrics.json").write_text('{"tuned": {"test": {"accuracy": "high"}}}')


def list_config(run: Path) -> None:
    (run / "config.json").write_text("[]")


def other_config(run: Path) -> None:
    (run / "config.json").write_text('{"name": "mine"}')


def other_history(run: Path) -> None:
    (run / "history.json").write_text('{"loss": [0.5], "accuracy": 3, "val_loss": [1], "val_accuracy": [1]}')


def cut_history(run: Path) -> None:
    (run / "history.json").write_text("{")


def wrong_rows(run: Path) -> None:
    (run / "predictions.csv").write_text("path,person,label,probability,split\na.pgm,,sunglasses,1.5,test\n")


def wrong_columns(run: Path) -> None:
    (run / "predictions.csv").write_text("path,label\na.pgm,sunglasses\n")


def not_text(run: Path) -> None:
    (run / "predictions.csv").write_bytes(b"\xff\xfe\x00")


def changed_model(run: Path) -> None:
    (run / "bundle" / "model.onnx").write_bytes(b"another")


@pytest.mark.parametrize(
    ("spoil", "options", "code", "words"),
    [
        (spoil_nothing, ("--lang", "fr"), 2, "--lang: expected one of en, es, got fr"),
        (spoil_nothing, ("-o", "report.pdf"), 2, "--output: expected a file that ends in .html"),
        (spoil_nothing, ("--data", "/nowhere"), 1, "/nowhere: no such file or folder"),
        (spoil_nothing, ("--crossval", "/nowhere"), 2, "/nowhere: no such folder"),
        (remove_metrics, (), 1, "not finished; go on with: gafas train --resume"),
        (cut_metrics, (), 1, "metrics.json: cannot be read as JSON"),
        (empty_metrics, (), 1, "expected figures of at least one stage"),
        (other_metrics, (), 1, "expected n, positives, threshold, accuracy, loss, interval and confusion"),
        (list_config, (), 1, "config.json: expected a JSON object, got list"),
        (other_config, (), 1, "expected a recipe under config"),
        (other_history, (), 1, "not of the form that gafas writes (TypeError"),
        (cut_history, (), 1, "history.json: cannot be read as JSON"),
        (wrong_rows, (), 1, "predictions.csv, line 2: expected a label"),
        (wrong_columns, (), 1, "expected a column person, got none"),
        (not_text, (), 1, "predictions.csv: cannot be read"),
        (changed_model, (), 1, "manifest says"),
    ],
)
def test_bad_input(gafas: Gafas, run: Path, spoil: object, options: tuple[str, ...], code: int, words: str) -> None:
    spoil(run)  # type: ignore[operator]
    result = gafas("report", run, *options)
    assert result.exit_code == code, result.output
    assert words in one_error(result)
    assert not (run / "report.html").exists()


def test_no_such_folder(gafas: Gafas, tmp_path: Path) -> None:
    result = gafas("report", tmp_path / "nothing")
    assert result.exit_code == 2
    assert "no such folder" in one_error(result)
    result = gafas("report", tmp_path)
    assert result.exit_code == 2
    assert "expected the folder of a run, an evaluation" in one_error(result)


def test_an_unfinished_cross_validation(gafas: Gafas, tmp_path: Path, synthetic_root: Path) -> None:
    folds = folders.make_crossval(tmp_path / "folds", load_dataset(str(synthetic_root)))
    (folds / "metrics.json").unlink()
    result = gafas("report", folds)
    assert result.exit_code == 1
    assert "gafas crossval --resume" in one_error(result)


def test_a_folder_cannot_be_the_page(gafas: Gafas, run: Path, tmp_path: Path) -> None:
    (tmp_path / "r.html").mkdir()
    result = gafas("report", run, "-o", tmp_path / "r.html")
    assert result.exit_code == 2
    assert "is a folder; name a file" in one_error(result)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="the rights of files do not bind this user")
def test_read_only_output(gafas: Gafas, run: Path, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    result = gafas("report", run, "-o", locked / "r.html")
    assert result.exit_code == 2
    assert "not written: Permission denied" in one_error(result)


def test_output_where_no_file_can_be(gafas: Gafas, run: Path) -> None:
    result = gafas("report", run, "-o", run / "config.json" / "r.html")
    assert result.exit_code == 2
    assert "not written" in one_error(result)
