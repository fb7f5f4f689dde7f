"""What is fuzzed: bytes in, and either an answer that keeps its promise or an error that gafas raises on purpose."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from gafas.bundle import MANIFEST, Bundle, Manifest, load_bundle
from gafas.datasets.cmu import parse_name, parse_path
from gafas.datasets.splits import split_from_json
from gafas.datasets.unpack import Budget, unpack
from gafas.errors import BundleError, DataError, GafasError, ImageError
from gafas.imaging import decode, memory_of, pixels_of
from gafas.runtime.sources import film_kind, hide_password

Target = Callable[[bytes], None]

MAX_PIXELS = 200_000
"""Larger pictures are refused here, so that a run takes microseconds: what size costs, `make hostile` measures."""


def fuzz_image(data: bytes) -> None:
    """The decoder's path: structure, header, pixels, orientation."""
    known = pixels_of(io.BytesIO(data))
    try:
        image = decode(data, max_pixels=MAX_PIXELS)
    except ImageError as error:
        _require_words(error)
        return
    assert image.dtype == np.uint8
    assert image.ndim == 3
    assert image.shape[2] == 3
    assert image.flags.c_contiguous
    assert image.shape[0] * image.shape[1] == known
    assert memory_of(io.BytesIO(data)) >= 7 * known


@cache
def _folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="gafas-fuzz-"))


def fuzz_manifest(data: bytes) -> None:
    """A bundle whose manifest somebody else wrote."""
    (_folder() / MANIFEST).write_bytes(data)
    try:
        bundle = load_bundle(_folder())
    except BundleError as error:
        _require_words(error)
        return
    _check_manifest(bundle.manifest)
    _check_files(bundle)


def _check_manifest(manifest: Manifest) -> None:
    assert 0 <= manifest.threshold <= 1
    assert manifest.eyeglasses_threshold is None or 0 <= manifest.eyeglasses_threshold <= 1
    assert manifest.outputs[0] == "sunglasses"
    assert manifest.region in ("whole", "face")
    assert 0 < manifest.temperature < float("inf")
    assert all(0 < side <= 4096 for side in manifest.input_size)
    hash(manifest.labels)


def _check_files(bundle: Bundle) -> None:
    for name in bundle.manifest.files:
        assert (bundle.folder / name).resolve().is_relative_to(bundle.folder.resolve())
    try:
        bundle.file("model.onnx")
    except BundleError as error:
        _require_words(error)


def fuzz_name(data: bytes) -> None:
    """The CMU names' grammar, and what a word on the command line means."""
    text = data.decode("utf-8", "surrogateescape")
    for parse in (parse_name, parse_path):
        try:
            sample = parse(text)
        except DataError as error:
            _require_words(error)
            continue
        assert sample.path == text
        assert sample.label in ("sunglasses", "no_sunglasses")
        assert sample.person is not None
        assert "/" not in sample.person
        assert ".." not in sample.person
    film_kind(text)
    try:
        hide_password(text)
    except GafasError as error:
        _require_words(error)


def fuzz_split(data: bytes) -> None:
    """A run's split.json."""
    try:
        raw: Any = json.loads(data)
    except (ValueError, RecursionError):
        return
    try:
        split_from_json(raw)
    except DataError as error:
        _require_words(error)


def fuzz_archive(data: bytes) -> None:
    """An archive from a server, into a folder that is looked at afterwards."""
    with tempfile.TemporaryDirectory() as scratch:
        (Path(scratch) / "archive").write_bytes(data)
        try:
            unpack(Path(scratch) / "archive", Path(scratch) / "out", budget=Budget(max_bytes=100_000, max_members=50))
        except DataError as error:
            _require_words(error)
        assert {path.name for path in Path(scratch).iterdir()} <= {"archive", "out"}
        written = [path for path in (Path(scratch) / "out").rglob("*") if path.is_file()]
        assert sum(path.stat().st_size for path in written) <= 100_000
        assert not any(path.is_symlink() for path in written)


def _require_words(error: GafasError) -> None:
    assert len(str(error)) > 5


TARGETS: dict[str, Target] = {
    "image": fuzz_image,
    "manifest": fuzz_manifest,
    "name": fuzz_name,
    "split": fuzz_split,
    "archive": fuzz_archive,
}
