"""Light rooms stay light: each import in a fresh process, so that no other test has loaded the heavy things."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("keras", "tensorflow", "jax", "torch", "matplotlib", "jinja2", "ray", "sklearn", "scipy", "onnx")
SERVING = ("fastapi", "starlette", "uvicorn", "pydantic", "prometheus_client")


def loaded_by(statement: str) -> set[str]:
    """Return the top-level modules that a statement loads."""
    script = f"import sys\n{statement}\nprint(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-W", "error", "-c", script], capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        "annotate",
        "answers",
        "backends",
        "cameras",
        "explain",
        "eyewear",
        "faces",
        "films",
        "onnx_file",
        "predictor",
        "reading",
        "rows",
        "schemas",
        "smoothing",
        "sources",
        "stream",
        "tracking",
        "video",
        "video_writer",
        "writers",
    ],
    ids=lambda name: f"gafas.runtime.{name}",
)
def test_prediction_needs_no_training_framework(module: str) -> None:
    unwanted = {*HEAVY, *SERVING, "onnxruntime", "ai_edge_litert", "av", "typer", "rich"}
    assert not loaded_by(f"import gafas.runtime.{module}") & unwanted


def test_the_package_itself_loads_next_to_nothing() -> None:
    assert not loaded_by("import gafas") & {*HEAVY, *SERVING, "onnxruntime", "numpy", "PIL", "typer", "rich"}


def test_the_command_line_starts_light() -> None:
    assert not loaded_by("import gafas.cli") & {*HEAVY, *SERVING, "onnxruntime", "pooch", "numpy", "PIL", "rich"}


def test_the_python_face_is_there_when_asked_for() -> None:
    loaded = loaded_by("import gafas\nassert gafas.Predictor\nassert callable(gafas.load_predictor)")
    assert "numpy" in loaded
    assert not loaded & {*HEAVY, *SERVING}
    with pytest.raises(subprocess.CalledProcessError):
        loaded_by("import gafas\ngafas.nothing_of_that_name")
