"""A hundred thousand tiny pictures in one folder: seconds and memory of the commands that read a folder.

    python benchmarks/many_files.py
    python benchmarks/many_files.py --files 1000 100000 --json many.json

Each picture is 8×8 pixels, so that what is measured is the folder and not the pictures. Every output is counted.
Reference is the smallest folder: what grows with the number of files, and by how much for each, shows in the others.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from common import finish, markdown, run_process
from gafas.imaging import write_image

_LINKS = 10_000
"""Names of one file: ext4 permits 65,000."""

_LABELS = ("sunglasses", "no_sunglasses")


def make_folder(folder: Path, files: int) -> None:
    """Fill one folder with pictures."""
    folder.mkdir(parents=True)
    original = folder
    for number in range(files):
        path = folder / f"picture-{number:06d}.png"
        if number % _LINKS == 0:
            original = path
            write_image(path, np.full((8, 8, 3), 10 + number // _LINKS, np.uint8))
        else:
            os.link(original, path)


def _predict(pictures: Path, output: Path) -> tuple[list[str], Callable[[], int]]:
    rows = output / "rows.csv"
    words = ["predict", str(pictures / _LABELS[0]), "--region", "whole", "--model", "gafas-nano", "-o", str(rows)]
    return words, lambda: rows.read_bytes().count(b"\n") - 1


def _organize(pictures: Path, output: Path) -> tuple[list[str], Callable[[], int]]:
    words = ["data", "organize", "--data", str(pictures), "-o", str(output / "tree"), "--image-format", "png"]
    return words, lambda: sum(1 for _ in (output / "tree" / "full" / "glasses").iterdir())


COMMANDS = {"predict": _predict, "data organize": _organize}


def measure(name: str, files: int, work: Path) -> dict[str, Any]:
    """Run one command on one folder and return the figures.

    Raises
    ------
    SystemExit
        It failed, or its output lacks something.
    """
    output = work / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    words, count = COMMANDS[name](work / str(files), output)
    used = run_process([sys.executable, "-m", "gafas", *words])
    if (got := count()) != files:
        raise SystemExit(f"{name}: expected an output for each of {files} files, got {got}")
    return {"command": name, "files": files, "seconds": used.seconds, "busy": used.busy, "peak_mb": used.peak_mb}


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, nargs="+", default=[1000, 100_000], help="in one folder (1000 100000)")
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS), help="default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--smoke", action="store_true", help="few files: does it run?")
    arguments = parser.parse_args()
    sizes: Sequence[int] = [20, 200] if arguments.smoke else arguments.files
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for size in sizes:
            make_folder(work / str(size) / _LABELS[0], size)
            make_folder(work / str(size) / _LABELS[1], 2)
        runs = [measure(command, size, work) for command in arguments.commands for size in sizes]
    rows = [
        [run["command"], f"{run['files']:,}", f"{run['seconds']:.1f}", f"{run['busy']:.1f}", f"{run['peak_mb']:.0f}"]
        for run in runs
    ]
    table = markdown(["command", "files in one folder", "s", "s of processor time", "peak MB"], rows)
    finish("many_files", table, {"runs": runs}, arguments.json)


if __name__ == "__main__":
    main()
