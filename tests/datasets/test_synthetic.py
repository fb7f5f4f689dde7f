from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gafas.datasets.cmu import EXPRESSIONS, POSES, read_cmu
from gafas.datasets.synthetic import draw_synthetic
from gafas.errors import OutputError, UsageError
from gafas.imaging import read_image


def test_it_has_the_form_of_the_cmu_data(synthetic_root: Path) -> None:
    dataset = read_cmu(synthetic_root)
    full = dataset.at("full")
    assert len(full) == len(dataset.at("half")) == len(dataset.at("quarter"))
    assert len(full) + len(dataset.bad) == 4 * 32
    assert len(dataset.bad) == 3
    assert {sample.pose for sample in full} == set(POSES)
    assert {sample.expression for sample in full} == set(EXPRESSIONS)
    shapes = {read_image(synthetic_root / sample.path).shape for sample in dataset.samples}
    assert shapes == {(44, 48, 3), (22, 24, 3), (11, 12, 3)}
    # A spoilt photograph has no good file of any size.
    spoilt = {(s.person, s.pose, s.expression, s.label) for s in dataset.bad}
    assert not spoilt & {(s.person, s.pose, s.expression, s.label) for s in dataset.samples}


def test_files_are_written_as_the_cmu_files_are(synthetic_root: Path) -> None:
    full = next(synthetic_root.glob("*/*_open.pgm")).read_bytes().split()
    assert full[0] == b"P2"
    assert 100 < int(full[3]) < 255
    assert max(map(int, full[4:])) <= int(full[3])
    assert next(synthetic_root.glob("*/*_2.pgm")).read_bytes().startswith(b"P5\n24 22\n")


def test_it_never_passes_for_photographs(synthetic_root: Path) -> None:
    assert (synthetic_root / "SYNTHETIC.txt").read_text().startswith("drawn by gafas, not photographs\n")
    dataset = read_cmu(synthetic_root)
    assert dataset.synthetic
    assert "synthetic" in dataset.name
    assert all(str(sample.person).startswith("synth") for sample in dataset.samples)


def test_the_same_parameters_give_the_same_files(tmp_path: Path) -> None:
    def draw(name: str, seed: int) -> dict[str, bytes]:
        root = draw_synthetic(tmp_path / name, persons=1, seed=seed, size=(30, 32))
        return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*.*") if path.is_file()}

    first = draw("a", 5)
    assert first == draw("b", 5)
    assert first != draw("c", 6)


def test_the_eyes_tell_the_classes_apart_and_brightness_does_not(synthetic_root: Path) -> None:
    samples = read_cmu(synthetic_root).at("full")
    means = np.array([read_image(synthetic_root / sample.path).mean() for sample in samples])
    truth = np.array([sample.target for sample in samples])
    best = max(((means > cut) == truth).mean() for cut in means)
    assert max(best, 1 - best) < 0.7


def test_progress_counts_photographs(tmp_path: Path) -> None:
    steps: list[tuple[int, int]] = []
    draw_synthetic(tmp_path / "a", persons=1, size=(16, 16), progress=lambda done, total: steps.append((done, total)))
    assert steps == [(number, 32) for number in range(1, 33)]


def test_wrong_parameters(tmp_path: Path) -> None:
    for wrong in ({"persons": 0}, {"persons": 100}, {"seed": -1}, {"size": (8, 128)}):
        with pytest.raises(UsageError, match="expected"):
            draw_synthetic(tmp_path / "a", **wrong)
    assert not (tmp_path / "a").exists()


def test_output_that_exists_or_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="exists already; pass --overwrite"):
        draw_synthetic(tmp_path / "mine", persons=1)
    assert (tmp_path / "mine" / "letter.txt").read_text() == "dear"
    with pytest.raises(OutputError, match="written"):
        draw_synthetic(tmp_path / "mine" / "letter.txt" / "below", persons=1)


def test_an_interrupted_drawing_leaves_nothing(tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_synthetic(tmp_path / "a", persons=1, size=(16, 16), progress=stop)
    assert list(tmp_path.iterdir()) == []
