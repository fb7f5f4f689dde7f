"""Inference and detection: that the benchmarks run and say what they measured, not how fast."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.smoke import smoke


@pytest.mark.train
def test_inference_compares_every_graph_with_the_reference(tmp_path: Path) -> None:
    table, result = smoke("inference.py", tmp_path)
    base = result["candidates"]["gafas-base, float32"]
    assert len(base["reference_seconds"]) == len(base["candidate_seconds"]) == 2
    # MobileNetV2 at 112 pixels; counted by hand from its paper: 300 million at 224, a quarter of it here.
    assert 70e6 < result["limits"]["candidates"]["gafas-base, float32"]["multiply_adds"] < 85e6
    for name, one in result["candidates"].items():
        assert one["ratio"]["min"] <= one["ratio"]["median"] <= one["ratio"]["max"]
        assert f"| {name} |" in table


def test_detection_counts_faces_and_time(tmp_path: Path) -> None:
    table, result = smoke("detection.py", tmp_path)
    assert len(result["scenes"]) == 3
    for name, scene in result["scenes"].items():
        assert 0 <= scene["quick"] <= scene["faces"]
        assert f"| {name} |" in table
