"""The Spanish notebook: every cell runs, in a small setting, and the file itself holds outputs of a whole run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "identificacion_gafas.ipynb"


def codes(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_its_outputs_are_those_of_one_whole_run_without_errors() -> None:
    cells = codes(nbformat.read(NOTEBOOK, as_version=4))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    text = str([cell.outputs for cell in cells])
    assert "'output_type': 'error'" not in text
    assert "frozen 15/21" in text, "run in the small setting; run it with: make notebook"
    assert text.count("image/png") >= 5


def test_cells_are_short() -> None:
    assert max(len(cell.source.splitlines()) for cell in codes(nbformat.read(NOTEBOOK, as_version=4))) <= 30


@pytest.mark.train
def test_every_cell_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAFAS_NOTEBOOK", "small")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=600).execute()
    assert "tuned  2/2" in str([cell.outputs for cell in codes(notebook)])
