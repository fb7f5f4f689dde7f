"""A run of ``gafas predict`` over a folder in its own process, watched from outside: memory, time, rows, its end."""

from __future__ import annotations

import ast
import csv
import re
import subprocess
import sys
import time
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path

import psutil

MOST_SECONDS = 5.0
"""Of one image: more is a hang."""

MOST_MEGABYTES = 300.0
"""Above a run over ordinary pictures."""

_END = re.compile(r"^end \w+ (.*) ([\d.]+) ([\d.]+)$")
_SILENCE = 60.0
"""Seconds without a step of any image after which a run is ended: something waits for ever."""


@dataclass(frozen=True, slots=True)
class Run:
    """What was seen.

    Attributes
    ----------
    code : int
        Exit code; negative where a signal ended it.
    megabytes : float
        Most memory that the process held.
    processor, wall : dict
        Seconds of each image.
    rows : Counter
        Rows of each path; those of several faces of one image count once.
    errors : int
        Rows with ``status=error``.
    unfinished : list of str
        Images that were begun and not ended.
    """

    code: int
    seconds: float
    megabytes: float
    processor: dict[str, float]
    wall: dict[str, float]
    rows: Counter[str]
    errors: int
    unfinished: list[str]
    said: str


def run_predict(folder: Path, work: Path, *, threads: int = 2) -> Run:
    """Judge a folder and watch; `work` is an empty folder for what is written."""
    work.mkdir(parents=True)
    log, rows = work / "log.txt", work / "rows.csv"
    log.touch()
    words = [
        sys.executable,
        "-m",
        "tests.hostile.stopwatch",
        log,
        "predict",
        folder,
        "-o",
        rows,
        "--threads",
        str(threads),
    ]
    start = time.monotonic()
    with (work / "said.txt").open("w") as said:
        process = psutil.Popen(words, stdout=said, stderr=subprocess.STDOUT, cwd=Path(__file__).parent.parent.parent)
        megabytes = _follow(process, log)
    seconds = time.monotonic() - start
    processor, wall, unfinished = _read_log(log)
    counted, errors = _read_rows(rows)
    text = (work / "said.txt").read_text(errors="replace")[-2000:]
    return Run(process.returncode, seconds, megabytes, processor, wall, counted, errors, unfinished, text)


def _follow(process: psutil.Popen, log: Path) -> float:
    """Return the most megabytes; end a process whose log stands still."""
    most, size, changed = 0.0, 0, time.monotonic()
    while process.poll() is None:
        most = max(most, _held(process))
        if (now := log.stat().st_size) != size:
            size, changed = now, time.monotonic()
        elif time.monotonic() - changed > _SILENCE:
            process.kill()
        time.sleep(0.01)
    return most


def _held(process: psutil.Popen) -> float:
    try:
        # Linux keeps the peak itself; elsewhere it is what the samples catch.
        status = Path(f"/proc/{process.pid}/status")
        if status.exists():
            peak = re.search(r"VmHWM:\s+(\d+) kB", status.read_text())
            return int(peak[1]) / 1024 if peak else 0.0
        return float(process.memory_info().rss / 2**20)
    except (OSError, psutil.Error):
        return 0.0  # it has ended in between


def _read_log(log: Path) -> tuple[dict[str, float], dict[str, float], list[str]]:
    processor: dict[str, float] = defaultdict(float)
    wall: dict[str, float] = defaultdict(float)
    begun: Counter[str] = Counter()
    for line in log.read_text(errors="replace").splitlines():
        if found := _END.match(line):
            path = ast.literal_eval(found[1])
            wall[path] += float(found[2])
            processor[path] += float(found[3])
            begun[path] -= 1
        else:
            begun[ast.literal_eval(line.split(" ", 2)[2])] += 1
    return dict(processor), dict(wall), sorted((+begun).elements())


def _read_rows(path: Path) -> tuple[Counter[str], int]:
    counted: Counter[str] = Counter()
    errors = 0
    if not path.exists():
        return counted, errors
    with path.open(encoding="utf-8", errors="surrogateescape", newline="") as stream:
        for row in csv.DictReader(stream):
            # The rows of several faces of one image differ by their boxes.
            if row["region"] != "face" or not counted[row["path"]]:
                counted[row["path"]] += 1
            errors += row["status"] == "error"
    return counted, errors
