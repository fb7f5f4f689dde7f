"""Wheel and sdist are the same each time, and work where nothing else is installed."""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Wheel and sdist, without the SBOM, which needs a package index."""
    pytest.importorskip("hatchling", reason="hatchling is not installed")
    folder = tmp_path_factory.mktemp("dist")
    done = run("tools/build.py", folder, "--no-sbom")
    assert done.returncode == 0, done.stderr
    return folder


def test_two_builds_are_the_same(built: Path, tmp_path: Path) -> None:
    assert run("tools/build.py", tmp_path, "--no-sbom").returncode == 0
    first, second = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in (built, tmp_path))
    assert len(first) == 2
    assert first == second


def test_the_packages_hold_what_they_should(built: Path) -> None:
    with zipfile.ZipFile(next(built.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert "gafas/assets/gafas-base/model.onnx" in names
    assert all(name.startswith(("gafas/", "gafas-")) for name in names)
    with tarfile.open(next(built.glob("*.tar.gz"))) as sdist:
        parts = {name.partition("/")[2] for name in sdist.getnames()}
    assert {"pyproject.toml", "SECURITY.md", "constraints.txt", "src/gafas/__init__.py", "tests/conftest.py"} <= parts
    assert not [part for part in parts if "__pycache__" in part or part.startswith(".venv")]


def index_answers() -> bool:
    words = ("--dry-run", "--ignore-installed", "--no-deps", "--quiet", "--retries", "0", "platformdirs")
    return run("-m", "pip", "install", *words).returncode == 0


def test_the_wheel_works_in_a_bare_environment_and_its_parts_are_listed(built: Path) -> None:
    pytest.importorskip("cyclonedx_py", reason="cyclonedx-bom is not installed")
    if not index_answers():
        pytest.skip("no package index answers: pip cannot install platformdirs")
    wheel = next(built.glob("*.whl"))
    done = run("tools/try_bare.py", wheel, "--sbom")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{wheel.name}: installed and works without extras" in done.stdout
    bom = json.loads(next(built.glob("*.cdx.json")).read_text(encoding="utf-8"))
    assert bom["bomFormat"] == "CycloneDX"
    assert bom["metadata"]["component"]["name"] == "gafas"
    assert "timestamp" not in bom["metadata"]
    assert "serialNumber" not in bom
    versions = {part["name"].lower().replace("_", "-"): part["version"] for part in bom["components"]}
    assert {"numpy", "pillow", "onnxruntime", "typer", "rich", "pooch", "platformdirs", "tqdm"} <= versions.keys()
    assert not {"keras", "tensorflow", "fastapi", "pip", "setuptools"} & versions.keys()
    lines = [line.lower().replace("_", "-") for line in (ROOT / "constraints.txt").read_text().splitlines()]
    pinned = dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))
    assert all(pinned[name] == version for name, version in versions.items() if name in pinned)
    assert versions.keys() - pinned.keys() <= {"gafas"}
