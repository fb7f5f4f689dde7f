"""The commands that `kill_and_resume` kills: one line more for one command more."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gafas.datasets.synthetic import draw_synthetic

Words = Sequence[str | Path]
"""What stands behind ``gafas``."""

SMALL = ("--input-size", "32", "--epochs", "3", "--fine-tune-epochs", "2", "--seed", "5", "--weights", "random")
"""A training of seconds that saves five checkpoints."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command to kill.

    Attributes
    ----------
    name : str
    start : callable
        Output folder → the words behind ``gafas``.
    again : callable
        Output folder, after a kill → the words that go on; ``None`` where all was written before it.
    prepare : callable or None
        Called with the output folder before the command starts: what it needs to find there.
    series : int
        Kills one after the other before the command may end.
    tolerance : float
        See `wholeness.differences`.
    """

    name: str
    start: Callable[[Path], Words]
    again: Callable[[Path], Words | None]
    prepare: Callable[[Path], object] | None = None
    series: int = 1
    tolerance: float = 0.0


def make_cases(work: Path) -> Iterator[Case]:
    """Yield the cases, on drawn faces (375 pictures of 4 persons) that are made in `work`."""
    faces = work / "faces"
    if not faces.exists():
        draw_synthetic(faces, persons=4, size=(44, 48))
    train = partial(_train, faces)
    organize, predict, draw = partial(_organize, faces), partial(_predict, faces), partial(_draw, faces)
    crossval = partial(_crossval, faces)
    yield Case(name="data organize", start=organize, again=organize)
    yield Case(name="predict", start=predict, again=lambda out: None if (out / "rows.csv").exists() else predict(out))
    # The copies that are there already ask for it.
    yield Case(name="predict --annotate", start=draw, again=lambda out: (*draw(out), "--overwrite"))
    for engine in ("local", "ray"):
        job = partial(_job, faces, engine)
        yield Case(name=f"predict --engine {engine}", start=job, again=partial(_go_on, job))
    yield Case(name="crossval", start=crossval, again=lambda out: _resume("crossval", out / "cv") or crossval(out))
    if (fetched := _fetch(work)) is not None:
        yield Case(name="data fetch", start=fetched, again=fetched)
    yield Case(name="train", start=train, again=lambda out: _resume("train", out / "run") or train(out), series=4)
    yield Case(
        name="export",
        start=_export,
        again=_export,
        prepare=lambda out: shutil.copytree(_finished_run(work, train), out / "run"),
        series=2,
    )


def _organize(faces: Path, out: Path) -> Words:
    return ("data", "organize", "--data", faces, "-o", out / "tree")


def _predict(faces: Path, out: Path) -> Words:
    return ("predict", faces, "--region", "whole", "-o", out / "rows.csv")


def _draw(faces: Path, out: Path) -> Words:
    return ("predict", faces / "synth01", "--region", "whole", "-o", out / "rows.csv", "--annotate", out / "drawn")


def _job(faces: Path, engine: str, out: Path) -> Words:
    job = ("--engine", engine, "--workers", "1", "--block-size", "20")
    return ("predict", faces, "--region", "whole", "-o", out / "rows", *job)


def _go_on(job: Callable[[Path], Words], out: Path) -> Words:
    return (*job(out), "--resume")


def _train(faces: Path, out: Path) -> Words:
    return ("train", "--data", faces, "-o", out / "run", *SMALL)


def _crossval(faces: Path, out: Path) -> Words:
    return ("crossval", "--recipe", "pca", "--set", "input_size=64", "--jobs", "1", "--data", faces, "-o", out / "cv")


def _export(out: Path) -> Words:
    return ("export", out / "run", "--format", "onnx,tflite-full")


def _resume(command: str, folder: Path) -> Words | None:
    """Return what goes on; ``None`` where the command was killed before it had written what it is to do."""
    return (command, "--resume", folder) if (folder / "config.json").exists() else None


def _fetch(work: Path) -> Callable[[Path], Words] | None:
    """Return what unpacks and verifies the CMU Face Images from an archive; ``None`` where they are not here."""
    origin = Path(os.environ.get("GAFAS_DATA", "")) / "cmu_faces"
    if not os.environ.get("GAFAS_DATA") or not origin.is_dir():
        print("data fetch: left out, $GAFAS_DATA names no folder that holds cmu_faces", file=sys.stderr)
        return None
    archive = work / "cmu.zip"
    if not archive.exists():
        shutil.make_archive(str(archive.with_suffix("")), "zip", origin)
    return lambda out: ("data", "fetch", "--from", archive, "-o", out / "faces")


def _finished_run(work: Path, train: Callable[[Path], Words]) -> Path:
    run = work / "finished" / "run"
    if not (run / "metrics.json").exists():
        shutil.rmtree(run.parent, ignore_errors=True)
        subprocess.run(
            [sys.executable, "-m", "gafas", *map(str, train(run.parent))], check=True, capture_output=True, text=True
        )
    return run
