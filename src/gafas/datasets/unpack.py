"""Unpacking archives that nobody vouches for: no path outside, no links, no bombs.

Every byte is counted as it is written, so that a header that lies about sizes gains nothing.
"""

from __future__ import annotations

import bz2
import errno
import gzip
import io
import lzma
import stat
import struct
import tarfile
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, Protocol

from gafas.errors import DataError

MAX_BYTES = 1 << 29
"""512 MiB; the CMU Face Images take 31 MB, and once more as the tar inside the zip."""

MAX_MEMBERS = 20_000

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")

_CHUNK = 1 << 16
_ZIP_END = 22
"""Bytes of a zip's last record."""

_ZIP_ENTRY = 302
"""Bytes of a zip's directory for each member: 46, its name and what else belongs to it."""

_DAMAGED = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    struct.error,
    NotImplementedError,  # a compression method that zipfile does not know
    RuntimeError,  # an encrypted member
    UnicodeError,
    ValueError,  # a NUL in a name
)


class Readable(Protocol):
    """What decompressors have in common."""

    def read(self, size: int = -1, /) -> bytes: ...  # noqa: D102


class Budget:
    """What may still be unpacked, in bytes and members, shared by an archive and the archives inside it."""

    def __init__(self, *, max_bytes: int = MAX_BYTES, max_members: int = MAX_MEMBERS) -> None:
        self.max_bytes, self.max_members = max_bytes, max_members
        self._bytes = self._members = 0

    def spend_bytes(self, count: int) -> None:
        """Count bytes that come out of an archive; DataError when there are too many."""
        self._bytes += count
        if self._bytes > self.max_bytes:
            raise DataError(f"unpacks to more than {self.max_bytes:,} bytes; this is not the data set")

    def spend_member(self) -> None:
        """Count one member; DataError when there are too many."""
        self._members += 1
        if self._members > self.max_members:
            raise DataError(f"holds more than {self.max_members:,} members; this is not the data set")


class _Target:
    """The folder that is unpacked into, and the names that are taken there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._taken: dict[str, str] = {}

    def place(self, name: str) -> Path:
        """Return where a member belongs; DataError where that is outside, or depends on the file system."""
        # Backslashes and drive letters are paths on Windows, whatever the archive meant.
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or ":" in name:
            raise DataError(f"{name!r} leads out of the folder; refused")
        # Some systems take names for the same that differ by case or by how an accent is written.
        same = unicodedata.normalize("NFC", str(pure)).casefold()
        if self._taken.setdefault(same, str(pure)) != str(pure):
            raise DataError(f"{name!r} and {self._taken[same]!r} are the same file on some systems; refused")
        return self._folder.joinpath(*pure.parts)


def unpack(archive: Path, target: Path, *, budget: Budget | None = None) -> None:
    """Unpack a zip or tar archive (plain, gzip, bzip2, xz) into the folder `target`.

    What it is is told by its first bytes, not by its name.

    Raises
    ------
    DataError
        Not an archive, damaged, or unsafe: an absolute or climbing path, a link, a device, a file with holes, two
        members of one name, names that differ by case only, too many members or bytes. The message begins with the
        archive's path.
    """
    budget = budget or Budget()
    try:
        with archive.open("rb") as handle:
            _unpack_handle(handle, target, budget)
    except DataError as error:
        raise DataError(f"{archive}: {error}") from error
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise DataError(f"{archive}: two members want the same path: {error.filename}") from error
    except _DAMAGED as error:
        raise DataError(f"{archive}: damaged or truncated archive: {error}; get it again") from error
    except OSError as error:
        # A place before the file's beginning, and a name that no file can have.
        if error.errno not in (errno.EINVAL, errno.ENAMETOOLONG):
            raise
        raise DataError(f"{archive}: damaged or truncated archive: {error.strerror}; get it again") from error


def _unpack_handle(handle: BinaryIO, folder: Path, budget: Budget) -> None:
    start = handle.read(6)
    handle.seek(0)
    folder.mkdir(parents=True, exist_ok=True)
    target = _Target(folder)
    if start.startswith(b"PK"):
        _unpack_zip(handle, target, budget)
    elif start.startswith(b"\x1f\x8b"):
        with gzip.open(handle) as stream:
            _unpack_tar(stream, target, budget)
    elif start.startswith(b"BZh"):
        with bz2.open(handle) as stream:
            _unpack_tar(stream, target, budget)
    elif start.startswith(b"\xfd7zXZ\0"):
        with lzma.open(handle) as stream:
            _unpack_tar(stream, target, budget)
    elif start:
        _unpack_tar(handle, target, budget)
    else:
        raise DataError("the file is empty (0 bytes)")


def _unpack_zip(handle: BinaryIO, target: _Target, budget: Budget) -> None:
    _check_directory(handle, budget)
    with zipfile.ZipFile(handle) as archive:
        for member in archive.infolist():
            budget.spend_member()
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise DataError(f"{member.filename!r} is a link or a device; refused")
            if not member.filename:
                raise DataError("a member without a name; damaged or truncated archive, get it again")
            path = target.place(member.filename)
            if member.is_dir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            with archive.open(member) as source:
                _write(source, path, budget)


def _check_directory(handle: BinaryIO, budget: Budget) -> None:
    """Refuse a zip whose directory is long: zipfile makes an object of each entry before it gives the first."""
    length = handle.seek(0, 2)
    handle.seek(max(0, length - _ZIP_END - 2**16))
    tail = handle.read()
    place = tail.rfind(b"PK\5\6")
    if place >= 0 and len(tail) - place >= _ZIP_END:
        (size,) = struct.unpack_from("<L", tail, place + 12)
        if tail[max(0, place - 20) :].startswith(b"PK\6\7"):
            # Its own record says it in 64 bits.
            handle.seek(min(struct.unpack_from("<Q", tail, place - 12)[0], length))
            (size,) = struct.unpack_from("<Q", handle.read(56), 40)
        if size > _ZIP_ENTRY * budget.max_members:
            raise DataError(f"holds more than {budget.max_members:,} members; this is not the data set")
    handle.seek(0)


def _unpack_tar(stream: Readable, target: _Target, budget: Budget) -> None:
    # A stream ("r|"), because every byte then passes _Counted, those of headers included.
    counted = _Counted(stream, budget)
    with tarfile.open(fileobj=counted, mode="r|") as archive:
        for member in archive:
            budget.spend_member()
            if not (member.isfile() or member.isdir()):
                raise DataError(f"{member.name!r} is a link or a device; refused")
            if member.issparse():
                # Its holes are bytes that come out of no stream and that nothing has counted.
                raise DataError(f"{member.name!r} is a file with holes; refused")
            path = target.place(member.name)
            if member.isdir():
                path.mkdir(parents=True, exist_ok=True)
                continue
            source = archive.extractfile(member)
            if source is not None:
                _write(source, path, None)
    # The checksum of a compressed stream stands at its end, behind what tarfile reads.
    for _ in _chunks(counted):
        pass


class _Counted(io.RawIOBase):
    """A reader that pays for each byte from a budget."""

    def __init__(self, stream: Readable, budget: Budget) -> None:
        self._stream, self._budget = stream, budget

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._budget.spend_bytes(len(data))
        return data


def _write(source: IO[bytes], path: Path, budget: Budget | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # "x": a second member of the same name never replaces the first.
    with path.open("xb") as handle:
        for chunk in _chunks(source):
            if budget:
                budget.spend_bytes(len(chunk))
            handle.write(chunk)


def _chunks(source: Readable) -> Iterator[bytes]:
    while chunk := source.read(_CHUNK):
        yield chunk
