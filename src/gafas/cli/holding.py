"""Output folders that belong to one command at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from pathlib import Path

from gafas.locks import hold_folder

_command: ContextVar[ExitStack | None] = ContextVar("command", default=None)


@contextmanager
def holding() -> Iterator[None]:
    """Let go, at the end of the block, of every folder that `hold` has taken in it: around each command."""
    with ExitStack() as stack:
        token = _command.set(stack)
        try:
            yield
        finally:
            _command.reset(token)


def hold(folder: Path) -> None:
    """Keep every other gafas out of an output folder until this command has ended.

    Who calls a command's parts from Python, without a command, holds the folder with `gafas.locks.hold_folder`.

    Raises
    ------
    OutputError
        Another process holds it, or it cannot be made.
    """
    stack = _command.get()
    if stack is not None:
        stack.enter_context(hold_folder(folder))
