"""Build wheel, sdist and SBOM (CycloneDX), byte by byte the same each time: ``make build``, ``make reproducible``.

Times in the archives are those of the last commit. The SBOM lists what ``pip install`` of the wheel brings with the
versions of ``constraints.txt``; it has no time, no serial number and no path of this machine.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
EPOCH = "1580601600"
"""2020-02-02, hatchling's own choice, where there is no git."""


def source_date() -> str:
    """Return the seconds that stand in the archives: $SOURCE_DATE_EPOCH, else the last commit's."""
    if "SOURCE_DATE_EPOCH" in os.environ:
        return os.environ["SOURCE_DATE_EPOCH"]
    try:
        done = subprocess.run(
            ["git", "log", "-1", "--format=%ct"],  # noqa: S607
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return EPOCH
    return done.stdout.strip() or EPOCH


def build(target: Path) -> tuple[Path, Path]:
    """Write wheel and sdist into `target` and return them."""
    environment = {**os.environ, "SOURCE_DATE_EPOCH": source_date()}
    words = [sys.executable, "-m", "hatchling", "build", "-d", str(target.resolve())]
    subprocess.run(words, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    version = re.search(r'__version__ = "(.*)"', (ROOT / "src/gafas/__init__.py").read_text(encoding="utf-8"))
    if version is None:
        sys.exit("src/gafas/__init__.py: expected __version__, got none")
    return target / f"gafas-{version[1]}-py3-none-any.whl", target / f"gafas-{version[1]}.tar.gz"


def install_bare(folder: Path, *packages: str | Path) -> Path:
    """Make an environment with nothing but `packages` and what they need, not even pip; return its Python."""
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    words = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*words, "-c", str(ROOT / "constraints.txt"), *map(str, packages)], check=True)
    return python


def write_sbom(wheel: Path, python: Path) -> Path:
    """Write beside the wheel what is in the bare environment that it was installed into."""
    target = wheel.with_name("-".join(wheel.name.split("-")[:2]) + ".cdx.json")
    words = [sys.executable, "-m", "cyclonedx_py", "environment", "--output-reproducible", "--mc-type", "library"]
    words += ["--pyproject", str(ROOT / "pyproject.toml"), "--of", "JSON", "-o", str(target), str(python)]
    subprocess.run(words, check=True)
    bom = json.loads(target.read_text(encoding="utf-8"))
    _forget_places(bom)
    target.write_text(json.dumps(bom, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    return target


def _forget_places(bom: dict[str, Any]) -> None:
    """Take out where files lay on this machine: that of the wheel, and which index or cache gave the others."""
    for component in [bom.get("metadata", {}).get("component", {}), *bom["components"]]:
        kept = [place for place in component.get("externalReferences", []) if place["url"].startswith("https://")]
        component["externalReferences"] = [place for place in kept if place.get("type") != "distribution"]


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def build_all(folder: Path, *, sbom: bool) -> dict[str, str]:
    """Build into a folder and return the digests of what was built."""
    wheel, _ = build(folder)
    if sbom:
        with tempfile.TemporaryDirectory() as scratch:
            write_sbom(wheel, install_bare(Path(scratch) / "bare", wheel.resolve()))
    return {name: digest for name, digest in digests(folder).items() if name.startswith("gafas-")}


def main() -> None:
    """Build once into a folder, or twice and compare."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", type=Path, nargs="?", default=Path("dist"))
    parser.add_argument("--twice", action="store_true", help="build twice elsewhere, compare, exit 1 on a difference")
    parser.add_argument("--no-sbom", action="store_true", help="needs no package index")
    given = parser.parse_args()
    if not given.twice:
        given.target.mkdir(parents=True, exist_ok=True)
        for name, digest in build_all(given.target, sbom=not given.no_sbom).items():
            print(digest, name)
        return
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        first, second = (build_all(Path(folder), sbom=not given.no_sbom) for folder in (one, other))
    for name in first.keys() | second.keys():
        print(first.get(name), name, "the same again" if first.get(name) == second.get(name) else "DIFFERENT")
    sys.exit(first != second)


if __name__ == "__main__":
    main()
