"""``gafas predict`` for films, cameras and streams."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gafas.cli.console import note, warn
from gafas.cli.copies import check_copies, free_name
from gafas.cli.prediction import FilmWords, Load, Target
from gafas.errors import UsageError, VideoError
from gafas.runtime.films import DETECT_EVERY, FILM_COLUMNS, SMOOTH, error_record, film_records, judge_frames
from gafas.runtime.sources import FilmSource, find_films
from gafas.runtime.video import Film, FilmFrame, open_film

if TYPE_CHECKING:
    from gafas.runtime.predictor import Predictor
    from gafas.runtime.video_writer import FilmWriter
    from gafas.runtime.writers import WriteRecord

_INTERRUPTED = 130
"""Exit code of a shell for what Ctrl-C has ended."""


def judge_films(words: list[str], load: Load, target: Target, film_words: FilmWords) -> None:
    """Judge films one after another; Ctrl-C ends the present one cleanly, and the whole with it.

    Raises
    ------
    UsageError, OutputError
        Before anything is written.
    Exit
        With 1 where a film failed, with 130 where one was interrupted; a camera has no other end.
    """
    films = list(find_films(words))
    _check(films, target)
    predictor = load()
    if predictor.region == "whole" and film_words.detect_every is not None:
        raise UsageError("--detect-every: is for faces, got --region whole; leave it out")
    judging = _Judging(predictor, target, film_words)
    with target.open(eyeglasses=predictor.knows_eyeglasses, film_columns=FILM_COLUMNS) as write, _stopping() as stop:
        for film in films:
            judging.judge(film, write, stop)
            if stop.is_set():
                break
    if target.output is not None:
        note(f"{judging.frames} frames of {judging.films} films, {judging.failed} failed: {target.output}")
    if judging.cut:
        raise typer.Exit(_INTERRUPTED)
    if judging.failed:
        raise typer.Exit(1)


def _check(films: list[FilmSource], target: Target) -> None:
    from gafas.files import require_free

    files = [film.source for film in films if film.kind == "file"]
    check_copies(files, None, target.annotate, overwrite=target.overwrite)
    if target.output is not None:
        # A film takes long: whether its rows can be written is known before.
        require_free(target.output, overwrite=target.overwrite)


class _Judging:
    """Counts what was done while film after film is judged."""

    def __init__(self, predictor: Predictor, target: Target, words: FilmWords) -> None:
        self._predictor, self._annotate, self._words = predictor, target.annotate, words
        self._shows = target.output is not None or target.kind is None
        self._taken: set[str] = set()
        self.films = self.frames = self.failed = 0
        self.cut = False

    def judge(self, source: FilmSource, write: WriteRecord, stop: threading.Event) -> None:
        """Judge one film to its end, its limit or the stop; what goes wrong with it becomes a row."""
        self.films += 1
        film: Film | None = None
        try:
            with open_film(source) as film, ExitStack() as stack:
                writer = None
                if self._annotate is not None:
                    writer = stack.enter_context(self._writer(self._annotate / source.source.relative, film))
                try:
                    self._run(film, writer, write, stop)
                except VideoError as error:
                    # Caught inside, so that the annotated film is finished with what was done.
                    self._fail(film, source, error, write)
        except VideoError as error:
            self._fail(film, source, error, write)

    def _run(self, film: Film, writer: FilmWriter | None, write: WriteRecord, stop: threading.Event) -> None:
        words = self._words
        frames = film.frames(every=words.every or 1, on_audio=None if writer is None else writer.take_audio)
        with _progress(film, shown=self._shows) as show:
            for answer in judge_frames(
                self._predictor,
                self._limited(frames),
                detect_every=words.detect_every or DETECT_EVERY,
                smooth=SMOOTH if words.smooth is None else words.smooth,
            ):
                self.frames += 1
                if writer is not None:
                    self._draw(writer, answer.frame, answer.verdicts)
                for record in film_records(film.path, answer):
                    write(record)
                show(answer.frame.seconds)
                if stop.is_set():
                    warn(f"{film.path}: stopped after frame {answer.frame.number}")
                    self.cut = not film.live
                    return

    def _limited(self, frames: Iterator[FilmFrame]) -> Iterator[FilmFrame]:
        words = self._words
        for frame in frames:
            if words.max_seconds is not None and frame.seconds > words.max_seconds:
                return
            yield frame
            # Before the next one is waited for.
            if words.max_frames is not None and frame.number + (words.every or 1) >= words.max_frames:
                return

    def _draw(self, writer: FilmWriter, frame: FilmFrame, verdicts: Any) -> None:
        from gafas.runtime.annotate import annotate

        drawn = annotate(frame.image, verdicts, eyeglasses_threshold=self._predictor.eyeglasses_threshold)
        writer.write(drawn, frame.seconds)

    def _writer(self, path: Path, film: Film) -> FilmWriter:
        from gafas.runtime.video_writer import FilmWriter, film_name

        return FilmWriter(free_name(film_name(path), self._taken), film)

    def _fail(self, film: Film | None, source: FilmSource, error: VideoError, write: WriteRecord) -> None:
        self.failed += 1
        read, at = (film.read, film.at) if film is not None else (0, 0.0)
        write(error_record(source.source.path, str(error), read=read, seconds=at))


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """Give an event that the first Ctrl-C sets; the second one interrupts as usual."""
    stop = threading.Event()

    def hear(*_: object) -> None:
        stop.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _progress(film: Film, *, shown: bool) -> Iterator[Any]:
    from gafas.cli.console import ERR

    if not shown or not ERR.is_terminal:
        yield lambda _: None
        return
    from rich.progress import Progress

    with Progress(console=ERR, transient=True) as bar:
        task = bar.add_task("judging", total=film.seconds)
        yield lambda seconds: bar.update(task, completed=seconds)
