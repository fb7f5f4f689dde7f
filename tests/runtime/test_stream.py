"""Many images on several threads: order, bounds of memory, answers on the way, and a quick end."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from gafas.errors import BundleError
from gafas.imaging import Rgb, write_image
from gafas.runtime import stream
from gafas.runtime.answers import Answer, judge_sources
from gafas.runtime.backends import ConstantBackend, Probabilities
from gafas.runtime.predictor import Predictor
from gafas.runtime.sources import Source, find_sources
from gafas.values import FaceBox

Faces = Callable[[Rgb], tuple[FaceBox, ...]]


class Brightness:
    """P(sunglasses) is the mean brightness; keeps the sizes of its batches."""

    input_size = (4, 4)

    def __init__(self) -> None:
        self.batches: list[int] = []

    def probabilities(self, images: Rgb) -> Probabilities:
        self.batches.append(len(images))
        return np.asarray(images.mean(axis=(1, 2, 3), dtype=np.float64)[:, None] / 255, dtype=np.float32)


class Seeing:
    """A detector made of a function."""

    def __init__(self, faces: Faces) -> None:
        self.detect = faces


def predictor(faces: Faces | None = None) -> tuple[Predictor, Brightness]:
    backend = Brightness()
    if faces is None:
        return Predictor(backend), backend
    return Predictor(backend, region="face", detector=Seeing(faces)), backend


@pytest.fixture
def greys(tmp_path: Path) -> list[Source]:
    """Forty pictures 20×10, each one level of grey lighter than the one before."""
    for level in range(40):
        write_image(tmp_path / f"{level:02}.png", np.full((10, 20, 3), level, np.uint8))
    return list(find_sources([str(tmp_path)]))


def levels(answers: Iterator[Answer]) -> list[int | None]:
    return [round(255 * answer.verdicts[0].sunglasses) if answer.verdicts else None for answer in answers]


@pytest.mark.parametrize(("workers", "batch_size"), [(1, 1), (1, 32), (2, 3), (4, 7), (8, 100)])
@pytest.mark.parametrize("keep_images", [True, False])
def test_answers_come_in_order(greys: list[Source], workers: int, batch_size: int, keep_images: bool) -> None:
    rng = np.random.default_rng(workers)

    def faces(image: Rgb) -> tuple[FaceBox, ...]:
        time.sleep(rng.uniform(0, 0.004))
        return ()

    answers = list(
        judge_sources(predictor(faces)[0], greys, batch_size=batch_size, workers=workers, keep_images=keep_images)
    )
    assert [answer.source for answer in answers] == greys
    assert levels(iter(answers)) == list(range(40))
    assert {answer.size for answer in answers} == {(10, 20)}
    assert all((answer.image is not None) == keep_images for answer in answers)


def test_the_same_as_one_by_one(greys: list[Source]) -> None:
    judge, _ = predictor()
    together = [answer.verdicts for answer in judge_sources(judge, greys, workers=3)]
    assert together == [judge.predict(source.path) for source in greys]


def test_errors_stand_where_their_images_stood(greys: list[Source]) -> None:
    Path(greys[3].path).write_bytes(b"")
    mixed = [Source("gone", "gone", "gone: no such file or folder"), *greys]
    answers = list(judge_sources(predictor()[0], mixed, batch_size=5, workers=2))
    assert [number for number, answer in enumerate(answers) if answer.error] == [0, 4]
    assert answers[4].error == f"{greys[3].path}: the file is empty (0 bytes)"
    assert (answers[4].image, answers[4].size) == (None, (0, 0))


def test_images_are_classified_together_and_no_more_than_asked(greys: list[Source]) -> None:
    judge, backend = predictor()
    list(judge_sources(judge, greys[:7], batch_size=3))
    assert backend.batches == [3, 3, 1]


def test_large_images_go_in_smaller_batches(greys: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_WORKER_BYTES", 4 * 10 * 20 * 3)
    judge, backend = predictor()
    list(judge_sources(judge, greys[:6], batch_size=32))
    assert backend.batches == [2, 2, 2]


def test_many_faces_make_a_batch(greys: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "REGIONS", 4)
    pair = (FaceBox(0, 0, 5, 5, 0.9), FaceBox(5, 5, 9, 9, 0.8))
    judge, backend = predictor(lambda image: pair)
    assert [len(answer.verdicts) for answer in judge_sources(judge, greys[:6], batch_size=32)] == [2] * 6
    assert backend.batches == [4, 4, 4]


@pytest.mark.parametrize("keep_images", [True, False])
def test_a_crowd_is_classified_where_it_is_found(
    greys: list[Source], keep_images: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "REGIONS", 4)
    crowd = tuple(FaceBox(x, 0, x + 5, 5, 0.9) for x in range(9))
    judge, _ = predictor(lambda image: crowd if image[0, 0, 0] == 1 else ())
    answers = list(judge_sources(judge, greys[:3], workers=2, keep_images=keep_images))
    assert [len(answer.verdicts) for answer in answers] == [1, 9, 1]
    assert [verdict.box for verdict in answers[1].verdicts] == list(crowd)
    assert answers[1].size == (10, 20)


class Watch:
    """A detector that counts the images that are alive while it sees another one."""

    def __init__(self) -> None:
        self.most, self._lock = 0, threading.Lock()
        self._alive: list[weakref.ref[Rgb]] = []

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        with self._lock:
            self._alive.append(weakref.ref(image))
            self.most = max(self.most, sum(old() is not None for old in self._alive))
        return ()


def most_alive(sources: list[Source], **settings: int | bool) -> int:
    watch = Watch()
    judge = Predictor(Brightness(), region="face", detector=watch)
    for answer in judge_sources(judge, sources, **settings):  # type: ignore[arg-type]
        assert answer.error is None
        del answer
    return watch.most


def test_images_that_are_not_kept_live_as_long_as_they_are_searched(greys: list[Source]) -> None:
    assert most_alive(greys, workers=2, keep_images=False) <= 2


def test_kept_images_stay_within_the_limit(greys: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    assert most_alive(greys, keep_images=True) > 7
    monkeypatch.setattr(stream, "_WORKER_BYTES", 6 * 10 * 20 * 3)
    assert most_alive(greys, keep_images=True) <= 6


def test_an_image_above_the_limit_goes_alone(greys: list[Source], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_WORKER_BYTES", 1)
    assert most_alive(greys, workers=4, keep_images=True) == 1
    assert most_alive(greys, workers=4, keep_images=False) == 1


def test_workers_work_at_the_same_time(greys: list[Source]) -> None:
    together = threading.Barrier(3, timeout=20)

    def faces(image: Rgb) -> tuple[FaceBox, ...]:
        together.wait()
        return ()

    assert len(list(judge_sources(predictor(faces)[0], greys[:9], workers=3))) == 9


def test_answers_come_while_later_images_are_still_unread(greys: list[Source]) -> None:
    answered = judge_sources(predictor()[0], greys, batch_size=1)
    assert next(answered).error is None
    Path(greys[-1].path).unlink()
    *_, last = answered
    assert last.error is not None


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("gafas-stream")]


def test_whoever_stops_early_leaves_no_thread_behind(greys: list[Source]) -> None:
    seen: list[Rgb] = []

    def faces(image: Rgb) -> tuple[FaceBox, ...]:
        seen.append(image)
        return ()

    answered = judge_sources(predictor(faces)[0], greys, batch_size=1, workers=2)
    next(answered)
    assert threads()
    answered.close()  # type: ignore[attr-defined]
    assert not threads()
    assert len(seen) < 20


def test_a_graph_that_cannot_run_stops_everything(greys: list[Source]) -> None:
    class Broken(ConstantBackend):
        def probabilities(self, images: Rgb) -> Probabilities:
            raise BundleError("the graph cannot run")

    with pytest.raises(BundleError, match="cannot run"):
        list(judge_sources(Predictor(Broken(0.5)), greys, batch_size=2, workers=2))
    assert not threads()


def test_a_pipe_is_read_once(tmp_path: Path, greys: list[Source]) -> None:
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(Path(greys[7].path).read_bytes()))
    writer.start()
    assert levels(judge_sources(predictor()[0], [*greys[:2], Source(str(pipe), "pipe.png")], workers=2)) == [0, 1, 7]
    writer.join()
