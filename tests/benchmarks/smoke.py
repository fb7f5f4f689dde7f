"""Runs a benchmark in its smoke mode, as a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parents[2] / "benchmarks"


def smoke(script: str, folder: Path, *words: str, timeout: int = 120) -> tuple[str, Any]:
    """Return what it prints and what it writes as JSON."""
    target = folder / "out.json"
    command = [sys.executable, str(SCRIPTS / script), "--smoke", "--json", str(target), *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(target.read_text(encoding="utf-8"))
