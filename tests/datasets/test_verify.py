from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from gafas.datasets.verify import Manifest, make_manifest, pack_manifest, read_manifest, verify_cmu
from gafas.errors import DataError
from gafas.imaging import Rgb, encode, read_image


@pytest.fixture(scope="module")
def manifest(synthetic_root: Path) -> Manifest:
    return make_manifest(synthetic_root)


@pytest.fixture
def root(synthetic_root: Path, tmp_path: Path) -> Path:
    return shutil.copytree(synthetic_root, tmp_path / "faces")


def test_the_packaged_manifest() -> None:
    manifest = read_manifest()
    assert len(manifest) == 1872 + 16
    assert sum(path.endswith(".bad") for path in manifest) == 16
    assert len({path.split("/")[0] for path in manifest}) == 20
    sizes = {(entry.width, entry.height) for entry in manifest.values()}
    assert sizes == {(128, 120), (64, 60), (32, 30)}
    assert all(len(entry.sha256) == 64 for entry in manifest.values())


def test_a_complete_tree(root: Path, manifest: Manifest) -> None:
    steps: list[tuple[int, int]] = []
    report = verify_cmu(root, manifest=manifest, progress=lambda done, total: steps.append((done, total)))
    report.require()
    assert report.right == report.expected == len(manifest)
    assert report.persons == 4
    assert sum(report.counts.values()) == len(manifest)
    assert report.counts["synth01", "48x44"] == report.counts["synth01", "12x11"]
    assert steps[-1] == (len(manifest), len(manifest))
    assert pack_manifest(manifest) == pack_manifest(dict(reversed(list(manifest.items()))))


def test_another_way_of_writing_the_same_pixels_is_right(root: Path, manifest: Manifest) -> None:
    path = next(root.glob("*/*_2.pgm"))
    header, rest = path.read_bytes().split(b"\n", 1)
    path.write_bytes(header + b"\n# saved again\n" + rest)
    verify_cmu(root, manifest=manifest).require()


def break_zero(path: Path) -> None:
    path.write_bytes(b"")


def break_text(path: Path) -> None:
    path.write_text("this is not a picture\n")


def break_truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def break_maximum(path: Path) -> None:
    lines = path.read_bytes().split(b"\n", 3)
    path.write_bytes(b"\n".join([*lines[:2], b"255", lines[3]]))


def break_maximum_zero(path: Path) -> None:
    lines = path.read_bytes().split(b"\n", 3)
    path.write_bytes(b"\n".join([*lines[:2], b"0", lines[3]]))


def break_maximum_small(path: Path) -> None:
    lines = path.read_bytes().split(b"\n", 3)
    path.write_bytes(b"\n".join([*lines[:2], b"9", lines[3]]))


def break_size(path: Path) -> None:
    path.write_bytes(b"P5 2 2 255 abcd")


def break_colour(path: Path) -> None:
    path.write_bytes(picture_in_colour(read_image(path)))


def picture_in_colour(image: Rgb) -> bytes:
    coloured = image.copy()
    coloured[..., 2] //= 2
    return encode(coloured, ".ppm")


@pytest.mark.parametrize("pattern", ["*_open.pgm", "*_open_2.pgm"])
@pytest.mark.parametrize(
    ("damage", "kind", "reason"),
    [
        (break_zero, "unreadable", "empty"),
        (break_text, "unreadable", "not a picture"),
        (break_truncated, "unreadable", "truncated"),
        (break_maximum_zero, "unreadable", ""),
        (break_maximum, "changed", "another maximum grey value"),
        (break_maximum_small, None, ""),
        (break_colour, "changed", "got a coloured one"),
        (break_size, "changed", "pixels, got 2×2"),
    ],
)
def test_each_damage_is_found(
    root: Path, manifest: Manifest, pattern: str, damage: object, kind: str | None, reason: str
) -> None:
    path = min((root / "synth02").glob(pattern))
    assert callable(damage)
    damage(path)
    report = verify_cmu(root, manifest=manifest)
    assert len(report.problems) == 1
    problem = report.problems[0]
    assert problem.path == path.relative_to(root).as_posix()
    assert reason in problem.reason
    assert str(root) not in problem.reason
    if kind:
        assert getattr(report, kind) == (problem,)
    with pytest.raises(DataError, match=f"{report.expected - 1} of {report.expected} files are right, 1 "):
        report.require()


def test_missing_and_unknown_files(root: Path, manifest: Manifest) -> None:
    gone = next(root.glob("*/*.bad"))
    gone.unlink()
    (root / "synth01" / "x.pgm").touch()
    shutil.copy(next(root.glob("*/*_2.pgm")), root / "synth01" / "synth01_up_sad_open_4.jpg")
    shutil.copytree(root / "synth01", root / "synth09")
    report = verify_cmu(root, manifest=manifest)
    assert [problem.path for problem in report.missing] == [gone.relative_to(root).as_posix()]
    assert len(report.unknown) == 2 + len(list((root / "synth09").iterdir()))
    assert any("got 1 field" in problem.reason for problem in report.unknown)
    with pytest.raises(DataError, match=r"1 missing, .* unknown; first: .*: missing; get it again: gafas data fetch"):
        report.require()


def test_nothing_to_verify(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no pictures"):
        verify_cmu(tmp_path)


@pytest.mark.real_data
def test_the_real_data_set_is_complete(cmu_root: Path) -> None:
    report = verify_cmu(cmu_root)
    report.require()
    assert (report.right, report.persons) == (1888, 20)
    assert report.counts["mitchell", "128x120"] == report.counts["mitchell", "32x30"] == 28
    assert report.counts["mitchell", "bad"] == 4
