"""Many files in one folder: the job runs, counts every output, and memory does not follow the number of files."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.smoke import smoke


def test_the_smoke_run(tmp_path: Path) -> None:
    printed, result = smoke("many_files.py", tmp_path)
    runs = {(run["command"], run["files"]): run for run in result["runs"]}
    assert list(runs) == [("predict", 20), ("predict", 200), ("data organize", 20), ("data organize", 200)]
    for name in ("predict", "data organize"):
        assert runs[name, 200]["peak_mb"] < runs[name, 20]["peak_mb"] + 60
    assert "files in one folder" in printed
