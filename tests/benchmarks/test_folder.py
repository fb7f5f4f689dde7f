"""The benchmark of folders runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.smoke import smoke


def test_the_smoke_run(tmp_path: Path) -> None:
    printed, result = smoke("folder.py", tmp_path)
    assert result["benchmark"] == "folder"
    stream, (run,) = result["stream"], result["folders"]
    assert list(stream["parts_ms"]) == ["decode", "find faces", "cut out", "classify"]
    total = sum(milliseconds[0] for milliseconds in stream["parts_ms"].values())
    assert 1000 * stream["reference_seconds"][0] / stream["images"] == pytest.approx(total)
    assert stream["ratio"]["median"] == stream["candidate_seconds"][0] / stream["reference_seconds"][0]
    assert len(stream["cores"]) == len(stream["images_per_second"]) == stream["n"] == 1
    assert run["images"] == 24
    assert run["images_per_second"] == pytest.approx(24 / run["seconds"])
    assert 5 < run["peak_mb"] < 1000
    for word in (*stream["parts_ms"], "sum of the parts", "cores busy", "peak MB"):
        assert word in printed
