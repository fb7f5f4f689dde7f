"""Sources to pixels: what an image will weigh before it is read, and the image, or why it cannot be read."""

from __future__ import annotations

import sys
from pathlib import Path

from gafas.errors import ImageError
from gafas.imaging import Rgb, decode, memory_of, read_bytes, read_image
from gafas.runtime.sources import STDIN, Source


def is_file(source: Source) -> bool:
    """Whether a source can be read at any time, by any thread: pipes and standard input keep their reader waiting."""
    return source.problem is not None or (source.path != STDIN and Path(source.path).is_file())


def weight_of(source: Source) -> int:
    """Return about how many bytes the decoding of a file takes, from its header; 0 where it cannot be decoded."""
    return 0 if source.problem is not None else memory_of(source.path)


def read_source(source: Source) -> Rgb | str:
    """Return an image, or the reason why it cannot be read."""
    if source.problem is not None:
        return source.problem
    try:
        return _read_stdin() if source.path == STDIN else read_image(source.path)
    except ImageError as error:
        return str(error)


def _read_stdin() -> Rgb:
    try:
        # None where the shell has closed it.
        return decode(read_bytes(sys.stdin.buffer) if sys.stdin else b"")
    except (OSError, ImageError) as error:
        raise ImageError(f"standard input: {error}") from error
