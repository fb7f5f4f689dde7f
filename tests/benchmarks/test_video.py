"""Films: that the benchmark runs and says what it measured, and its rule; not how fast."""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.smoke import SCRIPTS, smoke

pytest.importorskip("av", reason="the video extra is not installed")
pytest.importorskip("cv2", reason="OpenCV is not installed")
pytest.importorskip("scipy", reason="SciPy is not installed")


def test_films_are_judged_and_followed(tmp_path: Path) -> None:
    table, result = smoke("video.py", tmp_path)
    shares = result["shares"]
    assert list(shares) == ["1", "2", "3", "4", "5", "8", "10", "15"]
    assert result["chosen"] >= 1
    assert sum(result["faces"].values()) > 20
    for name, one in shares.items():
        assert 0 <= one["right"] <= one["followed"] <= 1
        assert f"| {name} |" in table
    # Faces of 36 pixels and more, on every frame; the detector was made for photographs, not for drawn ones.
    photographs = Path(os.environ.get("GAFAS_DATA", ""), "celeba_glasses").is_dir()
    assert shares["1"]["followed"] > (0.8 if photographs else 0.4)
    assert list(result["times"]) == ["2", "3", "5", "10"]


def test_the_rule_of_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    choose: Any = importlib.import_module("video").choose
    for name in ("common", "detection", "walkers", "video"):
        sys.modules.pop(name, None)
    assert choose({1: (0.99, 0.98), 2: (0.981, 0.971), 3: (0.979, 0.975)}) == 2
    assert choose({1: (0.99, 0.98), 2: (0.985, 0.96), 3: (0.985, 0.975)}) == 1
    assert choose({1: (0.99, 0.98), 2: (0.99, 0.98), 3: (0.985, 0.975)}) == 3
