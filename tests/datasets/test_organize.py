from __future__ import annotations

import errno
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gafas.datasets.cmu import read_cmu
from gafas.datasets.folder import read_folder, read_tree
from gafas.datasets.organize import organize
from gafas.errors import DataError, OutputError
from gafas.imaging import read_image
from gafas.values import Dataset


def one_person(root: Path) -> Dataset:
    dataset = read_cmu(root)
    return replace(dataset, samples=tuple(sample for sample in dataset.samples if sample.person == "synth01"))


def snapshot(root: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(root).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in root.rglob("*")
        if path.is_file()
    }


def test_the_notebooks_tree_without_loss(synthetic_root: Path, tmp_path: Path) -> None:
    dataset = read_cmu(synthetic_root)
    report = organize(dataset, tmp_path / "data", image_format="png")
    assert (report.written, report.unchanged, report.failed) == (len(dataset.samples) + len(dataset.bad), 0, ())
    tree = read_tree(tmp_path / "data")
    assert {(s.person, s.pose, s.expression, s.label, s.resolution) for s in tree.samples} == {
        (s.person, s.pose, s.expression, s.label, s.resolution) for s in dataset.samples
    }
    assert len(tree.bad) == len(dataset.bad)
    for size in ("full", "quarter"):
        name = "synth01_up_sad_sunglasses"
        suffix = {"full": "", "quarter": "_4"}[size]
        folder = {"full": "full", "quarter": "cuarto"}[size]
        original = synthetic_root / "synth01" / f"{name}{suffix}.pgm"
        if original.exists():
            copy = tmp_path / "data" / folder / "glasses" / f"{name}.png"
            assert np.array_equal(read_image(copy), read_image(original))


def test_a_second_run_rewrites_nothing(synthetic_root: Path, tmp_path: Path) -> None:
    dataset = one_person(synthetic_root)
    first = organize(dataset, tmp_path / "data")
    before = snapshot(tmp_path / "data")
    second = organize(dataset, tmp_path / "data")
    assert (second.written, second.unchanged) == (0, first.written)
    after = snapshot(tmp_path / "data")
    before.pop("SYNTHETIC.txt")
    assert before == {path: after[path] for path in before}


def test_an_interrupted_run_goes_on(synthetic_root: Path, tmp_path: Path) -> None:
    dataset = one_person(synthetic_root)

    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        organize(dataset, tmp_path / "data", progress=stop)
    damaged = next((tmp_path / "data" / "full").rglob("*.jpg"))
    damaged.write_bytes(damaged.read_bytes()[:20])
    left = tmp_path / "data" / "full" / "glasses" / ".writing-abcdefgh.jpg"
    left.parent.mkdir(exist_ok=True)
    left.touch()
    report = organize(dataset, tmp_path / "data")
    assert report.unchanged == 4
    assert report.written == len(dataset.samples) + len(dataset.bad) - 4
    assert not left.exists()


def test_the_marker_travels(synthetic_root: Path, tmp_path: Path) -> None:
    organize(one_person(synthetic_root), tmp_path / "a")
    assert (tmp_path / "a" / "SYNTHETIC.txt").read_text() == (synthetic_root / "SYNTHETIC.txt").read_text()
    unmarked = shutil.copytree(synthetic_root, tmp_path / "copy", ignore=shutil.ignore_patterns("SYNTHETIC.txt"))
    organize(one_person(unmarked), tmp_path / "b")
    assert (tmp_path / "b" / "SYNTHETIC.txt").is_file()


def test_one_broken_picture_does_not_stop_the_others(synthetic_root: Path, tmp_path: Path) -> None:
    root = shutil.copytree(synthetic_root, tmp_path / "faces")
    broken = min((root / "synth01").glob("*_open.pgm"))
    broken.write_bytes(b"")
    dataset = one_person(root)
    report = organize(dataset, tmp_path / "data")
    assert [problem.path for problem in report.failed] == [broken.relative_to(root).as_posix()]
    assert report.failed[0].reason == "the file is empty (0 bytes)"
    assert report.written == len(dataset.samples) + len(dataset.bad) - 1


def test_class_folders_go_to_full(tmp_path: Path, synthetic_root: Path) -> None:
    picture = next(synthetic_root.glob("*/*_open.pgm"))
    for name in ("sunglasses/a.pgm", "none/b.pgm", "none/deep/c.pgm"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(picture, tmp_path / "in" / name)
    organize(read_folder(tmp_path / "in"), tmp_path / "out", image_format="png")
    assert sorted(p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*.*")) == [
        "full/glasses/a.png",
        "full/no_glasses/b.png",
        "full/no_glasses/c.png",
    ]
    shutil.copy(picture, tmp_path / "in" / "none" / "deep" / "b.pgm")
    with pytest.raises(DataError, match=r"would both become full/no_glasses/b\.jpg"):
        organize(read_folder(tmp_path / "in"), tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_other_pictures_in_the_output_are_refused_and_kept(synthetic_root: Path, tmp_path: Path) -> None:
    dataset = one_person(synthetic_root)
    organize(dataset, tmp_path / "data")
    before = snapshot(tmp_path / "data")
    with pytest.raises(OutputError, match="exists already and is not of this data set and format"):
        organize(dataset, tmp_path / "data", image_format="png")
    assert snapshot(tmp_path / "data") == before


@pytest.mark.parametrize("place", ["file/below", "file"])
def test_output_that_cannot_be_written(synthetic_root: Path, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="written"):
        organize(one_person(synthetic_root), tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_disk_that_fills_up_half_way(synthetic_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write, written = Path.write_bytes, []

    def full(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) > 5:
            write(path, data[:10])
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    dataset = one_person(synthetic_root)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", full)
        with pytest.raises(OutputError, match="No space left on device"):
            organize(dataset, tmp_path / "data")
    assert not list(tmp_path.rglob(".writing-*"))
    assert organize(dataset, tmp_path / "data").unchanged == 5


@pytest.mark.real_data
def test_the_real_data_set(cmu_root: Path, tmp_path: Path) -> None:
    report = organize(read_cmu(cmu_root), tmp_path / "data")
    assert (report.written, report.failed) == (1888, ())
    counts = {
        p.relative_to(tmp_path / "data").as_posix(): len(list(p.iterdir()))
        for p in (tmp_path / "data").glob("*/*glasses")
    }
    assert counts == {
        f"{f}/{c}": n for f in ("full", "media", "cuarto") for c, n in (("glasses", 311), ("no_glasses", 313))
    }
    assert len(list((tmp_path / "data" / "bad").iterdir())) == 16
