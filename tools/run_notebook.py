"""Run the Spanish notebook and keep its outputs.

    python tools/run_notebook.py notebooks/identificacion_gafas.ipynb

Each cell runs in a fresh kernel, in order. The file is replaced only when all of them have run.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

from gafas.files import write_text

_SECONDS = 1800


def run(path: Path) -> Any:
    """Run a notebook and return it with its outputs.

    What libraries say on standard error while they load is left out: it differs from machine to machine.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell fails.
    """
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=_SECONDS).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
            # When each cell ran would change the file at every run.
            cell.metadata.pop("execution", None)
    return notebook


def main(arguments: list[str]) -> int:
    """Run the notebook named on the command line."""
    if len(arguments) != 1:
        print(__doc__)
        return 2
    path = Path(arguments[0])
    write_text(path, nbformat.writes(run(path)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
