"""Signals wait for a block, and then do what they would have done."""

from __future__ import annotations

import signal
import threading

import pytest

from gafas.interrupts import undisturbed


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_waits_for_the_end_of_the_block(number: int) -> None:
    came: list[int] = []
    earlier = signal.signal(number, lambda number, _: came.append(number))
    try:
        with undisturbed():
            signal.raise_signal(number)
            assert came == []
        assert came == [number]
        signal.raise_signal(number)
        assert came == [number, number]
    finally:
        signal.signal(number, earlier)


def test_ctrl_c_comes_also_when_the_block_fails() -> None:
    with pytest.raises(KeyboardInterrupt), undisturbed():  # noqa: PT012  # both happen in the block
        signal.raise_signal(signal.SIGINT)
        raise ValueError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_outermost_block_decides() -> None:
    steps = []
    with pytest.raises(KeyboardInterrupt), undisturbed():  # noqa: PT012  # both happen in the block
        with undisturbed():
            signal.raise_signal(signal.SIGINT)
        steps.append("after the inner block")
    assert steps == ["after the inner block"]


def test_other_threads_change_no_handler() -> None:
    seen = []

    def run() -> None:
        with undisturbed():
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGINT)]
