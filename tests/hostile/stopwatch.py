"""``gafas predict`` as it is, with a stopwatch at each image: the begin and the end of its reading go into a log.

``python -m tests.hostile.stopwatch LOG predict …``. A process that dies has written which images it had begun.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import Any

from gafas.cli import main
from gafas.runtime import stream

_Step = Callable[..., Any]


def _timed(log: int, word: str, step: _Step, place: int) -> _Step:
    def timed(*arguments: Any) -> Any:
        path = arguments[place].path
        os.write(log, f"begin {word} {path!r}\n".encode())
        wall, processor = time.perf_counter(), time.thread_time()
        try:
            return step(*arguments)
        finally:
            spent = time.perf_counter() - wall, time.thread_time() - processor
            os.write(log, f"end {word} {path!r} {spent[0]:.3f} {spent[1]:.3f}\n".encode())

    return timed


if __name__ == "__main__":
    log = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    # What is looked up in the module at each call: the header in the main thread, the whole image in a worker.
    for name, place in (("weight_of", 0), ("_look", 1)):
        setattr(stream, name, _timed(log, name, getattr(stream, name), place))
    sys.argv = ["gafas", *sys.argv[2:]]
    main()
