"""Explanations: that the benchmark runs and says what it measured, not how well they do."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.smoke import smoke


def test_explain_judges_every_map(tmp_path: Path, cmu_root: Path) -> None:
    table, result = smoke("explain.py", tmp_path)
    assert result["n"] + result["not_found"] >= 2
    assert {"occlusion", "the middle", "random"} < set(result["maps"])
    for name, one in result["maps"].items():
        assert one["n"] == result["n"]
        for figure in ("pointing", "deletion", "insertion"):
            low, high = one[figure]["interval"]
            assert 0 <= low <= one[figure]["value"] <= high <= 1
        assert f"| {name} |" in table
