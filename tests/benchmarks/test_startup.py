"""The benchmark of start-up runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "startup.py"


def test_the_smoke_run(tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), "--smoke", "--json", str(tmp_path / "startup.json")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "startup.json").read_text(encoding="utf-8"))
    assert result["benchmark"] == "startup"
    assert result["machine"]["cores"] >= 1
    trials = result["trials"]
    assert [trial["candidate"] for trial in trials] == [
        "gafas --version",
        "gafas predict one.jpg",
        "gafas predict one.jpg -f csv",
    ]
    for trial in trials:
        assert trial["candidate"] in done.stdout
        assert len(trial["candidate_seconds"]) == len(trial["reference_seconds"]) == result["n"] == 1
        assert trial["ratio"]["median"] == trial["candidate_seconds"][0] / trial["reference_seconds"][0]
        assert 5 < trial["candidate_peak_mb"] < 1000
    version, table, _ = trials
    assert version["candidate_peak_mb"] < table["candidate_peak_mb"]
