"""Writing that never leaves a half-written file under its final name. Standard library only."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gafas.errors import OutputError

MAX_JSON = 2**26
"""Bytes of a JSON file, 64 MiB; the split of a million photographs takes some 50."""

_UNFINISHED = ".writing-"


def require_free(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that exists.

    Raises
    ------
    OutputError
        `path` exists (a folder: and is not empty) and `overwrite` is false.
    """
    try:
        if overwrite or not path.exists() or (path.is_dir() and not any(path.iterdir())):
            return
    except OSError as error:
        raise OutputError(f"{path}: cannot be looked at: {error.strerror or error}; name another output") from error
    raise OutputError(f"{path}: exists already; pass --overwrite to replace it, or name another output")


@contextmanager
def write_beside(path: Path) -> Iterator[Path]:
    """Give a temporary path in the folder of `path`; rename it to `path` when the block ends well.

    The temporary file is removed when the block fails, so an earlier `path` stays as it was.

    Raises
    ------
    OutputError
        The file was not written: no permission, no space, no such place, a folder or a device of that name,
        or the block failed reading something else, which the message then names.
    """
    temporary: Path | None = None
    try:
        # A rename would put a plain file in the place of /dev/null, or fail only after all the work.
        if path.exists() and not path.is_file():
            raise OutputError(f"{path}: is a {'folder' if path.is_dir() else 'device'}; name a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        # The suffix stays at the end: some writers choose their format by it.
        handle, name = tempfile.mkstemp(prefix=_UNFINISHED, suffix=path.suffix, dir=path.parent)
        os.close(handle)
        temporary = Path(name)
        yield temporary
        # mkstemp makes private files; results are for whoever the umask lets read.
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: not written: {_reason(error, path)}") from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextmanager
def write_folder_beside(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `path`; it takes the name `path` when the block ends well.

    Raises
    ------
    OutputError
        `path` exists and `overwrite` is false, or the folder was not written; see `write_beside`.
    """
    require_free(path, overwrite=overwrite)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{path.name}-", dir=path.parent))
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        _replace_folder(temporary, path)
    except OSError as error:
        raise OutputError(f"{path}: not written: {_reason(error, path)}") from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _replace_folder(new: Path, path: Path) -> None:
    # A folder that holds files cannot be renamed over: move the old one aside first, so that
    # one of the two always stands under a complete name.
    if not path.exists():
        new.rename(path)
        return
    aside = Path(tempfile.mkdtemp(prefix=f".replaced-{path.name}-", dir=path.parent))
    try:
        path.rename(aside / path.name)
        new.rename(path)
    except BaseException:
        if not path.exists():
            (aside / path.name).rename(path)
        # Not rmtree: what could not be put back must not be lost.
        aside.rmdir()
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _reason(error: OSError, path: Path) -> str:
    """Say what failed; names the file when it is another than the one being written."""
    words = error.strerror or str(error)
    # A copy that failed carries both names, and does not say which of the two it was.
    ours = any(_UNFINISHED in str(name) for name in (error.filename, error.filename2))
    if ours or error.filename is None or str(error.filename) == str(path):
        return words
    return f"{error.filename}: {words}"


def _umask() -> int:
    # The umask can only be read by setting it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV with a header, lines ended by a line feed on every system."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: indented, keys as given, UTF-8, no NaN."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON as `write_json` writes it.

    Raises
    ------
    OSError
        The file cannot be read.
    ValueError
        It is no JSON, holds NaN or infinity, is nested deeper than Python's stack, or has more than `MAX_JSON` bytes.
    """
    with path.open("rb") as handle:
        data = handle.read(MAX_JSON + 1)
    if len(data) > MAX_JSON:
        raise ValueError(f"more than {MAX_JSON:,} bytes")
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON number")


def sha256(path: Path) -> str:
    """Return the hexadecimal SHA-256 of a file."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()
