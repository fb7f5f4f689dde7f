"""Compare trained models on the validation portraits under fixed conditions, and name the best.

    python tools/choose_model.py runs/first runs/second [...] [--json choice.json]

This, and nothing else, chooses what is shipped: the mean log loss of P(sunglasses) over the conditions of
`gafas.learn.conditions`, on the validation part of the data set; no picture of a test set takes part. All models must
have been trained with the same split.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from gafas.errors import UsageError
from gafas.files import write_json

if TYPE_CHECKING:
    from gafas.learn.conditions import Outcome
    from gafas.values import Split

MEANS = ("loss", "accuracy", "roc_auc", "clear_loss")


def judge(models: Sequence[Path], *, data: str) -> dict[str, list[Outcome]]:
    """Judge each model under each condition."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    from gafas.bundle import find_bundle
    from gafas.datasets.locate import load_dataset
    from gafas.learn.conditions import judge_conditions
    from gafas.learn.portraits import load_portraits
    from gafas.runtime.predictor import load_predictor

    validation = {tuple(_split_beside(find_bundle(model)).validation) for model in models}
    if len(validation) != 1:
        raise UsageError("the models were not trained with the same split: none can be chosen")
    dataset = load_dataset(data)
    wanted = set(validation.pop())
    samples = [sample for sample in dataset.at("full") if sample.path in wanted]
    portraits, _ = load_portraits(dataset, samples, size=112, margin=1.5)
    judged: dict[str, list[Outcome]] = {}
    for model in models:
        predictor = load_predictor(model, threads=0)
        judged[str(model)] = list(judge_conditions(predictor.score, portraits, threshold=predictor.threshold))
    return judged


def _split_beside(bundle: Path) -> Split:
    from gafas.datasets.splits import find_split, read_split

    found = find_split(bundle)
    if found is None:
        raise UsageError(f"{bundle}: no split.json beside it, so its validation part is not known")
    return read_split(found)


def means(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Return the mean of each figure over the conditions."""
    return {key: float(np.mean([getattr(one, key) for one in outcomes])) for key in MEANS}


def table(judged: Mapping[str, Sequence[Outcome]]) -> str:
    """Return log loss and accuracy by condition as a Markdown table, a pair of columns a model."""
    names = list(judged)
    lines = ["| condition | " + " | ".join(f"{name}: log loss | accuracy" for name in names) + " |"]
    lines.append("|---" * (1 + 2 * len(names)) + "|")
    for row in zip(*judged.values(), strict=True):
        cells = " | ".join(f"{one.loss:.4f} | {one.accuracy:.4f}" for one in row)
        lines.append(f"| {row[0].name} | {cells} |")
    overall = [means(outcomes) for outcomes in judged.values()]
    lines.append("| **mean** | " + " | ".join(f"{m['loss']:.4f} | {m['accuracy']:.4f}" for m in overall) + " |")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> None:
    """Read the command line and compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path)
    parser.add_argument("--data", default="celeba_glasses")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args(words)
    judged = judge(arguments.models, data=arguments.data)
    print(table(judged))
    overall: dict[str, Any] = {name: means(outcomes) for name, outcomes in judged.items()}
    for name, mean in overall.items():
        print(f"{name}: " + ", ".join(f"mean {key} {value:.4f}" for key, value in mean.items()))
    best = min(overall, key=lambda name: overall[name]["loss"])
    print(f"n = {next(iter(judged.values()))[0].n} portraits under each condition; the least mean log loss: {best}")
    if arguments.json is not None:
        rows = {name: [asdict(one) for one in outcomes] for name, outcomes in judged.items()}
        write_json(arguments.json, {"best": best, "means": overall, "conditions": rows})


if __name__ == "__main__":
    main()
