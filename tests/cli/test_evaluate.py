"""``gafas evaluate``: figures with their n, for bundles and for bare model files."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path

import pytest

from gafas.datasets.locate import load_dataset
from tests.cli.conftest import Gafas, one_error

pytestmark = pytest.mark.train


def test_test_part_of_a_run(gafas: Gafas, trained: Path, tmp_path: Path) -> None:
    output = tmp_path / "evaluation"
    result = gafas("evaluate", trained, "-o", output)
    assert result.exit_code == 0, result.output
    for words in ("accuracy", "95 % interval", "ROC-AUC", "average precision", "Confusion", "SYNTHETIC DATA"):
        assert words in result.output
    for group in ("By pose", "By expression", "By person", "By resolution", "raw (logit)"):
        assert group in result.stdout
    figures = json.loads((output / "metrics.json").read_text())
    assert figures["synthetic"] is True
    assert set(figures["by"]) == {"pose", "expression", "person"}
    assert {name: r["n"] for name, r in figures["by_resolution"].items()} == dict.fromkeys(
        ("full", "half", "quarter"), figures["n"]
    )
    assert sum(row["n"] for row in figures["by"]["person"]) == figures["n"]
    assert figures["in_no_group"] == {"pose": 0, "expression": 0, "person": 0}
    for name in ("confusion", "roc", "precision_recall", "predictions"):
        assert (output / f"{name}.png").stat().st_size > 5000


def test_the_exported_model_gives_the_figures_of_training(gafas: Gafas, trained: Path) -> None:
    metrics = json.loads((trained / "metrics.json").read_text())
    for part in ("train", "validation", "test"):
        result = gafas("evaluate", trained, "--split", part, "--json")
        ours, trainings = json.loads(result.stdout), metrics["tuned"][part]
        assert ours["confusion"] == trainings["confusion"]
        assert ours["loss"] == pytest.approx(trainings["loss"], abs=1e-4)


def test_all_images_say_how_many_were_trained_on(gafas: Gafas, trained: Path, tmp_path: Path) -> None:
    result = gafas("evaluate", trained, "--split", "all", "-o", tmp_path / "e")
    assert result.exit_code == 0, result.output
    assert "88 of these 125 images were used in training" in result.stderr
    rows = list(csv.DictReader((tmp_path / "e" / "predictions.csv").read_text().splitlines()))
    assert len(rows) == 125
    assert {row["split"] for row in rows} == {"train", "validation", "test"}


def test_bare_model_file_as_logits_of_the_other_class(gafas: Gafas, bundle: Path, onnx_maker, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    onnx_maker(tmp_path / "logits.onnx", logits=True)
    data = ("--data", _two_folders(tmp_path), "--split", "all", "--json")
    straight = json.loads(gafas("evaluate", tmp_path / "logits.onnx", *data, "--output-scale", "logit").stdout)
    turned = json.loads(
        gafas(
            "evaluate", tmp_path / "logits.onnx", *data, "--output-scale", "logit", "--output-class", "no_sunglasses"
        ).stdout
    )
    probability = json.loads(gafas("evaluate", bundle, *data).stdout)
    assert (straight["accuracy"], turned["accuracy"], probability["accuracy"]) == (1.0, 0.0, 1.0)
    assert straight["loss"] == pytest.approx(probability["loss"], rel=1e-4)


def _two_folders(root: Path) -> Path:
    import numpy as np

    from gafas.imaging import write_image

    for name, grey in (("sunglasses", 20), ("no_sunglasses", 230)):
        for number in range(3):
            write_image(root / "d" / name / f"{number}.png", np.full((9, 9, 3), grey + number, dtype=np.uint8))
    return root / "d"


def test_broken_image_is_in_no_figure_but_has_its_row(gafas: Gafas, bundle: Path, tmp_path: Path) -> None:
    data = _two_folders(tmp_path)
    (data / "sunglasses" / "1.png").write_bytes(b"")
    result = gafas("evaluate", bundle, "--data", data, "--split", "all", "-o", tmp_path / "e")
    assert result.exit_code == 1
    assert "1 of 6 images could not be read" in result.stderr
    rows = {r["path"]: r for r in csv.DictReader((tmp_path / "e" / "predictions.csv").read_text().splitlines())}
    assert len(rows) == 6
    assert rows["sunglasses/1.png"]["probability"] == ""
    figures = json.loads((tmp_path / "e" / "metrics.json").read_text())
    assert figures["n"] == 5
    assert "0 bytes" in figures["failed"]["sunglasses/1.png"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--split", "test"), 2, "pass --split all"),
        (("--split", "half"), 2, "--split: expected train, validation, test or all"),
        (("--split", "all", "--runtime", "magic"), 2, "--runtime"),
        (("--split", "all", "--output-scale", "logit"), 2, "bare model files"),
        (("--split", "all", "--output-scale", "dB"), 2, "--output-scale"),
        (("--split", "all", "--output-class", "hat"), 2, "--output-class"),
        (("--split", "all", "--runtime", "litert"), 1, "has no model.tflite"),
    ],
)
def test_wrong_usage(
    gafas: Gafas, bundle: Path, tmp_path: Path, words: tuple[str, ...], code: int, message: str
) -> None:
    result = gafas("evaluate", bundle, "--data", _two_folders(tmp_path), *words)
    assert (result.exit_code, message in one_error(result)) == (code, True), result.stderr


def test_existing_output_is_kept(gafas: Gafas, bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "metrics.json").write_text("mine")
    words = ("evaluate", bundle, "--data", _two_folders(tmp_path), "--split", "all", "-o", tmp_path / "e")
    result = gafas(*words)
    assert result.exit_code == 2
    assert (tmp_path / "e" / "metrics.json").read_text() == "mine"
    assert gafas(*words, "--overwrite").exit_code == 0


def test_other_data_than_the_runs(gafas: Gafas, trained: Path, tmp_path: Path) -> None:
    result = gafas("evaluate", trained, "--data", _two_folders(tmp_path))
    assert result.exit_code == 1
    assert "is it the same data?" in one_error(result)


@pytest.mark.real_data
def test_the_notebooks_own_model_on_all_photographs(gafas: Gafas, cmu_root: Path) -> None:
    model = Path(os.environ["GAFAS_DATA"]).parent / "seed" / "model.tflite"
    if not model.is_file():
        pytest.skip("no seed/model.tflite beside $GAFAS_DATA")
    words = ("--split", "all", "--output-scale", "logit", "--output-class", "no_sunglasses", "--json")
    result = gafas("evaluate", model, "--data", cmu_root, *words)
    assert result.exit_code == 0, result.output
    figures = json.loads(result.stdout)
    counts = figures["confusion"]
    # 605. Three pictures lie within 0.03 of the threshold; they change sides, and 606 are right, when the resized
    # pixels are not rounded to 8 bits.
    assert counts["tn"] + counts["tp"] in (605, 606)
    assert figures["n"] == 624


@pytest.mark.real_data
def test_organised_tree_is_the_same_data_set(gafas: Gafas, cmu_root: Path, tmp_path: Path) -> None:
    few = tmp_path / "faces"
    for person in ("an2i", "at33"):
        shutil.copytree(cmu_root / person, few / person)
    assert gafas("data", "organize", "--data", few, "-o", tmp_path / "data", "--image-format", "png").exit_code == 0
    straight, organised = load_dataset(str(few)), load_dataset(str(tmp_path / "data"))
    assert len(straight.at("full")) == len(organised.at("full"))
