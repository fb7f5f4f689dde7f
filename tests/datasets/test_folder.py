from __future__ import annotations

from pathlib import Path

import pytest

from gafas.datasets.folder import read_folder, read_tree
from gafas.errors import DataError


def make(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    return root


@pytest.mark.parametrize(
    ("positive", "negative"),
    [
        ("sunglasses", "no_sunglasses"),
        ("sunglasses", "none"),
        ("sunglasses", "eyeglasses"),
        ("glasses", "no_glasses"),
        ("with_sunglasses", "without_sunglasses"),
        ("sunglasses", "open"),
    ],
)
def test_usual_folder_names(tmp_path: Path, positive: str, negative: str) -> None:
    dataset = read_folder(make(tmp_path, f"{positive}/a.jpg", f"{negative}/b.PNG", f"{negative}/notes.txt"))
    assert {sample.path: sample.target for sample in dataset.samples} == {
        f"{positive}/a.jpg": 1,
        f"{negative}/b.PNG": 0,
    }
    assert dataset.samples[0].person is None
    assert dataset.samples[0].resolution is None


def test_unclear_pictures_are_left_out_and_listed(tmp_path: Path) -> None:
    dataset = read_folder(make(tmp_path, "sunglasses/a.jpg", "none/b.jpg", "unclear/c.jpg", "bad/d.jpg", "e.jpg"))
    assert dataset.skipped == ("bad/d.jpg", "e.jpg")
    assert dataset.unclear == ("unclear/c.jpg",)


def test_glasses_beside_eyeglasses_could_mean_either(tmp_path: Path) -> None:
    make(tmp_path, "glasses/a.jpg", "eyeglasses/b.jpg", "none/c.jpg")
    with pytest.raises(DataError, match=r"glasses: the folder name does not say .* --classes sunglasses=DIR"):
        read_folder(tmp_path)
    make(tmp_path, "no_glasses/d.jpg")
    assert len(read_folder(tmp_path).samples) == 4


def test_unknown_folder_names_and_their_remedy(tmp_path: Path) -> None:
    make(tmp_path, "shades/a.jpg", "deep/plain/b.jpg", "other/c.jpg")
    with pytest.raises(DataError, match=r"--classes sunglasses=DIR\[,DIR\] --classes no_sunglasses=DIR\[,DIR\]"):
        read_folder(tmp_path)
    dataset = read_folder(tmp_path, classes={"sunglasses": ["shades/"], "no_sunglasses": ["deep/plain"]})
    assert [(s.path, s.label) for s in dataset.samples] == [
        ("deep/plain/b.jpg", "no_sunglasses"),
        ("shades/a.jpg", "sunglasses"),
    ]
    assert dataset.skipped == ("other/c.jpg",)


def test_wrong_classes(tmp_path: Path) -> None:
    make(tmp_path, "a/a.jpg", "b/b.jpg")
    with pytest.raises(DataError, match="is no folder"):
        read_folder(tmp_path, classes={"sunglasses": ["a"], "no_sunglasses": ["c"]})
    with pytest.raises(DataError, match="the folder is in both classes"):
        read_folder(tmp_path, classes={"sunglasses": ["a"], "no_sunglasses": ["a"]})
    with pytest.raises(DataError, match="expected one of no_sunglasses, sunglasses"):
        read_folder(tmp_path, classes={"shades": ["a"]})  # type: ignore[dict-item]


def test_one_class_missing_and_no_folders(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="got 1 sunglasses and 0 no_sunglasses"):
        read_folder(make(tmp_path / "one", "sunglasses/a.jpg"))
    with pytest.raises(DataError, match="expected one sub-folder a class, got pictures only"):
        read_folder(make(tmp_path / "flat", "a.jpg"))
    (tmp_path / "empty" / "sunglasses").mkdir(parents=True)
    with pytest.raises(DataError, match="holds no pictures"):
        read_folder(tmp_path / "empty")


def test_cmu_names_fill_the_fields_and_the_folder_decides_the_class(tmp_path: Path) -> None:
    names = (
        "glasses/an2i_up_sad_sunglasses.jpg",
        "no_glasses/an2i_up_sad_open.jpg",
        "no_glasses/bpm_up_sad_sunglasses.jpg",
    )
    dataset = read_folder(make(tmp_path, *names))
    assert [(s.person, s.label, s.resolution) for s in dataset.samples] == [
        ("an2i", "sunglasses", None),
        ("an2i", "no_sunglasses", None),
        ("bpm", "no_sunglasses", None),
    ]


def test_the_notebooks_tree(tmp_path: Path) -> None:
    make(tmp_path, "full/glasses/a.jpg", "full/no_glasses/b.jpg", "media/glasses/a.jpg", "media/no_glasses/b.jpg")
    make(tmp_path, "bad/an2i_up_sad_open.jpg")
    dataset = read_tree(tmp_path)
    assert [(s.path, s.resolution) for s in dataset.at("half")] == [
        ("media/glasses/a.jpg", "half"),
        ("media/no_glasses/b.jpg", "half"),
    ]
    assert dataset.bad[0].person == "an2i"
    make(tmp_path, "full/stray.jpg")
    with pytest.raises(DataError, match=r"stray.jpg: expected full\|media\|cuarto"):
        read_tree(tmp_path)


def test_a_bad_picture_without_cmu_name(tmp_path: Path) -> None:
    make(tmp_path, "full/glasses/a.jpg", "full/no_glasses/b.jpg", "bad/x.jpg")
    with pytest.raises(DataError, match="got 1 field"):
        read_tree(tmp_path)
