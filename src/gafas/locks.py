"""Locks that the system itself opens when their process ends, however it ends. Standard library only.

Windows, and file systems that know no such locks, have none: there nothing is held back, and what a killed process
left cannot be told from what a living one is writing.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from gafas.errors import OutputError
from gafas.interrupts import undisturbed

if sys.platform != "win32":
    import fcntl

LOCKS: bool = sys.platform != "win32"
"""Whether this system has locks at all."""

Key = tuple[int, int]
"""Device and number of a file or folder: the same under every name."""

_held: Counter[Key] = Counter()
"""How often this process holds each folder."""


def lock(path: Path) -> int | None:
    """Lock a file or folder; closing the handle, or the end of the process, unlocks it.

    Returns
    -------
    int or None
        The handle; ``None`` where `path` is gone, may not be opened, or cannot be locked on this system.

    Raises
    ------
    BlockingIOError
        Another handle has the lock.
    """
    if sys.platform == "win32" or not LOCKS:
        return None
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if isinstance(error, BlockingIOError):
            raise
        return None
    # Whoever had it may have moved or removed it before letting go.
    if _key(path) != _key(handle):
        os.close(handle)
        return None
    return handle


def unlock(handle: int | None) -> None:
    """Open a lock again."""
    if handle is not None:
        os.close(handle)


@contextmanager
def hold_folder(folder: Path) -> Iterator[None]:
    """Make a folder where it is missing, and keep other processes out that ask to hold it; writes nothing into it.

    The same process may hold it several times. A folder that was made here and is still empty is removed again.

    Raises
    ------
    OutputError
        Another process holds it, or it cannot be made.
    """
    made: Sequence[Path] = ()
    counted: Key | None = None
    handle: int | None = None
    try:
        with undisturbed():
            made = _make(folder)
            key = _key(folder)
            handle = None if key in _held else _lock_or_refuse(folder)
            if key is not None:
                _held[key] += 1
                counted = key
        yield
    finally:
        with undisturbed():
            if counted is not None:
                _held[counted] -= 1
                if not _held[counted]:
                    del _held[counted]
            _remove_empty(made)
            unlock(handle)


def _lock_or_refuse(folder: Path) -> int | None:
    try:
        return lock(folder)
    except BlockingIOError as error:
        raise OutputError(
            f"{folder}: another gafas is writing into it; wait until it has ended, or name another output"
        ) from error


def _make(folder: Path) -> Sequence[Path]:
    """Make a folder and return what had to be made for it, the deepest first."""
    try:
        missing = [path for path in (folder, *folder.parents) if not path.exists()]
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OutputError(f"{folder}: not written: is a file; name a folder") from error
    except OSError as error:
        raise OutputError(f"{folder}: not written: {error.strerror or error}") from error
    return missing


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return  # something was written into it


def _key(path: Path | int) -> Key | None:
    try:
        found = os.stat(path)  # noqa: PTH116  # of a handle, too
    except OSError:
        return None
    return found.st_dev, found.st_ino


def exchange(one: Path, other: Path) -> bool:
    """Let two paths exchange what they name, in one step; false where that cannot be done and nothing has changed."""
    if os.name != "posix":
        return False
    import ctypes

    library = ctypes.CDLL(None)
    first, second = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):  # Linux: AT_FDCWD is -100, RENAME_EXCHANGE is 2
        return bool(library.renameat2(-100, first, -100, second, 2) == 0)
    if hasattr(library, "renamex_np"):  # macOS: RENAME_SWAP is 2
        return bool(library.renamex_np(first, second, 2) == 0)
    return False
