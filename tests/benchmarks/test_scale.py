"""The benchmark of jobs runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.smoke import smoke

pytest.importorskip("pyarrow", reason="the scale extra is not installed")


def test_the_smoke_run(tmp_path: Path) -> None:
    printed, result = smoke("scale.py", tmp_path)
    assert result["benchmark"] == "scale"
    assert list(result["engines"]) == list(result["block_ms"]) == ["worker alone", "local, 1"]
    for (run,) in result["engines"].values():
        assert run["images"] == 16
        assert run["start"] > 0
    (local,) = result["engines"]["local, 1"]
    first = result["billion"][0]
    assert first["core_hours"] == pytest.approx(1e9 * local["steady"] / local["images"] / 3600)
    assert first["hours"] == pytest.approx(first["core_hours"] / first["machines"] / first["cores"])
    for word in ("images/s", "ms to hand out a block", "A billion images"):
        assert word in printed
