"""Files on this machine and at addresses that pyarrow knows: ``s3://``, ``gs://``, ``file://`` and others."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from gafas.errors import DataError, MissingExtraError, OutputError, UsageError
from gafas.files import write_beside

_ADDRESS = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")
_KEYS = re.compile(r"^(\w[\w+.-]*://)[^/]*@")
_OPTIONS = re.compile(r"\?(\w+=[^?/]*)$")
_PUTS_WHOLE = frozenset({"s3", "gs", "gcs"})
"""Where an object appears only when all of it has arrived, so that nothing has to be renamed."""


def need_arrow() -> Any:
    """Return pyarrow with its file systems and Parquet.

    Raises
    ------
    MissingExtraError
        It is not installed.
    """
    try:
        import pyarrow
        import pyarrow.fs
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("a job in blocks", "scale") from error
    return pyarrow


def is_address(word: str) -> bool:
    """Whether a word begins with ``scheme://``."""
    return _ADDRESS.match(word) is not None


@dataclass(frozen=True, slots=True)
class Place:
    """A file or folder.

    Attributes
    ----------
    root : str
        Opens the file system: ``s3://key:secret@bucket?endpoint_override=…``; empty for this machine.
    path : str
        On that file system: ``bucket/folder/file``, or ``/folder/file`` where it has no buckets.
    """

    root: str
    path: str

    @property
    def scheme(self) -> str:
        """Of the address; empty for this machine."""
        return self.root.partition("://")[0].lower() if self.root else ""

    @property
    def shown(self) -> str:
        """As it is reported: without what opens the file system, which may hold keys."""
        return _without_keys(_without_options(self)) if self.root else self.path

    @property
    def filesystem(self) -> Any:
        """The file system of pyarrow, opened once in each process."""
        return _open(self.root)

    def at(self, path: str) -> Place:
        """Return another path on the same file system."""
        return Place(self.root, path)

    def __truediv__(self, name: str) -> Place:
        return self.at(f"{self.path.rstrip('/')}/{name}")

    def read(self) -> bytes:
        """Return the whole file; `OSError` where that fails."""
        if not self.root:
            return Path(self.path).read_bytes()
        with self.filesystem.open_input_stream(self.path, compression=None) as stream:
            return bytes(stream.read())

    def write(self, data: bytes) -> None:
        """Write the whole file; it appears under its name when it is complete, or not at all.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        if not self.root:
            with write_beside(Path(self.path)) as temporary:
                temporary.write_bytes(data)
            return
        target = self.path if self.scheme in _PUTS_WHOLE else f"{self.path}.writing"
        try:
            with self.filesystem.open_output_stream(target, compression=None) as stream:
                stream.write(data)
            if target != self.path:
                self.filesystem.move(target, self.path)
        except OSError as error:
            raise OutputError(f"{self.shown}: not written: {error}") from error

    def names(self) -> set[str]:
        """Return the names in a folder; none where there is no such folder.

        Raises
        ------
        OutputError
            It cannot be looked at, or is a file.
        """
        selector = need_arrow().fs.FileSelector(self.path, allow_not_found=True)
        try:
            return {info.base_name for info in self.filesystem.get_file_info(selector)}
        except OSError as error:
            raise OutputError(f"{self.shown}: cannot be looked at: {error}; name another folder") from error

    def make_folder(self) -> None:
        """Make a folder and those above it.

        Raises
        ------
        OutputError
            It cannot be made.
        """
        # A bucket has no folders: the names of its objects make them.
        if self.scheme in _PUTS_WHOLE:
            return
        try:
            self.filesystem.create_dir(self.path, recursive=True)
        except OSError as error:
            raise OutputError(f"{self.shown}: not made: {error}") from error


def find_place(word: str) -> Place:
    """Return what a path or an address means; nothing is looked at yet.

    Raises
    ------
    UsageError
        An address of a kind that pyarrow does not know.
    """
    if not is_address(word):
        return Place("", word)
    scheme, _, rest = word.partition("://")
    found = _OPTIONS.search(rest)
    options = f"?{found[1]}" if found else ""
    path = rest[: found.start()] if found else rest
    host, slash, below = path.partition("/")
    if scheme.lower() in _PUTS_WHOLE:
        bucket = host.rpartition("@")[2]
        return Place(f"{scheme}://{host}{options}", f"{bucket}{slash}{below}".rstrip("/"))
    if scheme.lower() == "file":
        return Place("file:///", path)
    return Place(f"{scheme}://{host}/{options}", slash + below)


def address_of(place: Place) -> str:
    """Return the word that `find_place` reads as `place`, in whatever folder a worker runs."""
    if not place.root:
        return os.path.abspath(place.path)  # noqa: PTH100  # a link stays as it is
    _, mark, options = place.root.partition("?")
    return f"{_without_options(place)}{mark}{options}"


def _without_options(place: Place) -> str:
    host = place.root.partition("?")[0].removesuffix("/")
    bucket = place.path.partition("/")[0] if place.scheme in _PUTS_WHOLE else ""
    return host + place.path[len(bucket) :]


def _without_keys(address: str) -> str:
    """Leave out what stands before the host: ``key:secret@``."""
    return _KEYS.sub(r"\1", address)


@cache
def _open(root: str) -> Any:
    fs = need_arrow().fs
    if not root:
        return fs.LocalFileSystem()
    shown = _without_keys(root.partition("?")[0])
    try:
        filesystem, _ = fs.FileSystem.from_uri(root)
    except (ValueError, NotImplementedError, OSError) as error:
        # pyarrow names the address, keys included.
        told = str(error).replace(root, shown)
        if isinstance(error, OSError):
            raise DataError(f"{shown}: cannot be reached: {told}") from error
        raise UsageError(f"{shown}: expected an address such as s3://bucket/folder, got: {told}") from error
    return filesystem
