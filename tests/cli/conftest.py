"""The command line as a user meets it, and one small trained run for all who need one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gafas.cli import app

SMALL = ("--input-size", "32", "--epochs", "2", "--fine-tune-epochs", "1", "--seed", "5", "--weights", "random")
"""A training of seconds."""

Gafas = Callable[..., Result]


@pytest.fixture
def gafas() -> Gafas:
    """Run a command in this process."""
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def process() -> Callable[..., subprocess.Popen[str]]:
    """Start a command in a process of its own."""

    def start(*words: object, **environment: str) -> subprocess.Popen[str]:
        import os

        return subprocess.Popen(
            [sys.executable, "-m", "gafas", *map(str, words)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def one_error(result: Result) -> str:
    """Return the only error line of a result."""
    lines = [line for line in result.stderr.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, result.stderr
    return lines[0]


@pytest.fixture(scope="session")
def _trained(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = tmp_path_factory.mktemp("trained") / "run"
    result = CliRunner().invoke(app, ["train", "--data", str(synthetic_root), "-o", str(run), *SMALL])
    assert result.exit_code == 0, result.output
    return run


@pytest.fixture
def trained(_trained: Path, tmp_path: Path) -> Path:
    """A finished run on drawn faces, a copy for each test."""
    return Path(shutil.copytree(_trained, tmp_path / "run"))


@pytest.fixture
def faces(synthetic_root: Path, tmp_path: Path) -> Path:
    """A copy of the drawn faces that a test may spoil."""
    return Path(shutil.copytree(synthetic_root, tmp_path / "faces"))
