"""The queue and the batches."""

from __future__ import annotations

import asyncio
import threading

import pytest

from gafas.server.engine import Engine
from gafas.server.looking import Gate, Looker, Wish
from gafas.server.refusals import Refusal
from tests.server.tools import Darkness, make_predictor, picture

pytestmark = pytest.mark.anyio
WISH = Wish("whole")


def make(backend: Darkness, *, threads: int = 2, queue: int = 64) -> Engine:
    predictor = make_predictor(backend)
    return Engine(predictor, Looker(predictor, max_pixels=10**6, pixel_memory=10**7), threads=threads, queue=queue)


async def settled(engine: Engine) -> None:
    """Wait until the threads stand still."""
    await asyncio.sleep(0.2)


async def test_images_of_many_requests_are_classified_together_and_come_to_their_own() -> None:
    backend = Darkness()
    engine = make(backend)
    backend.go.clear()
    first = asyncio.create_task(engine.judge([picture(0)], WISH))
    await settled(engine)
    assert backend.batches == [1]
    pairs = [[picture(value), picture(255 - value)] for value in range(0, 200, 20)]
    others = [asyncio.create_task(engine.judge(pair, WISH)) for pair in pairs]
    await settled(engine)
    backend.go.set()
    for value, found in zip(range(0, 200, 20), await asyncio.gather(*others), strict=True):
        scores = [judged.verdicts[0].sunglasses for judged in found]
        assert scores == pytest.approx([1 - value / 255, value / 255], abs=0.01)
    assert len(await first) == 1
    assert sum(backend.batches) == 21
    assert max(backend.batches) == 8
    assert len(backend.batches) < 10
    assert engine.pending == 0
    engine.close()


async def test_the_queue_is_bounded() -> None:
    backend = Darkness()
    engine = make(backend, queue=3)
    backend.go.clear()
    inside = asyncio.create_task(engine.judge([picture()] * 2, WISH))
    await settled(engine)
    with pytest.raises(Refusal) as refused:
        await engine.judge([picture()] * 2, WISH)
    assert refused.value.status == 503
    assert int(refused.value.headers["Retry-After"]) >= 1
    third = asyncio.create_task(engine.judge([picture()], WISH))
    backend.go.set()
    assert [len(found) for found in await asyncio.gather(inside, third)] == [2, 1]
    engine.check_room(3)
    engine.close()


async def test_what_nobody_waits_for_is_dropped() -> None:
    backend = Darkness()
    engine = make(backend, threads=1, queue=10)
    backend.go.clear()
    inside = asyncio.create_task(engine.judge([picture()], WISH))
    await settled(engine)
    gone = asyncio.create_task(engine.judge([picture()] * 9, WISH))
    await settled(engine)
    assert engine.pending == 10
    gone.cancel()
    await settled(engine)
    assert engine.pending == 1
    backend.go.set()
    await inside
    await settled(engine)
    assert backend.batches == [1]
    engine.close()


async def test_one_bad_image_harms_no_other() -> None:
    engine = make(Darkness())
    good, bad, cut = await engine.judge([picture(), b"no image", picture()[:50]], WISH)
    assert good.verdicts
    assert good.looked.failure is None
    codes = [judged.looked.failure.code for judged in (bad, cut) if judged.looked.failure]
    assert codes == ["not_an_image", "broken_image"]
    engine.close()


async def test_an_error_of_the_graph_reaches_everybody_and_the_engine_goes_on() -> None:
    backend = Darkness(fails=True)
    engine = make(backend)
    for found in await asyncio.gather(*(engine.judge([picture()] * 2, WISH) for _ in range(3)), return_exceptions=True):
        assert isinstance(found, RuntimeError)
    backend.fails = False
    assert len(await engine.judge([picture()], WISH)) == 1
    assert engine.pending == 0
    engine.close()


async def test_no_images_are_no_work() -> None:
    engine = make(Darkness())
    assert await engine.judge([], WISH) == []
    engine.close()


async def test_the_gate_lets_in_what_fits_and_a_giant_alone() -> None:
    gate = Gate(10)
    inside: list[int] = []
    most: list[int] = []
    lock = threading.Lock()

    def work(weight: int) -> None:
        with gate.room(weight):
            with lock:
                inside.append(weight)
                most.append(sum(inside))
            threading.Event().wait(0.01)
            with lock:
                inside.remove(weight)

    await asyncio.gather(*(asyncio.to_thread(work, weight) for weight in (4, 4, 4, 25, 4, 6, 10)))
    assert max(most) == 25
    assert sorted(most)[-2] <= 10
