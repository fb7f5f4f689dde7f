"""Start-up: whole processes, from the shell's call to the last line.

    python benchmarks/startup.py
    python benchmarks/startup.py --rounds 20 --json startup.json

The reference imports what a prediction cannot do without: NumPy, Pillow and ONNX Runtime. A second one imports
TensorFlow, as whoever opens the notebook does. Candidates are ``gafas --version`` and ``gafas predict`` with one
photograph, as a table and as CSV. Every process has its modules compiled, as an installed package has: one round, which
is not counted, compiles them into a temporary folder.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from common import Pairs, finish, markdown, paired, run_process, show_ratio

_GAFAS = (sys.executable, "-m", "gafas")
_RUNTIME = (sys.executable, "-c", "import numpy, PIL.Image, onnxruntime")
_TENSORFLOW = (sys.executable, "-c", "import tensorflow")


class Process:
    """One command line, run as often as asked; keeps what each run took.

    Parameters
    ----------
    words : sequence of str
    environment : dict
        Of the process.
    """

    def __init__(self, words: Sequence[str], environment: dict[str, str]) -> None:
        self.words, self.environment = list(words), environment
        self.peaks: list[float] = []

    def __call__(self) -> float:
        """Run it and return the seconds; the peak of resident memory, in MB, is added to `peaks`."""
        used = run_process(self.words, stdout=subprocess.DEVNULL, env=self.environment)
        self.peaks.append(used.peak_mb)
        return used.seconds


def photograph(folder: Path) -> tuple[Path, str]:
    """Return one photograph and what it is: of CelebA where it is there, else a drawn portrait."""
    data = os.environ.get("GAFAS_DATA")
    found = sorted(Path(data, "celeba_glasses", "none").glob("*.jpg")) if data else []
    if found:
        return found[0], "CelebA"
    # Imported only here: a process that is started counts the memory of this one as its own, until its program begins.
    from gafas.datasets.drawing import draw_portrait
    from gafas.imaging import write_image

    path = folder / "drawn.jpg"
    write_image(path, draw_portrait(4))
    return path, "drawn"


def measure(folder: Path, *, rounds: int, tensorflow: bool) -> tuple[list[list[str]], dict[str, Any]]:
    """Run everything in turns and return the table's rows and the figures."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= {"PYTHONPYCACHEPREFIX": str(folder / "compiled"), "TF_CPP_MIN_LOG_LEVEL": "3"}
    picture, kind = photograph(folder)
    predict = ("predict", str(picture))
    trials = [
        ("gafas --version", (*_GAFAS, "--version"), "import numpy, PIL, onnxruntime", _RUNTIME),
        ("gafas predict one.jpg", (*_GAFAS, *predict), "import numpy, PIL, onnxruntime", _RUNTIME),
        ("gafas predict one.jpg -f csv", (*_GAFAS, *predict, "-f", "csv"), "import numpy, PIL, onnxruntime", _RUNTIME),
    ]
    if tensorflow:
        trials.append(("gafas predict one.jpg", (*_GAFAS, *predict), "import tensorflow", _TENSORFLOW))
    rows, figures = [], []
    for name, words, against, reference_words in trials:
        candidate, reference = Process(words, environment), Process(reference_words, environment)
        # Compiles the modules and brings the files into memory.
        paired(reference, candidate, rounds=1)
        pairs = paired(reference, candidate, rounds=rounds)
        rows.append([name, _seconds(pairs.candidate), _peak(candidate), against, _seconds(pairs.reference),
                     _peak(reference), show_ratio(pairs)])  # fmt: skip
        figures.append(_figures(name, against, pairs, candidate, reference))
    return rows, {"n": rounds, "photograph": kind, "trials": figures}


def _figures(name: str, against: str, pairs: Pairs, candidate: Process, reference: Process) -> dict[str, Any]:
    peaks = {"candidate_peak_mb": max(candidate.peaks), "reference_peak_mb": max(reference.peaks)}
    return {"candidate": name, "reference": against, **pairs.to_json(), **peaks}


def _seconds(values: Sequence[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f}-{max(values):.3f})"


def _peak(process: Process) -> str:
    return f"{max(process.peaks):.0f}"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15, help="pairs of processes (15)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--smoke", action="store_true", help="one round, without TensorFlow: does it run?")
    arguments = parser.parse_args()
    rounds = 1 if arguments.smoke else arguments.rounds
    tensorflow = not arguments.smoke and find_spec("tensorflow") is not None
    with tempfile.TemporaryDirectory() as folder:
        rows, figures = measure(Path(folder), rounds=rounds, tensorflow=tensorflow)
    headers = ["process", "s", "peak MB", "reference", "s", "peak MB", f"ratio, n = {rounds}"]
    finish("startup", markdown(headers, rows), figures, arguments.json)


if __name__ == "__main__":
    main()
