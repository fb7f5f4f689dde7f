"""What each command loads, in a fresh process: a command pays for what it does, not for what others do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

TRAINING = {"keras", "tensorflow", "jax", "torch", "sklearn", "scipy", "onnx", "h5py", "tf2onnx", "cv2", "joblib"}
"""Never for a command that does not train, export or compare."""

DRAWING = {"matplotlib", "jinja2"}
RUNTIME = {"onnxruntime", "ai_edge_litert"}
PIXELS = {"numpy", "PIL"}
WORDS = {"rich"}
SERVING = {"fastapi", "starlette", "uvicorn", "pydantic", "prometheus_client"}
FETCHING = {"pooch", "platformdirs", "requests", "urllib3", "tqdm"}
FILMS = {"av"}
SCALE = {"ray", "pyarrow", "pandas"}
"""Only for jobs."""

FORBIDDEN = {
    ("--version",): TRAINING | SERVING | DRAWING | RUNTIME | PIXELS | FETCHING | WORDS,
    ("--help",): TRAINING | DRAWING | RUNTIME | FETCHING | FILMS | SCALE,
    ("serve", "--help"): TRAINING | DRAWING | RUNTIME | PIXELS | FETCHING | SERVING,
    ("predict", "--help"): TRAINING | DRAWING | RUNTIME | PIXELS | FETCHING | FILMS | SCALE,
    ("predict", "dark.png"): TRAINING | DRAWING | FETCHING | SERVING | FILMS | SCALE | {"ai_edge_litert"},
    ("predict", "dark.png", "-f", "csv"): TRAINING | DRAWING | FETCHING | WORDS | FILMS | SCALE | {"ai_edge_litert"},
    ("predict", "dark.png", "--resume", "-o", "rows"): TRAINING | DRAWING | FETCHING | SERVING | FILMS | {"ray"},
    ("explain", "--help"): TRAINING | DRAWING | RUNTIME | PIXELS | FETCHING,
    ("explain", "dark.png", "-o", "why", "-f", "csv"): TRAINING | DRAWING | FETCHING | {"ai_edge_litert"},
    ("models", "list"): TRAINING | DRAWING | RUNTIME | PIXELS | FETCHING,
    ("models", "info", "gafas-base"): TRAINING | DRAWING | RUNTIME | PIXELS | FETCHING | WORDS,
    ("report", "--help"): TRAINING | DRAWING | RUNTIME | PIXELS | FETCHING,
    ("report", "gafas-base"): TRAINING | FETCHING - {"platformdirs"} | {"ai_edge_litert"},
    ("doctor",): TRAINING | DRAWING | RUNTIME | FETCHING - {"platformdirs"},
}
"""Words of a command, and the modules that it must not load."""

SCRIPT = """
import sys
from gafas.cli import app
try:
    app(sys.argv[1:], prog_name="gafas")
except SystemExit as end:
    assert not end.code, end.code
print("", *sorted({name.partition(".")[0] for name in sys.modules}), sep="\\n", file=sys.stderr)
"""


def loaded_by(words: tuple[str, ...], here: Path) -> set[str]:
    """Return the top-level modules that a command has loaded when it ends."""
    done = subprocess.run([sys.executable, "-c", SCRIPT, *words], cwd=here, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.split())


@pytest.mark.parametrize("words", FORBIDDEN, ids=" ".join)
def test_a_command_loads_only_what_it_needs(words: tuple[str, ...], photos: Path) -> None:
    loaded = loaded_by(words, photos)
    assert "typer" in loaded
    assert not loaded & FORBIDDEN[words]


def test_what_is_needed_is_seen(photos: Path) -> None:
    """The table above would hold of anything if loaded modules were not seen."""
    assert loaded_by(("predict", "dark.png"), photos) >= {"numpy", "PIL", "onnxruntime", "rich"}


def test_a_command_does_not_load_the_others(photos: Path) -> None:
    script = SCRIPT.replace('name.partition(".")[0]', "name")
    words = [sys.executable, "-c", script, "predict", "dark.png", "-f", "csv"]
    done = subprocess.run(words, cwd=photos, capture_output=True, text=True, check=True)
    others = {
        "films",
        "jobs",
        "reproduce",
        "train",
        "evaluate",
        "crossval",
        "explain",
        "serve",
        "export",
        "report",
        "doctor",
    }
    assert not {f"gafas.cli.{name}" for name in others} & set(done.stderr.split())
    assert "gafas.cli.predict" in done.stderr.split()


def test_every_command_is_there_by_name() -> None:
    """The commands are loaded late, by a list of their names."""
    import typer.main

    from gafas import cli

    group = typer.main.get_command(cli.app)
    assert list(group.commands) == list(cli._COMMANDS)  # type: ignore[attr-defined]
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        assert command.name == name
        assert command.help
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py")}
    assert set(cli._COMMANDS) <= modules
