"""Steps that Ctrl-C and a polite kill do not cut in half. Standard library only."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let SIGINT and SIGTERM wait until the block has ended; for blocks of an instant.

    Python raises what a signal asks for between any two steps of the main thread: also between the making of a file
    and the line that would remove it again. Other threads are never interrupted, so there nothing is done.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    # None is a handler that was not set by Python: it can be neither called nor put back from here.
    numbers = [number for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not None]
    earlier = {number: signal.signal(number, lambda number, _: came.append(number)) for number in numbers}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
        for arrived in came:
            signal.raise_signal(arrived)
