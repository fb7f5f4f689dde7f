from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gafas.datasets.cmu import parse_name, parse_path, read_cmu
from gafas.errors import DataError
from gafas.values import Sample


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"P5 1 1 9 \1")
    return root


BOTH = ("an2i/an2i_up_sad_open.pgm", "an2i/an2i_up_sad_sunglasses.pgm")


def test_a_name_says_everything() -> None:
    assert parse_name("an2i/an2i_left_angry_sunglasses_4.pgm") == Sample(
        "an2i/an2i_left_angry_sunglasses_4.pgm", "sunglasses", "an2i", "left", "angry", "quarter"
    )
    assert parse_name("an2i_left_angry_open.jpg").resolution == "full"


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("an2i/x.pgm", r"expected PERSON_POSE_EXPRESSION_EYES\[_SCALE\].pgm, got 1 field;"),
        ("an2i/an2i_left_angry.pgm", r"got 3 fields; rename it or pass --skip-unknown"),
        ("an2i/an2i_left_angry_open_2_2.pgm", "got 6 fields"),
        ("an2i/an2i_down_angry_open.pgm", "got pose 'down', not one of left, right, straight, up"),
        ("an2i/an2i_up_bored_open.pgm", "got expression 'bored'"),
        ("an2i/an2i_up_sad_closed.pgm", "got eyes 'closed'"),
        ("an2i/an2i_up_sad_open_3.pgm", "got scale '3', not one of 2, 4"),
        ("an2i/an2i_up_sad_open_.pgm", "got scale ''"),
        ("an2i/_up_sad_open.pgm", "got person ''"),
        ("an2i/bpm_up_sad_open.pgm", "expected a picture of an2i, got bpm"),
        ("an2i/an2i_up_sad_open.jpg", "got the ending '.jpg'"),
        ("an2i_up_sad_open.pgm", "got 1 path parts"),
        ("a/an2i/an2i_up_sad_open.pgm", "got 3 path parts"),
    ],
)
def test_other_names_are_refused_with_the_reason(path: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_path(path)


def test_an_unknown_name_stops_reading_or_is_listed(tmp_path: Path) -> None:
    root = make(tmp_path / "faces", *BOTH, "an2i/an2i_up_sad.pgm")
    with pytest.raises(DataError) as caught:
        read_cmu(root)
    assert str(caught.value) == (
        f"{root}/an2i/an2i_up_sad.pgm: expected PERSON_POSE_EXPRESSION_EYES[_SCALE].pgm, got 3 fields; "
        "rename it or pass --skip-unknown"
    )
    dataset = read_cmu(root, skip_unknown=True)
    assert dataset.skipped == ("an2i/an2i_up_sad.pgm",)
    assert [sample.path for sample in dataset.samples] == list(BOTH)


def test_bad_files_stand_apart_and_other_files_are_no_pictures(tmp_path: Path) -> None:
    root = make(tmp_path, *BOTH, "bpm/bpm_up_sad_open.bad", "README.txt", "an2i/.hidden.pgm", ".git/x.pgm")
    dataset = read_cmu(root)
    assert [sample.path for sample in dataset.bad] == ["bpm/bpm_up_sad_open.bad"]
    assert len(dataset.samples) == 2
    assert not dataset.synthetic
    assert dataset.name == "CMU Face Images"


def test_missing_and_empty_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no such folder; pass --data DIR, or run: gafas data fetch"):
        read_cmu(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no pictures; pass --data"):
        read_cmu(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(DataError, match="expected a folder of pictures, got a file"):
        read_cmu(tmp_path / "file")


def test_one_class_missing(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected pictures of both classes, got 1 sunglasses and 0 no_sunglasses"):
        read_cmu(make(tmp_path / "a", BOTH[1]))
    with pytest.raises(DataError, match="holds no usable pictures"):
        read_cmu(make(tmp_path / "b", "an2i/an2i_up_sad_open.bad"))


def test_drawn_persons_are_told_even_without_the_marker(synthetic_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(synthetic_root, tmp_path / "faces", ignore=shutil.ignore_patterns("SYNTHETIC.txt"))
    dataset = read_cmu(root)
    assert dataset.synthetic
    assert "synthetic" in dataset.name


@pytest.mark.real_data
def test_the_real_data_set(cmu_root: Path) -> None:
    dataset = read_cmu(cmu_root)
    assert not dataset.synthetic
    assert [len(dataset.at(size)) for size in ("full", "half", "quarter")] == [624, 624, 624]
    assert sum(sample.target for sample in dataset.at("full")) == 311
    assert len(dataset.bad) == 16
    assert sum(sample.target for sample in dataset.bad) == 9
    assert len({sample.person for sample in dataset.samples}) == 20
