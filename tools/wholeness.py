"""Whether every file of an output is whole, and whether two outputs say the same."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gafas.bundle import MANIFEST, load_bundle
from gafas.errors import GafasError

LEFT_OUT = {"seconds", "ms_per_image", "files", "size", "shared_object_id"}
"""Keys of JSON whose values differ from run to run: times, places in memory, and what follows from both of them."""

_LAST = {".png": b"IEND\xaeB`\x82", ".jpg": b"\xff\xd9"}

PICTURES = {".png", ".jpg", ".pgm", ".bad"}


def visible_files(folder: Path) -> Iterator[Path]:
    """Yield every file under a final name: none that is hidden, or lies in a hidden folder."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def unfinished(folder: Path) -> list[str]:
    """Return what was being written in a folder, by its names."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".writing-*"))


def broken_files(folder: Path) -> list[str]:
    """Return each file under a final name that is not whole, with the reason; bundles are checked by their hashes."""
    broken = []
    for path in visible_files(folder):
        try:
            _read(path)
            if path.name == MANIFEST:
                load_bundle(path.parent)
        except (OSError, ValueError, SyntaxError, KeyError, GafasError, zipfile.BadZipFile, RuntimeError) as error:
            broken.append(f"{path.relative_to(folder)}: {type(error).__name__}: {error}")
    return broken


def differences(got: Path, want: Path, *, tolerance: float = 0.0) -> list[str]:
    """Return what two outputs do not agree in, a line for each file.

    Parameters
    ----------
    tolerance : float
        By how much a figure that a training gives may differ: in JSON, CSV, arrays and weights.
    """
    mine = {path.relative_to(got).as_posix(): path for path in visible_files(got)}
    theirs = {path.relative_to(want).as_posix(): path for path in visible_files(want)}
    found = [f"{name}: only in one of the two" for name in sorted(mine.keys() ^ theirs.keys())]
    return found + [
        f"{name}: differs"
        for name in sorted(mine.keys() & theirs.keys())
        if mine[name].read_bytes() != theirs[name].read_bytes()
        and not _agree(_read(mine[name]), _read(theirs[name]), tolerance)
    ]


def _agree(one: Any, other: Any, tolerance: float) -> bool:
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(
            key in LEFT_OUT or _agree(value, other[key], tolerance) for key, value in one.items()
        )
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_agree(a, b, tolerance) for a, b in zip(one, other, strict=True))
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray):
        return one.shape == other.shape and bool(np.allclose(one, other, rtol=0, atol=tolerance))
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= tolerance
    return bool(one == other)


def _read(path: Path) -> Any:
    """Read a file to its end as what its name says it is.

    Raises
    ------
    ValueError
        There is no way to tell whether such a file is whole.
    """
    kind = "picture" if path.suffix in PICTURES else path.suffix
    if kind not in _READERS:
        raise ValueError(f"no check is known for {path.suffix or 'a file without ending'}")
    return _READERS[kind](path)


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _csv(path: Path) -> Any:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    if not text.endswith("\n"):
        raise ValueError("the last line is not ended")
    rows = list(csv.reader(io.StringIO(text)))
    if len({len(row) for row in rows}) != 1:
        raise ValueError("a row has fewer cells than the header")
    return [[_number(cell) for cell in row] for row in rows]


def _number(cell: str) -> float | str:
    try:
        return float(cell)
    except ValueError:
        return cell


def _npz(path: Path) -> Any:
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return list(arrays.values())


def _keras(path: Path) -> Any:
    import h5py

    weights: dict[str, Any] = {}

    def keep(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset):
            weights[name] = np.asarray(item)

    with zipfile.ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"{damaged} in it is damaged")
        with h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
            file.visititems(keep)
        return {"config": json.loads(archive.read("config.json")), "weights": weights}


def _onnx(path: Path) -> Any:
    import onnx
    from onnxruntime import InferenceSession

    onnx.checker.check_model(onnx.load(path))
    # Its parts come in an order of their own at each export: what it answers is what counts.
    session = InferenceSession(path)
    image = session.get_inputs()[0]
    kind = np.uint8 if "uint8" in image.type else np.float32
    pixels = np.random.default_rng(1).integers(0, 256, (1, *image.shape[1:])).astype(kind)
    return np.asarray(session.run([session.get_outputs()[0].name], {image.name: pixels})[0])


def _tflite(path: Path) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    details = interpreter.get_input_details()[0]
    shape = [1, *details["shape"][1:]]
    interpreter.set_tensor(details["index"], np.full(shape, 90, details["dtype"]))
    interpreter.invoke()
    return np.asarray(interpreter.get_tensor(interpreter.get_output_details()[0]["index"]))


def _parquet(path: Path) -> Any:
    from pyarrow import parquet

    return parquet.read_table(path).to_pylist()


def _picture(path: Path) -> Any:
    # Pillow does without the last bytes of a picture.
    if path.suffix in _LAST and not path.read_bytes().endswith(_LAST[path.suffix]):
        raise ValueError("its end is missing")
    with Image.open(path) as picture:
        return np.asarray(picture)


def _text(path: Path) -> Any:
    text = path.read_text(encoding="utf-8")
    if not text.endswith("\n") and not text.rstrip().endswith("</html>"):
        raise ValueError("it does not end with a line")
    return text


_READERS: dict[str, Callable[[Path], Any]] = {
    ".json": _json,
    ".csv": _csv,
    ".npz": _npz,
    ".keras": _keras,
    ".onnx": _onnx,
    ".tflite": _tflite,
    ".parquet": _parquet,
    "picture": _picture,
    ".txt": _text,
    ".html": _text,
}
