"""Kill -9 of cheap commands; all of them, 20 times each: ``make kills``."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest

from gafas.files import write_json
from gafas.imaging import write_image
from kill_and_resume import rehearse
from kill_cases import Case
from wholeness import broken_files, differences


@pytest.mark.parametrize(("name", "kills"), [("organize", 2), ("predict", 2)])
def test_killed_and_repeated(name: str, kills: int, synthetic_root: Path, tmp_path: Path) -> None:
    cases = {
        "organize": Case(
            name="organize",
            start=lambda out: ("data", "organize", "--data", synthetic_root, "-o", out / "tree"),
            again=lambda out: ("data", "organize", "--data", synthetic_root, "-o", out / "tree"),
            series=2,
        ),
        "predict": Case(
            name="predict",
            start=lambda out: ("predict", synthetic_root / "synth01", "--region", "whole", "-o", out / "rows.csv"),
            again=lambda out: (
                *("predict", synthetic_root / "synth01", "--region", "whole"),
                *("-o", out / "rows.csv", "--overwrite"),
            ),
            series=2,
        ),
    }
    outcome = rehearse(cases[name], kills=kills, seed=1, work=tmp_path)
    assert outcome.problems == []
    assert outcome.kills == kills
    assert outcome.equal == outcome.ended > 0
    assert outcome.leftovers == 0


def test_the_judge_sees_half_a_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"accuracy": 0.5, "seconds": 3.0})
    write_image(tmp_path / "a.png", np.zeros((9, 9, 3), np.uint8))
    (tmp_path / "a.csv").write_text("path,score\na,0.123\n")
    np.savez(tmp_path / "a.npz", np.arange(1000))
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("config.json", "{}")
    (tmp_path / ".writing-x.json").write_text("{")
    assert [line.partition(":")[0] for line in broken_files(tmp_path)] == ["a.keras"]  # it has no weights
    (tmp_path / "a.keras").unlink()
    for path in sorted(tmp_path.glob("a.*")):
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) * 3 // 4])
        assert [line.partition(":")[0] for line in broken_files(tmp_path)] == [path.name]
        path.write_bytes(whole)
    (tmp_path / "a.odd").write_text("what is this?")
    assert [line.partition(":")[0] for line in broken_files(tmp_path)] == ["a.odd"]


def test_the_judge_sees_a_difference(tmp_path: Path) -> None:
    for name, accuracy, seconds in (("one", 0.5, 3.0), ("two", 0.5, 4.0), ("three", 0.6, 3.0)):
        write_json(tmp_path / name / "a.json", {"accuracy": accuracy, "seconds": seconds})
    assert differences(tmp_path / "one", tmp_path / "two") == []
    assert differences(tmp_path / "one", tmp_path / "three") == ["a.json: differs"]
    assert differences(tmp_path / "one", tmp_path / "three", tolerance=0.2) == []
    (tmp_path / "two" / "b.json").write_text("{}")
    assert differences(tmp_path / "one", tmp_path / "two") == ["b.json: only in one of the two"]
