"""A seeded sample of the corpus through the real ``gafas predict``; `make hostile` does it with all of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from tests.hostile.__main__ import main, problems_of
from tests.hostile.corpus import Corpus, make_corpus
from tests.hostile.damage import DAMAGES
from tests.hostile.seeds import make_seeds
from tests.hostile.watch import Run

pytest.importorskip("psutil", reason="psutil is not installed")


def test_a_sample_of_the_corpus(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--count", "450", "--seed", "2", "--no-crafted"])
    said = capsys.readouterr().out
    assert code == 0, said
    assert "images      450\n" in said
    assert "rows        450, of which errors " in said
    assert "crashes     0 (exit code 1)" in said


def test_the_same_seed_makes_the_same_corpus(tmp_path: Path) -> None:
    one, two, other = (
        make_corpus(tmp_path / name, count=300, seed=seed, crafted=False)
        for name, seed in (("one", 1), ("two", 1), ("other", 2))
    )
    files = [
        {path.removeprefix(str(made.folder)): Path(path).read_bytes() for path in made.paths if "special" not in path}
        for made in (one, two, other)
    ]
    assert files[0] == files[1]
    assert files[0] != files[2]
    assert len(one.paths) == len(set(one.paths)) == 300


def test_every_damage_does_something_and_every_format_is_there() -> None:
    rng = np.random.default_rng(0)
    seeds = make_seeds(rng)
    assert len({seed.kind for seed in seeds}) >= 40
    for name, damage in DAMAGES.items():
        changed = sum(damage(seed.data, rng, turn) != seed.data for seed in seeds for turn in range(3))
        assert changed > 2.5 * len(seeds), name


GOOD = Run(0, 1.0, 100.0, {"a": 1.0}, {"a": 1.0}, Counter(a=1, b=1), 0, [], "")


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (
            Run(-11, 1.0, 100.0, {}, {}, Counter(a=1, b=1), 0, ["a"], "Segmentation fault"),
            "exit code -11; begun and not",
        ),
        (Run(1, 1.0, 401.0, {}, {}, Counter(a=1, b=1), 0, [], ""), "301 MB above the baseline, expected at most 300"),
        (Run(1, 1.0, 100.0, {"a": 5.1}, {}, Counter(a=1, b=1), 0, [], ""), "'a' took 5.1 s of the processor"),
        (Run(1, 1.0, 100.0, {}, {}, Counter(a=1), 0, [], ""), "'b' has 0 rows"),
        (Run(1, 1.0, 100.0, {}, {}, Counter(a=2, b=1), 0, [], ""), "'a' has 2 rows"),
        (Run(1, 1.0, 100.0, {}, {}, Counter(a=1, b=1, c=1), 0, [], ""), "'c' has a row and was not given"),
    ],
)
def test_a_broken_promise_is_seen(run: Run, words: str) -> None:
    corpus = Corpus(Path(), ["a", "b"])
    assert problems_of(corpus, GOOD, GOOD) == []
    (problem,) = problems_of(corpus, run, GOOD)
    assert problem.startswith(words)
