"""The benchmark of folders runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "folder.py"


def test_the_smoke_run(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--smoke", "--json", str(tmp_path / "folder.json")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "folder.json").read_text(encoding="utf-8"))
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
        assert word in done.stdout
