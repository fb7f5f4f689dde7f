"""The bundle that the package carries: whole, small, honest about its figures, and as good as it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gafas.bundle import HELD_OUT, ONNX, SHIPPED, WEIGHTS, Bundle, load_bundle, shipped_bundle
from gafas.report.card import CARD, render_card

MEGABYTE = 1_000_000
CMU = "CMU Face Images"


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle(SHIPPED)


def test_it_is_whole_and_small(shipped: Bundle) -> None:
    assert shipped.folder == shipped_bundle()
    assert shipped.file(ONNX).stat().st_size <= 5 * MEGABYTE
    assert shipped.file(WEIGHTS).stat().st_size <= 5 * MEGABYTE
    assert shipped.manifest.outputs == ("sunglasses", "eyeglasses")
    assert shipped.manifest.region == "face"
    assert any("non-commercial" in line for line in shipped.manifest.licences)


def test_no_picture_of_a_test_set_took_part(shipped: Bundle) -> None:
    split = json.loads((shipped.folder / "split.json").read_text())
    parts = [set(split[name]) for name in ("train", "validation", "test")]
    assert not parts[0] & parts[1]
    assert not (parts[0] | parts[1]) & parts[2]
    assert {path.split("/")[0] for part in parts for path in part} == {"sunglasses", "eyeglasses", "none"}
    # Blocks of numbers: neighbours are on one side.
    blocks = [{int(Path(path).stem[:6]) // 100 for path in part} for part in parts]
    assert not (blocks[0] | blocks[1]) & blocks[2]
    assert shipped.manifest.training["data"]["name"] == "celeba_glasses"


def test_the_card_is_made_of_the_manifest(shipped: Bundle) -> None:
    pytest.importorskip("jinja2", reason="the report extra is not installed")
    assert (shipped.folder / CARD).read_text(encoding="utf-8") == render_card(shipped.manifest)


def test_every_figure_has_its_n_and_interval(shipped: Bundle) -> None:
    for name in (HELD_OUT, CMU):
        figures = shipped.manifest.metrics[name]
        assert figures["n"] > 300
        low, high = figures["interval"]
        assert low < figures["accuracy"] < high


@pytest.mark.parametrize(
    ("name", "folder", "part", "n"), [(HELD_OUT, "celeba_glasses", "test", 355), (CMU, "cmu_faces", "all", 624)]
)
def test_it_is_as_good_as_it_says(
    shipped: Bundle, cmu_root: Path, tmp_path: Path, name: str, folder: str, part: str, n: int
) -> None:
    data = cmu_root.parent / folder
    if not data.is_dir():
        pytest.skip(f"$GAFAS_DATA holds no {folder}/")
    command = [sys.executable, "-m", "gafas", "evaluate", SHIPPED, "--data", str(data), "--split", part, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    got, said = json.loads(done.stdout), shipped.manifest.metrics[name]
    assert got["n"] == n
    # Another processor may turn a picture that lies on the threshold.
    assert got["accuracy"] == pytest.approx(said["accuracy"], abs=2.5 / n)
    assert got["roc_auc"] == pytest.approx(said["roc_auc"], abs=1e-3)
    assert got["eyewear"]["accuracy"] == pytest.approx(said["eyewear"]["accuracy"], abs=2.5 / n)
