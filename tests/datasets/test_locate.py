from __future__ import annotations

from pathlib import Path

import pytest

from gafas.datasets import synthetic
from gafas.datasets.cmu import read_cmu
from gafas.datasets.folder import read_folder
from gafas.datasets.locate import find_data, load_dataset
from gafas.datasets.organize import organize
from gafas.errors import DataError


def test_nowhere_names_the_ways_out(no_data: Path) -> None:
    with pytest.raises(DataError) as caught:
        find_data()
    for way in ("--data DIR", "gafas data fetch", "--data synthetic", "$GAFAS_DATA is not set"):
        assert way in str(caught.value)


def test_the_order_given_environment_cache(no_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cached, environment, given = no_data / "data" / "cmu_faces", tmp_path / "env", tmp_path / "given"
    for folder in (cached, environment / "cmu_faces", environment / "celeba_glasses", given):
        folder.mkdir(parents=True)
    assert find_data() == cached
    monkeypatch.setenv("GAFAS_DATA", str(environment))
    assert find_data() == environment / "cmu_faces"
    assert find_data("celeba_glasses") == environment / "celeba_glasses"
    assert find_data(given=str(given)) == given
    assert find_data(given="celeba_glasses") == environment / "celeba_glasses"
    assert find_data(given=str(environment)) == environment / "cmu_faces"


def test_the_environment_may_be_a_data_set_itself(
    no_data: Path, tmp_path: Path, synthetic_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAFAS_DATA", str(synthetic_root))
    assert find_data() == synthetic_root
    (tmp_path / "empty").mkdir()
    monkeypatch.setenv("GAFAS_DATA", str(tmp_path / "empty"))
    with pytest.raises(DataError, match="cmu_faces: not found in"):
        find_data()
    monkeypatch.setenv("GAFAS_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"\$GAFAS_DATA: .*nowhere is no folder"):
        find_data()


@pytest.mark.parametrize("given", ["", "nowhere", "/proc/no/such/folder"])
def test_a_given_folder_that_is_missing(no_data: Path, given: str) -> None:
    with pytest.raises(DataError, match="no such file or folder"):
        load_dataset(given)


def test_a_given_folder_that_is_empty_or_a_file(no_data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="holds no pictures"):
        load_dataset(str(tmp_path / "empty"))
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="got a file"):
        load_dataset(str(tmp_path / "file"))


def test_every_form_is_recognised(no_data: Path, synthetic_root: Path, tmp_path: Path) -> None:
    original = load_dataset(str(synthetic_root))
    assert original == read_cmu(synthetic_root)
    organize(original, tmp_path / "data", image_format="png")
    tree = load_dataset(str(tmp_path / "data"))
    assert [len(tree.at(size)) for size in ("full", "half", "quarter")] == [len(original.at("full"))] * 3
    assert len(tree.bad) == len(original.bad)
    one = load_dataset(str(tmp_path / "data" / "full"))
    assert len(one.at("full")) == len(original.at("full"))
    assert tree.synthetic
    assert one.synthetic
    given = load_dataset(
        str(tmp_path / "data"), classes={"sunglasses": ["full/glasses"], "no_sunglasses": ["full/no_glasses"]}
    )
    assert len(given.samples) == len(one.samples)
    assert given.synthetic


def test_unknown_names_are_skipped_on_request(no_data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "an2i"
    folder.mkdir()
    for name in ("an2i_up_sad_open", "an2i_up_sad_sunglasses", "other"):
        (folder / f"{name}.pgm").touch()
    with pytest.raises(DataError, match="rename it or pass --skip-unknown"):
        load_dataset(str(tmp_path))
    assert load_dataset(str(tmp_path), skip_unknown=True).skipped == ("an2i/other.pgm",)


def test_the_word_synthetic_draws_once(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(synthetic.cached_synthetic, "__kwdefaults__", {"persons": 2, "seed": 0, "progress": None})
    steps: list[tuple[int, int]] = []
    dataset = load_dataset("synthetic", seed=3, progress=lambda done, total: steps.append((done, total)))
    assert dataset.synthetic
    assert "synthetic" in dataset.name
    assert dataset.root.is_relative_to(no_data)
    assert steps[-1] == (64, 64)
    assert load_dataset("synthetic", seed=3, progress=lambda *_: pytest.fail("drawn twice")) == dataset


def test_a_class_folder_is_not_left_for_what_lies_in_it(no_data: Path, tmp_path: Path) -> None:
    for name in ("sunglasses", "none", "faces"):
        (tmp_path / "mine" / name).mkdir(parents=True)
        (tmp_path / "mine" / name / "a.jpg").touch()
    assert find_data(given=str(tmp_path / "mine")) == tmp_path / "mine"
    with pytest.raises(DataError, match="faces: the folder name does not say which class it is"):
        read_folder(tmp_path / "mine")
