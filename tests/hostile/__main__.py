"""The whole job: make the corpus, judge it with ``gafas predict``, and say how it went; see `make hostile`.

``python -m tests.hostile [--count N] [--seed N] [--no-crafted] [--keep DIR]``; exit code 1 where a promise is broken.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.hostile.corpus import Corpus, make_corpus, make_ordinary
from tests.hostile.watch import MOST_MEGABYTES, MOST_SECONDS, Run, run_predict


def problems_of(corpus: Corpus, run: Run, baseline: Run) -> list[str]:
    """Return every promise that was broken."""
    found = []
    if baseline.code != 0:
        found.append(f"ordinary pictures: exit code {baseline.code}; {baseline.said}")
    if run.code not in (0, 1):
        found.append(f"exit code {run.code}; begun and not ended: {run.unfinished}; {run.said}")
    slow = {path: seconds for path, seconds in run.processor.items() if seconds > MOST_SECONDS}
    found += [f"{path!r} took {seconds:.1f} s of the processor" for path, seconds in slow.items()]
    if (above := run.megabytes - baseline.megabytes) > MOST_MEGABYTES:
        found.append(f"{above:.0f} MB above the baseline, expected at most {MOST_MEGABYTES:.0f}")
    wanted = set(corpus.paths)
    found += [f"{path!r} has {run.rows[path]} rows" for path in sorted(wanted) if run.rows[path] != 1]
    found += [f"{path!r} has a row and was not given" for path in sorted(run.rows.keys() - wanted)]
    return found


def table(corpus: Corpus, run: Run, baseline: Run) -> str:
    """Return what is reported."""
    slowest = max(run.processor, key=lambda path: run.processor[path], default="")
    above = run.megabytes - baseline.megabytes
    longest = max(run.wall, key=lambda path: run.wall[path], default="")
    lines = [
        f"images      {len(corpus.paths):,}",
        f"formats     {len(corpus.formats)}: " + ", ".join(f"{k} {n}" for k, n in sorted(corpus.formats.items())),
        "damage      " + ", ".join(f"{kind} {n:,}" for kind, n in sorted(corpus.kinds.items())),
        f"crashes     {int(run.code not in (0, 1))} (exit code {run.code})",
        f"rows        {sum(run.rows.values()):,}, of which errors {run.errors:,}",
        f"slowest     {run.processor.get(slowest, 0):.2f} s of the processor, {Path(slowest).name!r}",
        f"longest     {run.wall.get(longest, 0):.2f} s on the clock, {Path(longest).name!r}",
        f"hangs       {sum(seconds > MOST_SECONDS for seconds in run.processor.values())} above {MOST_SECONDS:.0f} s",
        f"memory      {run.megabytes:.0f} MB; ordinary pictures {baseline.megabytes:.0f} MB; above {above:.0f} MB",
        f"in all      {run.seconds:.0f} s",
    ]
    return "\n".join(lines)


def main(arguments: list[str] | None = None) -> int:
    """Run the job."""
    parser = argparse.ArgumentParser(prog="python -m tests.hostile")
    parser.add_argument("--count", type=int, default=6_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--no-crafted", action="store_true", help="without the large and slow ones")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="an empty folder; the corpus and its rows stay there")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.keep or Path(scratch)
        make_ordinary(folder / "ordinary")
        corpus = make_corpus(folder / "corpus", count=given.count, seed=given.seed, crafted=not given.no_crafted)
        baseline = run_predict(folder / "ordinary", folder / "baseline")
        run = run_predict(folder / "corpus", folder / "run")
    problems = problems_of(corpus, run, baseline)
    more = [f"… and {len(problems) - 20:,} more"] if len(problems) > 20 else []
    sys.stdout.write("\n".join([table(corpus, run, baseline), *problems[:20], *more, ""]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
