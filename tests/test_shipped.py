"""The bundles that the package carries: whole, small, honest about their figures, and as good as they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gafas.bundle import CARRIED, HELD_OUT, ONNX, ONNX_INT8, SHIPPED, WEIGHTS, Bundle, load_bundle, shipped_bundle
from gafas.report.card import CARD, render_card

SIZES = {
    "gafas-base": {ONNX: 5_000_000, WEIGHTS: 5_000_000, ONNX_INT8: 5_000_000},
    "gafas-nano": {ONNX_INT8: 600_000},
}
CMU = "CMU Face Images"
ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module", params=CARRIED)
def shipped(request: pytest.FixtureRequest) -> Bundle:
    return load_bundle(request.param)


def test_the_first_is_the_default() -> None:
    assert CARRIED[0] == SHIPPED
    assert load_bundle(SHIPPED).folder == shipped_bundle()


def test_it_is_whole_and_small(shipped: Bundle) -> None:
    for name, most in SIZES[shipped.manifest.name].items():
        assert shipped.file(name).stat().st_size <= most
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


@pytest.mark.parametrize("readme", ["README.md", "README.es.md"])
def test_the_readmes_give_its_figures(shipped: Bundle, readme: str) -> None:
    lines = (ROOT / readme).read_text(encoding="utf-8").splitlines()
    held_out, cmu = (shipped.manifest.metrics[name] for name in (HELD_OUT, CMU))
    low, high = cmu["interval"]
    places = [place for place, line in enumerate(lines) if f"{cmu['accuracy']:.4f} [{low:.3f}, {high:.3f}]" in line]
    assert len(places) == 1
    # In the same sentence or the next: two models may have the same figure.
    assert any(f"F1 {held_out['f1']:.4f}" in line for line in lines[places[0] : places[0] + 2])


@pytest.mark.parametrize(
    ("name", "folder", "part", "n"), [(HELD_OUT, "celeba_glasses", "test", 355), (CMU, "cmu_faces", "all", 624)]
)
def test_it_is_as_good_as_it_says(
    shipped: Bundle, cmu_root: Path, tmp_path: Path, name: str, folder: str, part: str, n: int
) -> None:
    data = cmu_root.parent / folder
    if not data.is_dir():
        pytest.skip(f"$GAFAS_DATA holds no {folder}/")
    words = ["evaluate", shipped.manifest.name, "--data", str(data), "--split", part, "--json"]
    command = [sys.executable, "-m", "gafas", *words]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, cwd=tmp_path)
    got, said = json.loads(done.stdout), shipped.manifest.metrics[name]
    assert got["n"] == n
    # Another processor may turn a picture that lies on the threshold.
    assert got["accuracy"] == pytest.approx(said["accuracy"], abs=2.5 / n)
    assert got["roc_auc"] == pytest.approx(said["roc_auc"], abs=1e-3)
    assert got["eyewear"]["accuracy"] == pytest.approx(said["eyewear"]["accuracy"], abs=2.5 / n)
