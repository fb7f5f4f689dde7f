"""Standard output that says what went wrong with it."""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress

NAME = "standard output"


class _Named(io.FileIO):
    """A file whose failures carry the name of standard output."""

    def write(self, data: object, /) -> int:
        try:
            return super().write(data)  # type: ignore[arg-type]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise OSError(error.errno, error.strerror, NAME) from error


def name_stdout() -> None:
    """Let every failed write to standard output say so; a terminal stays as it is.

    A file name that is no UTF-8 is printed with escapes instead of failing.
    """
    stream = sys.stdout
    if not isinstance(stream, io.TextIOWrapper):  # closed by the shell, or somebody else's
        return
    if stream.isatty():
        stream.reconfigure(errors="backslashreplace")
        return
    raw = _Named(stream.fileno(), "wb", closefd=False)
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding=stream.encoding, errors="backslashreplace")


def end_stdout() -> None:
    """Write what is still to be written, so that what cannot be is an error and no afterthought of Python's."""
    if sys.stdout is None or sys.stdout.closed:
        return
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        silence_stdout()


def silence_stdout() -> None:
    """Drop what could not be written: it must not be tried again when Python ends."""
    with suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
