"""Annotated films: times, sound, colours, and never a broken file under its name."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from gafas.errors import OutputError
from gafas.imaging import Rgb
from gafas.runtime import video_writer
from gafas.runtime.video_writer import FilmWriter, film_name
from tests.films import greys, make_film, opened, read

av = pytest.importorskip("av", reason="the video extra is not installed")


def copy(source: Path, target: Path, *, every: int = 1, change: Rgb | None = None) -> Path:
    with opened(source) as film, FilmWriter(target, film) as writer:
        for frame in film.frames(every=every, on_audio=writer.take_audio):
            writer.write(frame.image if change is None else change, frame.seconds)
    return target


@pytest.mark.parametrize("encoder", ["libx264", "mpeg4"])
@pytest.mark.parametrize("ending", [".mp4", ".mkv", ".mov"])
def test_frames_and_times_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, encoder: str) -> None:
    monkeypatch.setattr(video_writer, "_encoder", lambda: encoder)
    times = [0, 40, 200, 240, 1000, 1033]
    source = make_film(tmp_path / "a.mp4", greys(6, step=40), times=times)
    before, after = read(source), read(copy(source, tmp_path / f"b{ending}"))
    assert [round(1000 * frame.seconds) for frame in after] == times
    for one, other in zip(before, after, strict=True):
        assert other.image.astype(float) == pytest.approx(one.image.astype(float), abs=12)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", f"b{ending}"]
    with av.open(str(tmp_path / f"b{ending}")) as film:
        assert film.streams.video[0].codec_context.name == ("h264" if encoder == "libx264" else "mpeg4")


def test_colours_stay(tmp_path: Path) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[:] = (200, 60, 30)
    source = make_film(tmp_path / "a.mp4", greys(2))
    for frame in read(copy(source, tmp_path / "b.mp4", change=image)):
        assert frame.image.mean(axis=(0, 1)) == pytest.approx([200, 60, 30], abs=6)


def test_sound_is_copied(tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mp4", greys(50), sound=True)
    target = copy(source, tmp_path / "b.mp4")

    def sound(path: Path) -> list[tuple[float, int]]:
        with av.open(str(path)) as film:
            return [(float(p.pts * p.time_base), p.size) for p in film.demux(audio=0) if p.size]

    assert [size for _, size in sound(target)] == [size for _, size in sound(source)]
    assert [at for at, _ in sound(target)] == pytest.approx([at for at, _ in sound(source)], abs=0.001)
    with av.open(str(source)) as one, av.open(str(target)) as other:
        assert other.duration == pytest.approx(one.duration, abs=50_000)


def test_sound_that_the_container_cannot_hold_is_left_out(tmp_path: Path) -> None:
    source = tmp_path / "a.avi"
    make_film(source, greys(10), sound=True)
    with opened(source) as film, FilmWriter(tmp_path / "b.mp4", film) as writer:
        for frame in film.frames(on_audio=writer.take_audio):
            writer.write(frame.image, frame.seconds)
            assert writer._container is not None
            assert set(writer._container.supported_codecs) >= {"h264", "aac"}
    assert len(read(tmp_path / "b.mp4")) == 10


@pytest.mark.parametrize("size", [(49, 65), (2, 2), (1, 1), (17, 300)])
def test_odd_sizes(tmp_path: Path, size: tuple[int, int]) -> None:
    source = make_film(tmp_path / "a.mp4", greys(3))
    image = np.full((*size, 3), 128, np.uint8)
    frames = read(copy(source, tmp_path / "b.mp4", change=image))
    assert frames[0].image.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)


def test_frames_left_out_leave_the_length(tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mp4", greys(50))
    frames = read(copy(source, tmp_path / "b.mp4", every=10))
    assert [frame.seconds for frame in frames] == pytest.approx([0, 0.4, 0.8, 1.2, 1.6], abs=0.001)


def test_two_frames_at_one_time(tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mp4", greys(3))
    with opened(source) as film, FilmWriter(tmp_path / "b.mp4", film) as writer:
        for at in (0, 0, 0.04, 0.03):
            writer.write(greys(1)[0], at)
    assert len(read(tmp_path / "b.mp4")) == 4


def test_no_frame_no_file(tmp_path: Path) -> None:
    source = make_film(tmp_path / "a.mp4", greys(3), sound=True)
    with opened(source) as film, FilmWriter(tmp_path / "b.mp4", film) as writer:
        next(film.frames(on_audio=writer.take_audio))
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_happens_no_half_film_has_the_name(tmp_path: Path, error: type[BaseException]) -> None:
    source = make_film(tmp_path / "a.mp4", greys(3))
    (tmp_path / "b.mp4").write_text("of yesterday")

    def fail() -> None:
        with opened(source) as film, FilmWriter(tmp_path / "b.mp4", film) as writer:
            writer.write(greys(1)[0], 0)
            raise error

    with pytest.raises(error):
        fail()
    assert (tmp_path / "b.mp4").read_text() == "of yesterday"
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.skipif(sys.platform == "win32", reason="limits of POSIX")
def test_a_full_disk(tmp_path: Path) -> None:
    import resource
    import signal

    source = make_film(tmp_path / "a.mp4", greys(3))
    random = np.random.default_rng(0)

    def fill() -> None:
        with opened(source) as film, FilmWriter(tmp_path / "b.mp4", film) as writer:
            for n in range(100):
                writer.write(random.integers(0, 255, (120, 160, 3), dtype=np.uint8), n / 25)

    limits, action = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        with pytest.raises(OutputError, match=r"b\.mp4: not written: File too large"):
            fill()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, action)
    assert [path.name for path in tmp_path.iterdir()] == ["a.mp4"]


def test_names() -> None:
    assert [film_name(Path(name)).name for name in ("a.MKV", "b.avi", "c.webm", "d.mp4")] == [
        *("a.MKV", "b.mp4", "c.mp4", "d.mp4")
    ]
