"""The notebook's training: plain Keras against gafas, the same images, views, epochs and weights.

    python benchmarks/training.py
    python benchmarks/training.py --rounds 1 --seeds 123456 1 2 --json training.json

Both are ``gafas train --recipe notebook``, the reference with ``--plain``: augmentation and frozen layers run inside
each step of Keras's ``fit``. What counts is the whole training call, from building the network to the figures of both
stages, checkpoints and conversion included; reading the images and importing TensorFlow are not, for both need them.
Each training runs in a process of its own, so that neither finds anything the other has left in memory.

The images are the CMU Face Images, split by file as in the notebook, from ``$GAFAS_DATA``; without them, drawn ones.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from common import finish, markdown, paired, show_ratio
from gafas.datasets.locate import load_dataset
from gafas.errors import DataError
from gafas.values import SPLIT_NAMES

_SMOKE = {"input_size": 48, "epochs": 2, "fine_tune_epochs": 1}
_STAGES = ("frozen", "tuned")


def find_data(folder: Path, *, smoke: bool) -> str:
    """Return the CMU Face Images where they are, else a folder of drawn ones; a smoke run takes these."""
    from gafas.datasets.synthetic import draw_synthetic

    if not smoke:
        try:
            load_dataset("cmu_faces")
        except DataError:
            sys.stderr.write("the CMU Face Images are not here; going on with drawn ones\n")
        else:
            return "cmu_faces"
    return str(draw_synthetic(folder / "drawn", persons=4, size=(120, 128)))


def train_once(data: str, settings: dict[str, Any], *, plain: bool) -> dict[str, Any]:
    """Train in this process and return seconds and accuracies."""
    import tensorflow  # noqa: F401  # both need it: its import does not count

    from gafas.learn.config import make_config
    from gafas.learn.recipes import load_for, split_for
    from gafas.learn.runs import Run
    from gafas.learn.train import train_network
    from gafas.learn.weights import find_weights

    config = make_config("notebook", settings)
    dataset = load_dataset(data)
    pictures, _ = load_for(config, dataset, dataset.at("full"))
    split = split_for(config, pictures.samples)
    parts = {name: pictures.take(split.part(name)) for name in SPLIT_NAMES}
    with tempfile.TemporaryDirectory() as folder:
        run = Run(Path(folder), config, {"plain": plain})
        started = time.perf_counter()
        train_network(run, config, parts, find_weights(None), listener=lambda _: None)  # type: ignore[arg-type]
        seconds = time.perf_counter() - started
        state = run.read_state()
    return {
        "seconds": {**state.seconds, "total": seconds},
        "validation": {stage: parts["validation"]["accuracy"] for stage, parts in state.stages.items()},
        "test": {stage: parts["test"]["accuracy"] for stage, parts in state.stages.items()},
        "n": {name: len(part.samples) for name, part in parts.items()},
    }


@dataclass(frozen=True, slots=True)
class Trainer:
    """Trains in a process of its own, with the next seed each time."""

    data: str
    settings: dict[str, Any]
    seeds: Sequence[int]
    plain: bool
    done: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self) -> float:
        """Train and return the seconds of the whole call."""
        seed = self.seeds[len(self.done) % len(self.seeds)]
        words = [
            "--once",
            json.dumps({"data": self.data, "plain": self.plain, "settings": {**self.settings, "seed": seed}}),
        ]
        run = subprocess.run([sys.executable, __file__, *words], stdout=subprocess.PIPE, text=True, check=True)
        result: dict[str, Any] = {"seed": seed, **json.loads(run.stdout.splitlines()[-1])}
        self.done.append(result)
        sys.stderr.write(
            f"{'plain Keras' if self.plain else 'gafas'}, seed {seed}: {result['seconds']['total']:.1f} s\n"
        )
        return float(result["seconds"]["total"])


def _rows(name: str, trainer: Trainer) -> list[str]:
    def median(group: str, key: str) -> float:
        return float(statistics.median(result[group][key] for result in trainer.done))

    seconds = [f"{median('seconds', stage):.1f}" for stage in _STAGES]
    accuracies = [f"{statistics.fmean(r['validation'][stage] for r in trainer.done):.4f}" for stage in _STAGES]
    return [name, *seconds, f"{median('seconds', 'total'):.1f}", *accuracies]


def main() -> None:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, help="pairs of trainings; default: one for each seed, at least 2")
    parser.add_argument("--seeds", type=int, nargs="+", default=[123456], help="one for each round, in turns")
    parser.add_argument("--smoke", action="store_true", help="drawn images, 3 epochs, one round")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write everything here")
    parser.add_argument("--once", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.once:
        task = json.loads(given.once)
        sys.stdout.write(json.dumps(train_once(task["data"], task["settings"], plain=task["plain"])) + "\n")
        return
    rounds = given.rounds or (1 if given.smoke else max(2, len(given.seeds)))
    settings = _SMOKE if given.smoke else {}
    with tempfile.TemporaryDirectory() as folder:
        data = find_data(Path(folder), smoke=given.smoke)
        reference, candidate = (Trainer(data, settings, given.seeds, plain) for plain in (True, False))
        pairs = paired(reference, candidate, rounds=rounds)
    n = candidate.done[0]["n"]
    rows = [_rows("plain Keras", reference), _rows("gafas", candidate)]
    headers = ["", *(f"{stage}, s" for stage in _STAGES), "whole call, s"]
    table = markdown([*headers, *(f"validation accuracy, {stage}" for stage in _STAGES)], rows)
    by_seed = markdown(
        ["seed", "plain Keras, tuned", "gafas, tuned"],
        [
            (r["seed"], f"{r['validation']['tuned']:.4f}", f"{c['validation']['tuned']:.4f}")
            for r, c in zip(reference.done, candidate.done, strict=True)
        ],
    )
    note = (
        f"{'drawn images' if data != 'cmu_faces' else 'CMU Face Images'}: {n['train']} training, {n['validation']} "
        f"validation images; {rounds} pairs; seconds are medians, accuracies means.\n"
        f"Whole call, gafas by plain Keras, median (minimum-maximum): {show_ratio(pairs)}; "
        f"{1 / pairs.ratio()[0]:.1f} times as fast."
    )
    payload = {
        "data": "drawn" if data != "cmu_faces" else "cmu_faces",
        "n": n,
        "rounds": rounds,
        "pairs": pairs.to_json(),
        "reference": reference.done,
        "candidate": candidate.done,
    }
    finish("training", f"{table}\n\nValidation accuracy by seed:\n\n{by_seed}\n\n{note}", payload, given.json)


if __name__ == "__main__":
    main()
