"""``gafas doctor``: what is installed, found and missing."""

from __future__ import annotations

import os
import platform
import sys
from importlib import metadata

import typer

from gafas import __version__
from gafas.cli import options
from gafas.cli.console import print_json, print_table
from gafas.errors import GafasError

_PACKAGES = {
    "core": ("numpy", "pillow", "onnxruntime", "typer", "rich", "pooch", "platformdirs", "tqdm"),
    "train": (
        "keras",
        "tensorflow",
        "scikit-learn",
        "onnx",
        "tf2onnx",
        "h5py",
        "scipy",
        "joblib",
        "opencv-python-headless",
    ),
    "litert": ("ai-edge-litert",),
    "video": ("av",),
    "scale": ("ray", "pyarrow"),
    "report": ("matplotlib", "jinja2"),
    "backends": ("jax", "torch"),
}

_BACKENDS = ("tensorflow", "jax", "torch")


def doctor(json: options.Json = False) -> None:
    """Say what is installed and found here, and what to do about what is missing.

    Exit code 1 when something that the core needs is missing. Example: [bold]gafas doctor[/bold]
    """
    checks = [*_machine(), *_packages(), _data(), _weights()]
    if json:
        print_json([{"check": what, "state": state, "detail": detail} for what, state, detail in checks])
    else:
        print_table(f"gafas {__version__}", ["check", "state", "detail"], checks, text=["state", "detail"])
    if any(state == "broken" for _, state, _ in checks):
        raise typer.Exit(1)


def _machine() -> list[tuple[str, str, str]]:
    return [
        ("python", "ok", f"{platform.python_version()} at {sys.executable}"),
        ("machine", "ok", f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"),
        _keras_backend(),
    ]


def _keras_backend() -> tuple[str, str, str]:
    chosen = os.environ.get("KERAS_BACKEND")
    if chosen is None or chosen in _BACKENDS:
        return ("keras backend", "ok", chosen or "tensorflow (default)")
    return ("keras backend", "unknown", f"$KERAS_BACKEND is {chosen}, expected one of {', '.join(_BACKENDS)}")


def _packages() -> list[tuple[str, str, str]]:
    rows = []
    for extra, names in _PACKAGES.items():
        missing = [name for name in names if not _installed(name)]
        if not missing:
            rows.append((f"packages: {extra}", "ok", ", ".join(f"{n} {metadata.version(n)}" for n in names)))
        elif extra == "core":
            rows.append((f"packages: {extra}", "broken", f"missing: {', '.join(missing)}; pip install gafas"))
        else:
            line = f"missing: {', '.join(missing)}; pip install 'gafas[{extra}]'"
            rows.append((f"packages: {extra}", "optional", line))
    return rows


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def _data() -> tuple[str, str, str]:
    from gafas.datasets.locate import find_data

    try:
        return ("CMU Face Images", "ok", str(find_data("cmu_faces", None)))
    except GafasError as error:
        return ("CMU Face Images", "missing", str(error))


def _weights() -> tuple[str, str, str]:
    from gafas.learn.weights import find_weights

    try:
        source = find_weights(None)
    except GafasError as error:
        return ("backbone weights", "missing", str(error))
    return ("backbone weights", "ok", f"{source.kind}: {source.path or 'downloaded by Keras'}")
