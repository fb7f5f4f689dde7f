"""Fuzz one target with atheris (libFuzzer): ``python -m tests.fuzz image --runs 100000``; see `make fuzz`.

Ends with exit code 77 at the first input that breaks a promise; the input stays in the working directory as
``crash-…`` (or ``timeout-…``, ``oom-…``), and ``python -m tests.fuzz image crash-…`` repeats it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["gafas", "PIL"]):
    from tests.fuzz.targets import TARGETS

from tests.fuzz.seeds import DICTIONARY, seeds_of

MOST_SECONDS, MOST_MEGABYTES = 5, 2_000
"""Of one input; of the process, which instruments and keeps its corpus, beyond what it begins with."""


def main() -> None:
    """Run."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("inputs", type=Path, nargs="*", help="repeat these and nothing else")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--artifacts", type=Path, default=Path(), metavar="DIR", help="where such an input is kept")
    given = parser.parse_args()
    if given.inputs:
        for path in given.inputs:
            TARGETS[given.target](path.read_bytes())
        return
    with tempfile.TemporaryDirectory() as scratch:
        corpus, words = Path(scratch) / "corpus", Path(scratch) / "dictionary"
        corpus.mkdir()
        for number, data in enumerate(seeds_of(given.target)):
            (corpus / str(number)).write_bytes(data)
        lines = ['"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n' for word in DICTIONARY[given.target]]
        words.write_text("".join(lines), encoding="ascii")
        limits = [f"-runs={given.runs}", f"-seed={given.seed}", f"-timeout={MOST_SECONDS}"]
        # It would read its own folder again each second, run what it has dropped, and go beyond the number of runs.
        limits += ["-reload=0", f"-artifact_prefix={given.artifacts}/"]
        # libFuzzer looks at the peak, which a process inherits from the one that starts it.
        inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        limits += [f"-rss_limit_mb={inherited + MOST_MEGABYTES}"]
        limits += ["-max_len=20000", f"-dict={words}", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], *limits, str(corpus)], TARGETS[given.target])
        atheris.Fuzz()


if __name__ == "__main__":
    main()
