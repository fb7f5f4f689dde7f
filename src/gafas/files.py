"""Writing that never leaves a half-written file under its final name. Standard library only."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from gafas.errors import OutputError
from gafas.interrupts import undisturbed
from gafas.locks import exchange, lock, unlock

MAX_JSON = 2**26
"""Bytes of a JSON file, 64 MiB; the split of a million photographs takes some 50."""

_UNFINISHED = ".writing-"
_LEFT_OVER = re.compile(re.escape(_UNFINISHED) + r"[a-z0-9_]{8}(\..*)?", re.DOTALL)

_LONGEST_SUFFIX = 16
"""Bytes; what is longer is no ending that a writer knows, and may be too long for a name."""

_swept: set[Path] = set()
"""Folders in which this process has looked for what others left."""


def require_free(path: Path, *, overwrite: bool) -> None:
    """Refuse an output that exists; what a killed process has left unfinished in a folder does not count.

    Raises
    ------
    OutputError
        `path` exists (a folder: and is not empty) and `overwrite` is false.
    """
    try:
        if overwrite or not path.exists() or (path.is_dir() and not any(map(_is_whole, path.iterdir()))):
            return
    except OSError as error:
        raise OutputError(f"{path}: cannot be looked at: {error.strerror or error}; name another output") from error
    raise OutputError(f"{path}: exists already; pass --overwrite to replace it, or name another output")


def _is_whole(path: Path) -> bool:
    return _LEFT_OVER.fullmatch(path.name) is None


def sweep(folder: Path) -> None:
    """Remove what killed processes have left unfinished in a folder; what a living one is writing stays.

    Raises
    ------
    OSError
    """
    for path in sorted(folder.glob(f"{_UNFINISHED}*")):
        if _is_whole(path):
            continue  # somebody else's
        try:
            handle = lock(path)
        except BlockingIOError:
            continue
        if handle is None:
            continue
        try:
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        finally:
            unlock(handle)


def _sweep_once(folder: Path) -> None:
    place = folder.absolute()
    if place not in _swept:
        _swept.add(place)
        with suppress(OSError):  # of somebody else, perhaps: no reason not to write
            sweep(folder)


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
    held: int | None = None
    try:
        # A rename would put a plain file in the place of /dev/null, or fail only after all the work.
        if path.exists() and not path.is_file():
            raise OutputError(f"{path}: is a {'folder' if path.is_dir() else 'device'}; name a file")
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_once(path.parent)
        with undisturbed():
            temporary, held = _make_unfinished(path, folder=False)
        yield temporary
        # mkstemp makes private files; results are for whoever the umask lets read.
        temporary.chmod(0o666 & ~_umask())
        with temporary.open("rb") as written:
            os.fsync(written.fileno())
        temporary.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: not written: {_reason(error, path)}") from error
    finally:
        with undisturbed():
            if temporary is not None:
                temporary.unlink(missing_ok=True)
            unlock(held)


def _make_unfinished(path: Path, *, folder: bool) -> tuple[Path, int | None]:
    """Make an empty file or folder beside `path`, locked so that nobody takes it for abandoned."""
    # The suffix stays at the end: some writers choose their format by it.
    suffix = path.suffix if len(os.fsencode(path.suffix)) <= _LONGEST_SUFFIX else ""
    while True:
        if folder:
            temporary = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=path.parent))
        else:
            handle, name = tempfile.mkstemp(prefix=_UNFINISHED, suffix=suffix, dir=path.parent)
            os.close(handle)
            temporary = Path(name)
        # Another process that sweeps this very moment may have taken it already: make another.
        with suppress(BlockingIOError):
            held = lock(temporary)
            if held is not None or temporary.exists():
                return temporary, held


@contextmanager
def write_folder_beside(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """Give a temporary folder beside `path`; it takes the name `path` when the block ends well.

    Raises
    ------
    OutputError
        `path` exists, before or after the block, and `overwrite` is false, or the folder was not written; see
        `write_beside`.
    """
    require_free(path, overwrite=overwrite)
    temporary: Path | None = None
    held: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep_once(path.parent)
        with undisturbed():
            temporary, held = _make_unfinished(path, folder=True)
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        # Another process may have been faster.
        require_free(path, overwrite=overwrite)
        _replace_folder(temporary, path)
    except OSError as error:
        raise OutputError(f"{path}: not written: {_reason(error, path)}") from error
    finally:
        with undisturbed():
            if temporary is not None:
                shutil.rmtree(temporary, ignore_errors=True)
            unlock(held)


def _replace_folder(new: Path, path: Path) -> None:
    if not path.exists():
        new.rename(path)
        return
    # A folder that holds files cannot be renamed over. Exchanged in one step, `path` names one of the two at any time.
    if exchange(new, path):
        return
    # Where the system cannot: move the old one aside first. Whoever is killed just here finds it there.
    aside = Path(tempfile.mkdtemp(prefix=".replaced-", dir=path.parent))
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
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        # A tree that was copied in part: the first file that failed, as the system said it.
        return re.sub(r"^\[Errno \d+\] |: '.*", "", str(error.args[0][0][2]), flags=re.DOTALL)
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
    """Write UTF-8 text atomically; a file name in it that is none keeps its own bytes."""
    with write_beside(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="surrogateescape")


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as CSV with a header, lines ended by a line feed on every system."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue()


def json_text(value: Any, *, indent: int | None = None) -> str:
    r"""Return JSON as UTF-8 can hold it: no NaN, and a file name that is none with escapes such as ``\udce9``."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON atomically: indented, keys as given, UTF-8, no NaN."""
    write_text(path, json_text(value, indent=2) + "\n")


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
        return parse_json(handle.read(MAX_JSON + 1))


def parse_json(data: bytes) -> Any:
    """Parse JSON that was read from a file.

    Raises
    ------
    ValueError
        As `read_json`.
    """
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
