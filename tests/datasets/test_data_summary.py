from __future__ import annotations

import json
from pathlib import Path

import pytest

from gafas.datasets.cmu import read_cmu
from gafas.datasets.summary import Count, summarise
from gafas.values import Dataset, Sample


def test_a_drawn_data_set(synthetic_root: Path) -> None:
    summary = summarise(read_cmu(synthetic_root))
    assert summary.sentence.startswith("SYNTHETIC DATA, drawn and not taken. There are 125 good images")
    assert list(summary.by) == ["person", "pose", "expression", "resolution"]
    for counts in summary.by.values():
        assert sum(count.bad for count in counts) == 3
    assert sum(count.total for count in summary.by["pose"]) == summary.photographs == 125
    assert [count.value for count in summary.by["resolution"]] == ["full", "half", "quarter"]
    assert json.loads(json.dumps(summary.to_json()))["by"]["pose"][0]["value"] == "left"


def test_a_folder_knows_only_classes() -> None:
    samples = (Sample("a", "sunglasses"), Sample("b", "no_sunglasses"), Sample("c", "no_sunglasses"))
    summary = summarise(Dataset("mine", Path("mine"), samples, skipped=("d",)))
    assert summary.by == {}
    assert summary.skipped == 1
    assert summary.sentence == (
        "There are 3 good images without repetition: 1 of people with sunglasses and 2 of people without sunglasses."
    )


@pytest.mark.real_data
def test_the_notebooks_sentence(cmu_root: Path) -> None:
    summary = summarise(read_cmu(cmu_root))
    assert summary.sentence == (
        "There are 624 good images without repetition: 311 of people with sunglasses and 313 of people without "
        "sunglasses, in different poses and expressions."
    )
    assert (summary.files, summary.bad) == (1872, 16)
    assert Count("mitchell", 13, 15, 4) in summary.by["person"]
