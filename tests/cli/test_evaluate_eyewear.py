"""``gafas evaluate`` on three classes, on unclear images, under corruption: figures, files, tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gafas.bundle import ONNX, Manifest, save_manifest
from gafas.imaging import read_image, write_image
from gafas.scoring.intervals import wilson
from tests.cli.conftest import Gafas

DARK, CLEAR, BARE = (10, 250, 250), (250, 250, 10), (250, 250, 250)
"""What the model below takes for sunglasses (little red), for eyeglasses (little blue), for neither."""

ANSWERS = {
    "sunglasses": [DARK] * 5 + [CLEAR],
    "eyeglasses": [CLEAR] * 4 + [DARK, BARE],
    "none": [BARE] * 6,
    "unclear": [DARK, CLEAR, CLEAR, BARE],
}


@pytest.fixture
def knowing(tmp_path: Path) -> Path:
    """A bundle that knows eyeglasses: sunglasses lack red, eyeglasses lack blue."""
    onnx = pytest.importorskip("onnx", reason="the train extra is not installed")
    helper, kinds = onnx.helper, onnx.TensorProto
    constants = {"middle": np.float32(127.5), "scale": np.float32(0.05), "columns": np.array([0, 2])}
    nodes = [
        helper.make_node("ReduceMean", ["image"], ["mean"], axes=[1, 2], keepdims=0),
        helper.make_node("Gather", ["mean", "columns"], ["two"], axis=1),
        helper.make_node("Sub", ["middle", "two"], ["lack"]),
        helper.make_node("Mul", ["lack", "scale"], ["logit"]),
        helper.make_node("Sigmoid", ["logit"], ["eyewear"]),
    ]
    graph = helper.make_graph(
        nodes,
        "lack",
        [helper.make_tensor_value_info("image", kinds.FLOAT, ["n", 8, 8, 3])],
        [helper.make_tensor_value_info("eyewear", kinds.FLOAT, ["n", 2])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    folder = tmp_path / "knowing"
    folder.mkdir()
    (folder / ONNX).write_bytes(model.SerializeToString())
    manifest = Manifest(
        name="knowing",
        architecture="mean colours",
        input_size=(8, 8),
        outputs=("sunglasses", "eyeglasses"),
        eyeglasses_threshold=0.4,
    )
    save_manifest(folder, manifest)
    return folder


@pytest.fixture
def coloured(tmp_path: Path) -> Path:
    """Images of `ANSWERS`, one folder a class."""
    for name, colours in ANSWERS.items():
        for number, colour in enumerate(colours):
            image = np.full((24, 20, 3), colour, dtype=np.uint8)
            write_image(tmp_path / "coloured" / name / f"{number}.png", image)
    return tmp_path / "coloured"


def evaluate(gafas: Gafas, model: Path, data: Path, *words: object) -> dict[str, Any]:
    result = gafas("evaluate", model, "--data", data, "--split", "all", "--json", *words)
    assert result.exit_code == 0, result.output
    figures: dict[str, Any] = json.loads(result.stdout)
    return figures


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_three_classes(gafas: Gafas, knowing: Path, coloured: Path, tmp_path: Path) -> None:
    figures = evaluate(gafas, knowing, coloured, "-o", tmp_path / "e")
    eyewear = figures["eyewear"]
    assert eyewear["labels"] == ["none", "eyeglasses", "sunglasses"]
    assert eyewear["confusion"] == [[6, 0, 0], [1, 4, 1], [0, 1, 5]]
    assert (eyewear["n"], eyewear["correct"], eyewear["unknown"]) == (18, 15, 0)
    interval = wilson(2, 12)
    assert eyewear["mixed_up"] == {
        "n": 12,
        "count": 2,
        "share": pytest.approx(2 / 12),
        "interval": [interval.low, interval.high],
    }
    assert figures["n"] == 18
    assert figures["accuracy"] == pytest.approx(16 / 18)
    assert {row["group"]: row["correct"] for row in figures["by"]["eyewear"]} == {
        "none": 6,
        "eyeglasses": 5,
        "sunglasses": 5,
    }
    assert (tmp_path / "e" / "eyewear_confusion.png").stat().st_size > 5000


def test_eyeglasses_alone(gafas: Gafas, knowing: Path, coloured: Path) -> None:
    alone = evaluate(gafas, knowing, coloured)["eyeglasses"]
    among_all, others = alone["among_all"], alone["without_sunglasses"]
    assert (among_all["n"], among_all["positives"], others["n"], others["positives"]) == (18, 6, 12, 6)
    assert others["threshold"] == 0.4
    # Four of six against six others, the two missed ones tied with them.
    assert others["roc_auc"] == pytest.approx(4 / 6 + 2 / 6 / 2)
    assert others["roc_auc_interval"][0] < others["roc_auc"] < others["roc_auc_interval"][1]
    assert others["f1"] == pytest.approx(8 / 10)
    assert among_all["confusion"]["fp"] == 1


def test_unclear_is_in_no_accuracy(gafas: Gafas, knowing: Path, coloured: Path, tmp_path: Path) -> None:
    figures = evaluate(gafas, knowing, coloured, "-o", tmp_path / "e")
    unclear = figures["unclear"]
    assert unclear["n"] == 4
    assert {word: of["count"] for word, of in unclear["said"].items()} == {
        "none": 1,
        "eyeglasses": 2,
        "sunglasses": 1,
    }
    assert not any(row["path"].startswith("unclear/") for row in rows_of(tmp_path / "e" / "predictions.csv"))
    rows = rows_of(tmp_path / "e" / "eyewear.csv")
    assert len(rows) == 22
    assert [row["said"] for row in rows if row["eyewear"] == "unclear"] == [
        "sunglasses",
        "eyeglasses",
        "eyeglasses",
        "none",
    ]
    for path in (coloured / "unclear").iterdir():
        path.unlink()
    without = evaluate(gafas, knowing, coloured)
    assert without.pop("unclear") is None
    figures.pop("unclear")
    assert without == figures


def test_broken_unclear_images_break_nothing(gafas: Gafas, knowing: Path, coloured: Path) -> None:
    for path in (coloured / "unclear").iterdir():
        path.write_bytes(b"no picture")
    unclear = evaluate(gafas, knowing, coloured)["unclear"]
    assert (unclear["n"], len(unclear["failed"])) == (0, 4)
    assert unclear["said"]["none"] == {"count": 0, "share": None}


def test_a_model_without_eyeglasses_says_nothing_of_them(gafas: Gafas, bundle: Path, coloured: Path) -> None:
    figures = evaluate(gafas, bundle, coloured)
    assert figures["eyewear"] is figures["eyeglasses"] is None
    assert set(figures["unclear"]["said"]) == {"none", "sunglasses"}
    assert {row["group"] for row in figures["by"]["eyewear"]} == {"none", "eyeglasses", "sunglasses"}


def test_tables(gafas: Gafas, knowing: Path, coloured: Path) -> None:
    result = gafas("evaluate", knowing, "--data", coloured, "--split", "all", "--robustness")
    assert result.exit_code == 0, result.output
    for words in (
        *("Brier score", "calibration error (ECE)", "Thresholds", "0.5 (model)", "By eyewear"),
        *("Three classes", "said eyeglasses", "Dark and clear glasses mixed up", "Clear eyeglasses, by P(eyeglasses)"),
        *("among those without sunglasses", "Unclear images, in no figure above: n = 4", "Robustness", "as they are"),
        *("brightness ×0.4", "JPEG quality 20", "rotation -20°", "Gaussian noise, sigma 15"),
    ):
        assert words in result.stdout, words


def test_threshold_table_and_reliability(gafas: Gafas, knowing: Path, coloured: Path, tmp_path: Path) -> None:
    figures = evaluate(gafas, knowing, coloured, "-o", tmp_path / "e", "--threshold", "0.55")
    rows = rows_of(tmp_path / "e" / "threshold_table.csv")
    assert [float(row["threshold"]) for row in rows] == [one["threshold"] for one in figures["thresholds"]]
    (own,) = [row for row in rows if row["threshold"] == "0.55"]
    assert float(own["recall"]) == pytest.approx(figures["recall"], abs=1e-6)
    assert {key: int(own[key]) for key in ("tn", "fp", "fn", "tp")} == figures["confusion"]
    calibration = figures["calibration"]
    assert sum(one["n"] for one in calibration["bins"]) == figures["n"]
    for name in ("reliability", "errors"):
        assert (tmp_path / "e" / f"{name}.png").stat().st_size > 5000


def test_robustness_is_of_the_same_images_and_repeatable(gafas: Gafas, knowing: Path, coloured: Path) -> None:
    first, second = (evaluate(gafas, knowing, coloured, "--robustness", "--seed", "3") for _ in range(2))
    assert first == second
    conditions = first["robustness"]
    assert len(conditions) == 8
    assert {one["n"] for one in conditions.values()} == {18}
    assert conditions["as they are"]["accuracy"] == first["accuracy"]
    # Little red at 0.4 of the light: whoever had 250 has 100, and all are said to wear sunglasses.
    assert conditions["brightness ×0.4"]["confusion"] == {"tn": 0, "fp": 12, "fn": 0, "tp": 6}
    assert evaluate(gafas, knowing, coloured)["robustness"] == {}


def test_robustness_leaves_the_broken_out(gafas: Gafas, knowing: Path, coloured: Path) -> None:
    (coloured / "none" / "0.png").write_bytes(b"")
    result = gafas("evaluate", knowing, "--data", coloured, "--split", "all", "--json", "--robustness")
    assert result.exit_code == 1
    figures = json.loads(result.stdout)
    assert {one["n"] for one in figures["robustness"].values()} == {17}
    assert list(figures["failed"]) == ["none/0.png"]


def test_pictures_have_a_sensible_size(gafas: Gafas, knowing: Path, coloured: Path, tmp_path: Path) -> None:
    evaluate(gafas, knowing, coloured, "-o", tmp_path / "e")
    for name in ("reliability", "eyewear_confusion", "confusion", "roc", "precision_recall"):
        height, width, _ = read_image(tmp_path / "e" / f"{name}.png").shape
        assert 400 <= min(height, width) <= max(height, width) <= 1500, name
