"""Install a wheel or an sdist into an environment with nothing else, and try what must work there: ``make bare``."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from build import install_bare, write_sbom

HEAVY = (
    *("keras", "tensorflow", "torch", "jax", "matplotlib", "jinja2", "sklearn", "scipy", "onnx", "fastapi", "uvicorn"),
    *("cv2", "av", "h5py"),
)
"""What only extras bring."""

DRAW = """
from PIL import Image, ImageDraw
picture = Image.new("RGB", (320, 240), (190, 190, 190))
ImageDraw.Draw(picture).ellipse((110, 50, 210, 190), fill=(220, 180, 150))
picture.save("drawn.png")
"""

LIGHT = f"""
import importlib.util, sys
import gafas
predictor = gafas.load_predictor()
(verdict, *_) = predictor.predict("drawn.png")
assert 0 <= verdict.sunglasses <= 1
loaded = set({HEAVY!r}) & set(sys.modules)
assert not loaded, loaded
present = [name for name in {HEAVY!r} if importlib.util.find_spec(name)]
assert not present, present
"""


def run(python: Path, folder: Path, *words: str, code: int = 0) -> str:
    """Run something in the bare environment; end with its words where it does not end as expected."""
    command = [str(python), *(("-c", words[0]) if len(words) == 1 else ("-m", "gafas", *words[1:]))]
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin"}, check=False
    )
    if done.returncode != code:
        sys.exit(f"{words}: expected exit code {code}, got {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def expect(text: str, wanted: str) -> None:
    """End where something is not said."""
    if wanted not in text:
        sys.exit(f"expected {wanted!r}, got {text!r}")


def try_package(package: Path, *, sbom: bool) -> None:
    """Install one package and try it; with `sbom` write beside it what it brought."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        python = install_bare(folder / "bare", package.resolve())
        if sbom:
            write_sbom(package, python)
        version = package.name.removesuffix(".tar.gz").split("-")[1]
        expect(run(python, folder, "gafas", "--version"), f"gafas {version}")
        run(python, folder, DRAW)
        run(python, folder, "gafas", "predict", "drawn.png", "-o", "rows.csv")
        header, *rows = (folder / "rows.csv").read_text(encoding="utf-8").splitlines()
        expect(header, "path,status,error,region")
        expect(rows[0], "drawn.png,ok,")
        run(python, folder, LIGHT)
        expect(run(python, folder, "gafas", "serve", code=2), "pip install 'gafas[serve]'")
        expect(run(python, folder, "gafas", "report", "gafas-base", code=2), "pip install 'gafas[report]'")
        run(python, folder, "gafas", "models", "verify", "gafas-nano")
        run(python, folder, "gafas", "doctor")
    print(f"{package.name}: installed and works without extras")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        if name != "--sbom":
            try_package(Path(name), sbom="--sbom" in sys.argv)
