from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from gafas.datasets.cmu import read_cmu
from gafas.errors import OutputError
from gafas.imaging import read_image
from gafas.report import data_pictures, style
from gafas.values import Dataset, Sample


@pytest.fixture(scope="module")
def dataset(synthetic_root: Path) -> Dataset:
    return read_cmu(synthetic_root)


@pytest.fixture
def titles(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What stands over each picture that is saved."""
    seen: list[str] = []

    def spy(figure: style.Figure, path: Path) -> None:
        seen.append(figure.get_suptitle())
        style.save_figure(figure, path)

    monkeypatch.setattr(data_pictures, "save_figure", spy)
    return seen


def test_all_pictures_say_that_the_data_is_drawn(dataset: Dataset, tmp_path: Path, titles: list[str]) -> None:
    assert data_pictures.plot_resolutions(tmp_path / "r.png", dataset, seed=1)
    assert data_pictures.plot_bad(tmp_path / "b.png", dataset)
    data_pictures.plot_training(tmp_path / "t.png", dataset, dataset.samples[:9])
    views = np.full((9, 44, 48, 3), 128, np.uint8)
    data_pictures.plot_augmented(tmp_path / "a.png", views, synthetic=True)
    assert len(titles) == 4
    assert all("SYNTHETIC DATA" in title for title in titles)
    for path in tmp_path.iterdir():
        assert min(read_image(path).shape[:2]) > 250
    data_pictures.plot_bad(tmp_path / "b.png", replace(dataset, synthetic=False))
    assert titles[-1] == "Spoilt photographs, left out (n = 3)"


def test_the_same_seed_draws_the_same_picture(dataset: Dataset, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        data_pictures.plot_resolutions(tmp_path / name, dataset, seed=seed)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()


def test_nothing_to_draw(dataset: Dataset, tmp_path: Path) -> None:
    assert not data_pictures.plot_resolutions(tmp_path / "r.png", replace(dataset, samples=dataset.at("full")), seed=1)
    assert not data_pictures.plot_bad(tmp_path / "b.png", replace(dataset, bad=()))
    assert list(tmp_path.iterdir()) == []


def test_a_picture_that_cannot_be_read_has_its_place(synthetic_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(synthetic_root, tmp_path / "faces")
    next(root.glob("*/*.bad")).write_bytes(b"")
    assert data_pictures.plot_bad(tmp_path / "b.png", read_cmu(root))
    assert (tmp_path / "b.png").stat().st_size > 0


def test_captions() -> None:
    assert data_pictures.describe(Sample("x", "sunglasses", "an2i", "up", "sad", "full")) == "up sad sunglasses"
    assert data_pictures.describe(Sample("d/x.jpg", "sunglasses")) == "x.jpg"


def test_output_that_cannot_be_written(dataset: Dataset, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        data_pictures.plot_bad(tmp_path / "file" / "b.png", dataset)
