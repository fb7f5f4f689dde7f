"""The benchmark of training runs and says what it must; how fast is for whoever runs it in earnest."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.smoke import smoke

pytestmark = pytest.mark.train


def test_the_smoke_run(tmp_path: Path) -> None:
    printed, result = smoke("training.py", tmp_path, "--seeds", "4", timeout=180)
    assert (result["benchmark"], result["data"], result["rounds"]) == ("training", "drawn", 1)
    (plain,), (fast,) = result["reference"], result["candidate"]
    assert plain["seed"] == fast["seed"] == 4
    for run in (plain, fast):
        assert set(run["seconds"]) == {"frozen", "tuned", "total"}
        assert run["seconds"]["frozen"] + run["seconds"]["tuned"] < run["seconds"]["total"]
    # The same training: one image of a few dozen may fall to the other side of the threshold by rounding.
    for stage in ("frozen", "tuned"):
        assert fast["validation"][stage] == pytest.approx(plain["validation"][stage], abs=1.5 / fast["n"]["validation"])
    assert result["pairs"]["ratio"]["median"] == fast["seconds"]["total"] / plain["seconds"]["total"]
    for word in ("plain Keras", "gafas", "whole call, s", "validation accuracy, tuned", "times as fast"):
        assert word in printed
