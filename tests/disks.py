"""Places where nothing can be written: a full disk, a read-only one, somebody else's folder, one that another holds."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534

HOLD = (
    "import sys; from pathlib import Path; from gafas.locks import hold_folder\n"
    "with hold_folder(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
)

_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH = 1, 2


@contextmanager
def small_disk(folder: Path, *, size: str = "1m") -> Iterator[Path]:
    """Mount an empty disk of so many bytes; skips where mounting is not permitted."""
    folder.mkdir(parents=True, exist_ok=True)
    words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    if shutil.which("mount") is None:
        pytest.skip("needs a disk of its own: there is no mount here")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"needs a disk of its own: mount is not permitted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, leave: int = 0) -> Path:
    """Fill a disk up to the last pages; return the file that does."""
    filler = disk / "filler"
    room = os.statvfs(disk)
    filler.write_bytes(b"x" * (room.f_bavail * room.f_bsize - leave))
    return filler


@contextmanager
def read_only(disk: Path) -> Iterator[Path]:
    """Make a mounted disk read-only for a while."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


@contextmanager
def somebody_elses(folder: Path) -> Iterator[Path]:
    """Make a folder that this process may only read; root, whom no mode binds, gives that up meanwhile."""
    folder.mkdir(mode=0o555)
    try:
        if os.geteuid() != 0:
            yield folder
            return
        os.chown(folder, NOBODY, NOBODY)
        with _bound_by_modes():
            yield folder
    finally:
        folder.chmod(0o755)


@contextmanager
def _bound_by_modes() -> Iterator[None]:
    """Give up, in this thread and those that it starts, what lets root write anywhere; see capabilities(7)."""
    library = ctypes.CDLL(None, use_errno=True)
    if not hasattr(library, "capset"):
        pytest.skip("needs Linux's capabilities, to be bound by modes as root")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable: low words, then high ones
    assert library.capget(header, sets) == 0
    before = sets[0]
    sets[0] = before & ~(1 << _CAP_DAC_OVERRIDE | 1 << _CAP_DAC_READ_SEARCH)
    assert library.capset(header, sets) == 0
    try:
        yield
    finally:
        sets[0] = before
        assert library.capset(header, sets) == 0


@contextmanager
def held_by_another(folder: Path) -> Iterator[None]:
    """Let another process hold a folder, until it is killed."""
    words = [sys.executable, "-c", HOLD, str(folder)]
    other = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        yield
    finally:
        other.kill()
        other.communicate()
