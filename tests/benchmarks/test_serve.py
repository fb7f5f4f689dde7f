"""The benchmark of the server runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.smoke import smoke

pytest.importorskip("fastapi", reason="the serve extra is not installed")


def test_the_smoke_run(tmp_path: Path) -> None:
    table, found = smoke("serve.py", tmp_path)
    assert table.startswith("## serve\n")
    assert found["in_process"]["images_per_second"] > 0
    one, many = found["served"]
    assert (one["clients"], many["clients"]) == (1, 80)
    for load in (one, many):
        assert load["answers"]["200"] > 0
        assert 0 < load["p50_ms"] <= load["p99_ms"]
    # The queue has 64 places.
    assert set(one["answers"]) == {"200"}
    assert set(many["answers"]) <= {"200", "503"}
