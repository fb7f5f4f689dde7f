"""Short runs of the fuzzer, and what longer ones have found; `make fuzz` runs longer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.seeds import seeds_of
from tests.fuzz.targets import TARGETS

RUNS = {"image": 2_000, "manifest": 500, "name": 5_000, "split": 5_000, "archive": 300}
"""In CI, of each target."""


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_keep_their_promises(target: str) -> None:
    seeds = seeds_of(target)
    assert seeds
    for data in seeds:
        TARGETS[target](data)


@pytest.mark.parametrize("target", TARGETS)
def test_a_short_run(target: str, tmp_path: Path) -> None:
    pytest.importorskip("atheris", reason="atheris is not installed: it needs Linux on x86-64")
    root = Path(__file__).parent.parent.parent
    words = [sys.executable, "-m", "tests.fuzz", target, "--runs", str(RUNS[target]), "--artifacts", str(tmp_path)]
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert f"Done {RUNS[target]} runs" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "data"),
    [
        # A bracket in a user's name: urlsplit raised where the address was to be named without its password.
        ("name", b"rtsp://a:b]@c/d"),
    ],
)
def test_what_was_found_is_mended(target: str, data: bytes) -> None:
    TARGETS[target](data)


def test_a_broken_promise_ends_the_run(tmp_path: Path) -> None:
    (tmp_path / "input").write_bytes(b"any")
    words = [sys.executable, "-c", SABOTAGE, "image", str(tmp_path / "input")]
    root = Path(__file__).parent.parent.parent
    pytest.importorskip("atheris", reason="atheris is not installed: it needs Linux on x86-64")
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "AssertionError" in done.stderr


SABOTAGE = """
from tests.fuzz import __main__ as fuzz
from tests.fuzz import targets
targets.decode = lambda data, **_: __import__("numpy").zeros((1, 1))
fuzz.main()
"""
