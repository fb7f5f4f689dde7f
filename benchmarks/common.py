"""What all benchmarks share: turns of reference and candidate, the machine in words, a table and a JSON file."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gafas.files import write_json

Measure = Callable[[], float]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Seconds of reference and candidate, taken in turns: a busy minute hits both.

    Attributes
    ----------
    reference, candidate : list of float
        One value a round.
    """

    reference: list[float] = field(default_factory=list)
    candidate: list[float] = field(default_factory=list)

    def ratio(self) -> tuple[float, float, float]:
        """Return median, minimum and maximum of candidate by reference, pair by pair."""
        ratios = [mine / theirs for theirs, mine in zip(self.reference, self.candidate, strict=True)]
        return statistics.median(ratios), min(ratios), max(ratios)

    def to_json(self) -> dict[str, Any]:
        """Return all values and the ratio."""
        median, least, most = self.ratio()
        return {
            "reference_seconds": self.reference,
            "candidate_seconds": self.candidate,
            "ratio": {"median": median, "min": least, "max": most},
        }


def paired(reference: Measure, candidate: Measure, *, rounds: int) -> Pairs:
    """Run both in turns; the order changes with each round, so that neither always comes first.

    Parameters
    ----------
    reference, candidate : callable
        Each does its work once and returns the seconds that count.
    rounds : int
    """
    pairs = Pairs()
    for number in range(rounds):
        turns = [(reference, pairs.reference), (candidate, pairs.candidate)]
        for measure, values in turns if number % 2 == 0 else reversed(turns):
            values.append(measure())
    return pairs


def show_ratio(pairs: Pairs) -> str:
    """Return ``median (minimum-maximum)`` of the ratio."""
    median, least, most = pairs.ratio()
    return f"{median:.3f} ({least:.3f}-{most:.3f})"


@dataclass(frozen=True, slots=True)
class Used:
    """What a process took: seconds from start to end, seconds of processor time, peak of resident memory in MB."""

    seconds: float
    busy: float
    peak_mb: float


def run_process(words: Sequence[str], **options: Any) -> Used:
    """Run a command line to its end; `options` are those of `subprocess.Popen`.

    Raises
    ------
    SystemExit
        Its exit code is not 0.
    """
    start = time.perf_counter()
    process = subprocess.Popen(list(words), **options)
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(words)}: exit code {process.returncode}")
    # macOS counts in bytes, Linux in kilobytes.
    peak = used.ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    return Used(seconds, used.ru_utime + used.ru_stime, peak)


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Return what the figures depend on: processor, cores, system, Python."""
    cpu = platform.processor() or platform.machine()
    information = Path("/proc/cpuinfo")
    if information.is_file():
        lines = information.read_text(encoding="utf-8", errors="replace").splitlines()
        cpu = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), cpu)
    return {
        "cpu": cpu,
        "cores": cores(),
        "system": platform.platform(terse=True),
        "python": platform.python_version(),
    }


def markdown(headers: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Return a Markdown table; numbers stand to the right."""
    ruler = ["---", *["---:"] * (len(headers) - 1)]
    lines = [headers, ruler, *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def finish(name: str, table: str, payload: Mapping[str, Any], json_path: Path | None) -> None:
    """Print the table under the machine's name; write everything to `json_path`."""
    here = machine()
    sys.stdout.write(f"## {name}\n\n{here['cpu']}, {here['cores']} cores, Python {here['python']}\n\n{table}\n")
    sys.stdout.flush()
    if json_path is not None:
        write_json(json_path, {"benchmark": name, "machine": here, **json.loads(json.dumps(payload))})
