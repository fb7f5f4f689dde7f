"""Films: that the benchmark runs and says what it measured, not how fast."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.smoke import smoke

pytest.importorskip("av", reason="the video extra is not installed")


def test_films_are_judged_and_followed(tmp_path: Path) -> None:
    table, result = smoke("video.py", tmp_path)
    assert list(result["every"]) == ["1", "2", "5", "10"]
    every = result["every"]["1"]
    assert every["followed"] == every["faces"] > 0
    for name, one in result["every"].items():
        assert one["frames"] == 12
        assert 0 <= one["followed"] <= one["faces"]
        assert f"| {name} |" in table
