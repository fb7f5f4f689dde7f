"""Make the bundle that the package ships from a finished run of recipe gafas, with its figures and its model card.

    python tools/make_model.py runs/gafas-base src/gafas/assets/gafas-base

Holds ``model.onnx`` and ``model.weights.h5`` (both with float16 weights), ``model-int8.onnx``, the split, so that its
test part can be judged again, ``manifest.json`` and ``MODEL_CARD.md``. The figures come from ``gafas evaluate``, as
anybody may repeat.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from gafas.bundle import HELD_OUT, MANIFEST, ONNX, ONNX_INT8, WEIGHTS, load_bundle, save_manifest
from gafas.files import write_folder_beside
from gafas.report.card import CARD, write_card

from pack_backbone import pack  # isort: skip  # its neighbour in tools/

SPLIT = "split.json"


def evaluate(model: Path, *arguments: str) -> dict[str, Any]:
    """Run ``gafas evaluate`` and return what it prints as JSON."""
    command = [sys.executable, "-m", "gafas", "evaluate", str(model), *arguments, "--json"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)  # our own command
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def judge(run: Path, data: Path, *how: str) -> dict[str, dict[str, Any]]:
    """Judge a run on its own test part and on CMU; ``--robustness`` is for CMU."""
    held_out = [word for word in how if word != "--robustness"]
    return {
        HELD_OUT: evaluate(run, "--split", "test", *held_out),
        "CMU Face Images": evaluate(run, "--data", str(data / "cmu_faces"), "--split", "all", *how),
    }


def make(run: Path, target: Path, *, data: Path, name: str, int8_only: bool = False) -> None:
    """Write the shipped bundle into `target`, complete or not at all."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from gafas.learn.model_files import load_keras

    subprocess.run([sys.executable, "-m", "gafas", "export", str(run), "--format", "onnx-int8"], check=True)
    trained = load_bundle(run)
    # The same on every machine, and as it is on those that calculate fast with integers.
    exact, quick = ("--precision", "float32", "--thorough"), ("--precision", "int8")
    if int8_only:
        figures = judge(run, data, *quick, "--robustness")
    else:
        figures = judge(run, data, *exact, "--robustness")
        figures |= {f"{where}, int8": what for where, what in judge(run, data, *quick).items()}
    manifest = replace(trained.manifest, name=name, metrics=figures, exports={})
    with write_folder_beside(target, overwrite=True) as folder, tempfile.TemporaryDirectory() as scratch:
        shutil.copy2(trained.file(ONNX_INT8), folder / ONNX_INT8)
        if not int8_only:
            shutil.copy2(trained.file(ONNX), folder / ONNX)
            whole = Path(scratch) / "whole.weights.h5"
            load_keras(trained.file("model.keras")).save_weights(whole)
            pack(whole, folder / WEIGHTS)
        shutil.copy2(run / SPLIT, folder / SPLIT)
        write_card(folder / CARD, manifest)
        save_manifest(folder, manifest)
    sizes = {path.name: path.stat().st_size for path in sorted(target.iterdir())}
    print(f"{target}: " + ", ".join(f"{name} {size:,}" for name, size in sizes.items()))
    print((target / MANIFEST).name, "threshold", manifest.threshold)


def main(words: Sequence[str] | None = None) -> None:
    """Read the command line and make the bundle."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--data", type=Path, default=os.environ.get("GAFAS_DATA"), help="folder with cmu_faces/")
    parser.add_argument("--name", default="gafas-base")
    parser.add_argument("--int8-only", action="store_true", help="leave out what calculates with float32")
    arguments = parser.parse_args(words)
    if arguments.data is None:
        parser.error("the figures need the data: set $GAFAS_DATA or pass --data")
    data = Path(arguments.data)
    make(arguments.run, arguments.target, data=data, name=arguments.name, int8_only=arguments.int8_only)


if __name__ == "__main__":
    main()
