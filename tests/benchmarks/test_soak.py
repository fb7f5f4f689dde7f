"""The soak runs against a real server, and its verdicts can fail."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.benchmarks.smoke import SCRIPTS, smoke

pytest.importorskip("fastapi", reason="the serve extra is not installed")
pytest.importorskip("psutil", reason="psutil is not installed")
pytest.importorskip("scipy", reason="SciPy is not installed")
MEGABYTE = 2**20


@pytest.fixture
def soak(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The script as a module; its neighbours bear names that others may want."""
    monkeypatch.syspath_prepend(str(SCRIPTS))
    yield importlib.import_module("soak")
    for name in ("common", "serve", "soak_clients", "soak"):
        sys.modules.pop(name, None)


def test_a_few_seconds_of_it(tmp_path: Path) -> None:
    table, result = smoke("soak.py", tmp_path)
    assert result["wrong"] == []
    assert sum(result["answers"]["photograph, 178×218"].values()) > 0
    assert len([kind for kind, answers in result["answers"].items() if answers]) >= 8
    assert len(result["memory_bytes"]) == len(result["open_files"]) >= 5
    assert min(result["memory_bytes"]) > 20 * MEGABYTE
    assert "| open files |" in table
    assert "0 answered 5xx but not 503" in table


def grown(soak: Any, memory: Any, files: Any) -> list[str]:
    seconds = np.arange(0, 480, 5.0)
    random = np.random.default_rng(0)
    noisy = 300 * MEGABYTE + memory(seconds) * MEGABYTE + random.normal(0, 5 * MEGABYTE, len(seconds))
    counted = 27 + files(seconds) + random.integers(0, 3, len(seconds))
    found: list[str] = soak.growing(
        {"memory": soak.growth(list(seconds), list(noisy)), "files": soak.growth(list(seconds), list(counted))}
    )
    return found


def test_noise_is_no_growth_and_a_leak_is(soak: Any) -> None:
    def nothing(seconds: Any) -> Any:
        return 0 * seconds

    assert grown(soak, nothing, nothing) == []
    (words,) = grown(soak, lambda seconds: seconds / 20, nothing)
    assert words.startswith("memory grows: at least 2")
    (words,) = grown(soak, nothing, lambda seconds: seconds // 40)
    assert words.startswith("open files grow: at least 1")


def test_wrong_answers_and_faults_are_told(soak: Any) -> None:
    seen = soak.Seen()
    seen.answers["no image"].update({"415": 3, "500": 2})
    seen.answers["hangs up"]["hung up"] = 4
    first, second = soak.judge(seen, "a line\nTraceback (most recent call last):\n  secret\n")
    assert first == "no image: 2 × 500, expected 415 or 422 or 503"
    assert second.startswith("the log holds tracebacks: Traceback")
    seen.answers["no image"].pop("500")
    assert soak.judge(seen, "a line") == []
