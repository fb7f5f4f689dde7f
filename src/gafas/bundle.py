"""A model bundle: a folder with ``manifest.json`` and model files, each with its SHA-256.

Loading checks the hashes. Nothing is ever unpickled. A bundle is enough to use a model with no
further knowledge.
"""

from __future__ import annotations

import reprlib
import sys
from collections.abc import Callable
from dataclasses import MISSING, asdict, dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any

from gafas.errors import BundleError
from gafas.files import read_json, sha256, write_json
from gafas.values import LABELS

FORMAT_VERSION = 1
MANIFEST = "manifest.json"

MAX_SIDE = 4096
"""Pixels of a side of a model's input; an image is stretched to it whatever its own size."""

MAX_FILES = 10_000
"""Files that a manifest may list."""

ONNX = "model.onnx"
ONNX_INT8 = "model-int8.onnx"
TFLITE = "model.tflite"
TFLITE_FULL = "model-full.tflite"
KERAS = "model.keras"
SAVED_MODEL = "saved_model"
WEIGHTS = "model.weights.h5"

SHIPPED = "gafas-base"
"""Name of the bundle that is taken where no other is named."""

CARRIED = (SHIPPED, "gafas-nano")
"""Names of all bundles that the package carries."""

HELD_OUT = "held-out CelebA"
"""Where the metrics of a shipped bundle hold the figures on its own test part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a bundle says of itself.

    Attributes
    ----------
    name, architecture : str
        For people.
    input_size : (int, int)
        Height and width in pixels of the model's input: RGB, 0-255, scaling is inside the graph.
    outputs : tuple of str
        The attributes whose probabilities the graph gives, in order; the first is ``sunglasses``.
    labels : tuple of str
        Names of the classes 0 and 1 of ``sunglasses``.
    threshold : float
        P(sunglasses) from which a region is labelled ``sunglasses``; never chosen on test data.
    eyeglasses_threshold : float or None
        P(eyeglasses) from which clear glasses are said to be worn; ``None`` where the model does not know them.
    region : {"whole", "face"}
        What the model was trained on: whole images, or squares around faces.
    margin : float
        With ``face``: the square's side, in long sides of the detector's box.
    temperature : float
        What the logits were divided by before the sigmoid inside the graph; 1 when not calibrated.
    training : dict
        Data set, recipe, seed and counts.
    metrics : dict
        Figures with their n and interval.
    licences : tuple of str
        What a user of the model must know of the licences of its data and weights.
    exports : dict
        For each exported format, how it agrees with the trained model.
    files : dict
        Path inside the bundle → SHA-256.
    """

    name: str
    architecture: str
    input_size: tuple[int, int]
    outputs: tuple[str, ...] = ("sunglasses",)
    labels: tuple[str, str] = ("no_sunglasses", "sunglasses")
    threshold: float = 0.5
    eyeglasses_threshold: float | None = None
    region: str = "whole"
    margin: float = 1.3
    temperature: float = 1.0
    training: dict[str, Any] = field(default_factory=dict)
    metrics: dict[str, Any] = field(default_factory=dict)
    licences: tuple[str, ...] = ()
    exports: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    format_version: int = FORMAT_VERSION


@dataclass(frozen=True, slots=True)
class Bundle:
    """A manifest and the folder that it describes."""

    folder: Path
    manifest: Manifest

    def file(self, name: str) -> Path:
        """Return the path of one of the bundle's model files (or of its ``saved_model`` folder).

        Raises
        ------
        BundleError
            The bundle does not have it.
        """
        if name not in {listed.split("/")[0] for listed in self.manifest.files}:
            have = ", ".join(sorted({listed.split("/")[0] for listed in self.manifest.files})) or "nothing"
            step = "it holds no Keras model to export" if name == KERAS else "make it with: gafas export RUN"
            raise BundleError(f"{self.folder}: has no {name}, only {have}; {step}")
        return self.folder / name


def shipped_bundle(name: str = SHIPPED) -> Path:
    """Return the folder of a bundle that the package carries."""
    return Path(str(resources.files("gafas") / "assets" / name))


def find_bundle(path: Path) -> Path:
    """Return the bundle folder that `path` means: the folder itself, ``bundle/`` of a run, or a shipped one's name.

    Raises
    ------
    BundleError
        There is no manifest at either place.
    """
    places = [path, path / "bundle"]
    if len(path.parts) == 1 and not path.exists():
        places.append(shipped_bundle(path.name))
    for folder in places:
        if (folder / MANIFEST).is_file():
            return folder
    raise BundleError(f"{path}: expected a bundle or run folder with {MANIFEST}, got none; train one: gafas train")


