"""The benchmark of start-up runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.smoke import smoke


def test_the_smoke_run(tmp_path: Path) -> None:
    printed, result = smoke("startup.py", tmp_path)
    assert result["benchmark"] == "startup"
    assert result["machine"]["cores"] >= 1
    trials = result["trials"]
    assert [trial["candidate"] for trial in trials] == [
        "gafas --version",
        "gafas predict one.jpg",
        "gafas predict one.jpg -f csv",
    ]
    for trial in trials:
        assert trial["candidate"] in printed
        assert len(trial["candidate_seconds"]) == len(trial["reference_seconds"]) == result["n"] == 1
        assert trial["ratio"]["median"] == trial["candidate_seconds"][0] / trial["reference_seconds"][0]
        assert 5 < trial["candidate_peak_mb"] < 1000
    version, table, _ = trials
    assert version["candidate_peak_mb"] < table["candidate_peak_mb"]
