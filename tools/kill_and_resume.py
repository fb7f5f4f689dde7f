"""Kill gafas -9 at seeded moments, go on, and compare with what nobody disturbed.

    python tools/kill_and_resume.py                        20 kills of each command
    python tools/kill_and_resume.py predict export -k 5    5 kills of two of them

After each kill every file under a final name must be whole; what was being written is hidden until it is. Then the
command goes on (``--resume`` where it has one, else it is simply repeated), is killed again, and at last may end.
Its output must then say the same as the undisturbed one; only seconds may differ.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np

from kill_cases import Case, Words, make_cases
from wholeness import broken_files, differences, unfinished

HITS = ("before", "while", "between")

POLL = 0.01
"""Seconds between two looks at a process."""


@dataclass(slots=True)
class Outcome:
    """What came of one command.

    Attributes
    ----------
    seconds : float
        Of the undisturbed run.
    kills : int
        That hit a living process.
    hits : dict
        What the kills hit: ``before`` anything was written, ``while`` a file was unfinished, ``between`` two files.
    ended, equal : int
        How many outputs were brought to their end after kills, and how many were then as the undisturbed one.
    problems : list of str
        Files that were not whole, commands that did not go on, outputs that differ.
    leftovers : int
        Unfinished files that were still there when all had ended.
    writing : float
        Seconds from the first sign of writing to the end, in which the kills fall.
    """

    name: str
    seconds: float = 0.0
    kills: int = 0
    hits: dict[str, int] = field(default_factory=lambda: dict.fromkeys(HITS, 0))
    ended: int = 0
    equal: int = 0
    problems: list[str] = field(default_factory=list)
    leftovers: int = 0
    writing: float = 0.0


def rehearse(case: Case, *, kills: int, seed: int, work: Path) -> Outcome:
    """Kill a command so many times; see the module's description.

    Parameters
    ----------
    seed : int
        Of the moments.
    work : Path
        An empty folder; the undisturbed output stays in ``want``.
    """
    outcome, moments = Outcome(case.name), np.random.default_rng([seed, *case.name.encode()])
    want = _fresh(case, work / "want")
    started = time.monotonic()
    first = _until_end_or_kill(case.start(want), want, work / "log.txt", None)
    outcome.seconds = time.monotonic() - started
    outcome.writing = max(outcome.seconds - (first or 0.0), 0.05)
    while outcome.kills < kills and len(outcome.problems) < 5:
        _one_series(case, outcome, moments, kills=kills, work=work)
    return outcome


def _one_series(case: Case, outcome: Outcome, moments: np.random.Generator, *, kills: int, work: Path) -> None:
    """Kill a command one or several times, let it end, and compare."""
    got = _fresh(case, work / "got")
    words: Words | None = case.start(got)
    hit = 0
    try:
        while words is not None:
            last, before = hit == case.series or outcome.kills == kills, _names(got)
            moment = None if last else _moment(outcome, moments)
            if _until_end_or_kill(words, got, work / "log.txt", moment) is not None:
                # If it was faster than the kill, the undisturbed run met a busier machine.
                outcome.writing *= 1 if last else 0.8
                break
            hit, outcome.kills = hit + 1, outcome.kills + 1
            outcome.hits[_what_was_hit(got, before)] += 1
            outcome.problems += [f"kill {outcome.kills}: {problem}" for problem in broken_files(got)]
            words = case.again(got)
    except RuntimeError as error:
        outcome.problems.append(f"after kill {outcome.kills}: {error}")
        return
    if not hit:
        return
    outcome.ended += 1
    found = broken_files(got) + differences(got, work / "want", tolerance=case.tolerance)
    outcome.equal += not found
    outcome.problems += [f"after kill {outcome.kills}: {problem}" for problem in found]
    outcome.leftovers += len(unfinished(got))


def _moment(outcome: Outcome, moments: np.random.Generator) -> tuple[float | None, float]:
    """Draw when to kill: one time in ten while the command starts, else after the first sign of writing."""
    share, start = moments.random(2)
    return None if share < 0.1 else share * outcome.writing, 2 * start


def _fresh(case: Case, output: Path) -> Path:
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    if case.prepare is not None:
        case.prepare(output)
    return output


def _names(folder: Path) -> dict[str, int]:
    found = {}
    for parent, folders, names in os.walk(folder):
        for name in (*folders, *names):
            path = os.path.join(parent, name)  # noqa: PTH118  # in a loop that is to take no time
            try:
                found[path] = os.lstat(path).st_mtime_ns
            except FileNotFoundError:
                continue  # it has just been renamed
    return found


def _what_was_hit(folder: Path, before: dict[str, int]) -> str:
    if any(name not in before for name in _names(folder) if "/.writing-" in name):
        return "while"
    return "between" if _names(folder) != before else "before"


def _until_end_or_kill(words: Words, output: Path, log: Path, kill: tuple[float | None, float] | None) -> float | None:
    """Run a command and return when it first changed its output, in seconds; ``None`` when it was killed.

    Parameters
    ----------
    kill : (float or None, float) or None
        Seconds after the first change of the output, and seconds after the start where the first are ``None``;
        ``None`` lets it end.

    Raises
    ------
    RuntimeError
        It ended with an exit code other than 0.
    """
    started, first, before = time.monotonic(), None, _names(output)
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "gafas", *map(str, words)],
            stdout=said,
            stderr=said,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    while process.poll() is None:
        now = time.monotonic() - started
        if first is None and _names(output) != before:
            first = now
        if kill is not None and _is_time(kill, now, first):
            os.killpg(process.pid, signal.SIGKILL)
            if process.wait() == -signal.SIGKILL:
                return None
            break
        time.sleep(POLL)
    if process.returncode:
        last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
        raise RuntimeError(f"gafas {' '.join(map(str, words))}: exit code {process.returncode}: {' / '.join(last)}")
    return first or 0.0


def _is_time(kill: tuple[float | None, float], now: float, first: float | None) -> bool:
    after_first, after_start = kill
    if after_first is None:
        return now >= after_start
    return first is not None and now - first >= after_first


def main() -> int:
    """Run what the command line asks for; 1 where something was lost, half-written or different."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="commands; default: all")
    parser.add_argument("-k", "--kills", type=int, default=20, help="of each command (20)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder for data and outputs; default: a temporary one")
    parser.add_argument("--json", type=Path, help="write all that was found here")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        work = asked.work or Path(temporary)
        known = {case.name: case for case in make_cases(work)}
        if unknown := set(asked.names) - known.keys():
            parser.error(f"expected some of {', '.join(known)}, got {', '.join(sorted(unknown))}")
        outcomes = []
        print("| command | s | kills | before, while, between | ended | equal | problems | left over |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |", flush=True)
        for name in asked.names or known:
            outcome = rehearse(known[name], kills=asked.kills, seed=asked.seed, work=work / f"kills {name}")
            outcomes.append(outcome)
            hits = ", ".join(str(outcome.hits[hit]) for hit in HITS)
            print(
                f"| {name} | {outcome.seconds:.1f} | {outcome.kills} | {hits} | {outcome.ended} | {outcome.equal} "
                f"| {len(outcome.problems)} | {outcome.leftovers} |",
                flush=True,
            )
            print("".join(f"  {problem}\n" for problem in outcome.problems), end="", file=sys.stderr, flush=True)
    if asked.json is not None:
        asked.json.write_text(json.dumps([asdict(outcome) for outcome in outcomes], indent=2) + "\n", encoding="utf-8")
    return int(any(outcome.problems for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