def load_bundle(path: str | Path, *, verify: bool = True) -> Bundle:
    """Read a bundle and check every file's SHA-256.

    Raises
    ------
    BundleError
        No manifest, a newer format, a missing or changed file, or a path outside the folder.
    """
    folder = find_bundle(Path(path))
    manifest = _read_manifest(folder / MANIFEST)
    for name, want in manifest.files.items():
        _check_file(folder, name, want if verify else None)
    return Bundle(folder, manifest)


def _read_manifest(path: Path) -> Manifest:
    try:
        raw = read_json(path)
    except (OSError, ValueError) as error:
        raise BundleError(f"{path}: cannot be read as JSON: {error}; export the model again") from error
    if not isinstance(raw, dict):
        raise BundleError(f"{path}: expected a JSON object, got {type(raw).__name__}")
    version = raw.get("format_version")
    if not isinstance(version, int) or version < 1:
        raise BundleError(f"{path}: not a gafas bundle: format_version is {version!r}, not {FORMAT_VERSION}")
    if version > FORMAT_VERSION:
        raise BundleError(
            f"{path}: format_version {version} is newer than {FORMAT_VERSION}, the newest this gafas reads; "
            "upgrade with: pip install -U gafas"
        )
    required = {f.name for f in fields(Manifest) if f.default is MISSING and f.default_factory is MISSING}
    if missing := sorted(required - raw.keys()):
        raise BundleError(f"{path}: has no {', '.join(missing)}; export the model again")
    known = {f.name for f in fields(Manifest)}
    values: dict[str, Any] = {key: value for key, value in raw.items() if key in known}
    for key, (expected, fits) in _EXPECTED.items():
        if key in values and not fits(values[key]):
            raise BundleError(
                f"{path}: {key}: expected {expected}, got {reprlib.repr(values[key])}; export the model again"
            )
        if isinstance(values.get(key), list):
            values[key] = tuple(values[key])
    return Manifest(**values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= sys.float_info.max


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _is_size(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(type(side) is int and 0 < side <= MAX_SIDE for side in value)
    )


def _is_hashes(value: Any) -> bool:
    return isinstance(value, dict) and len(value) <= MAX_FILES and all(isinstance(d, str) for d in value.values())


_TEXT = ("text", lambda value: isinstance(value, str))
_OBJECT = ("an object", lambda value: isinstance(value, dict))
_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "name": _TEXT,
    "architecture": _TEXT,
    "input_size": (f"[height, width] in pixels, at most {MAX_SIDE}", _is_size),
    "outputs": ("a list, sunglasses first", lambda value: _is_words(value) and value[:1] == ["sunglasses"]),
    # Everything above reads the score as P(sunglasses): another order would turn every answer round.
    "labels": (str(list(LABELS)), lambda value: value == list(LABELS)),
    "threshold": ("a number from 0 to 1", lambda value: _is_number(value) and 0 <= value <= 1),
    "eyeglasses_threshold": (
        "a number from 0 to 1",
        lambda value: value is None or (_is_number(value) and 0 <= value <= 1),
    ),
    "region": ("whole or face", lambda value: value in ("whole", "face")),
    "margin": ("a number from 1 to 4", lambda value: _is_number(value) and 1 <= value <= 4),
    "temperature": ("a number above 0", lambda value: _is_number(value) and value > 0),
    "training": _OBJECT,
    "metrics": _OBJECT,
    "licences": ("a list of texts", _is_words),
    "exports": _OBJECT,
    "files": (f"path → sha256, at most {MAX_FILES:,}", _is_hashes),
}


def _check_file(folder: Path, name: str, want: str | None) -> None:
    path = folder / name
    try:
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BundleError(f"{folder}: the manifest names {name}, which lies outside the bundle; do not trust it")
        if not path.is_file():
            raise BundleError(f"{path}: missing, although the manifest lists it; export the model again")
        if want is not None and (got := sha256(path)) != want:
            raise BundleError(f"{path}: sha256 {got[:12]}, manifest says {want[:12]}; export the model again")
    except (OSError, ValueError, RuntimeError) as error:  # a name with a null byte, a loop of links
        raise BundleError(f"{path}: cannot be read: {error}; export the model again") from error


def save_manifest(folder: Path, manifest: Manifest) -> Bundle:
    """Write ``manifest.json`` with the SHA-256 of every other file now in `folder`."""
    files = {
        path.relative_to(folder).as_posix(): sha256(path)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != MANIFEST and not path.name.startswith(".")
    }
    manifest = replace(manifest, files=files)
    write_json(folder / MANIFEST, asdict(manifest))
    return Bundle(folder, manifest)
