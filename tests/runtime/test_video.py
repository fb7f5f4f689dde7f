"""Films to frames: times, turns, what is no film, and what breaks off."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import numpy as np
import pytest

from gafas.errors import MissingExtraError, VideoError
from gafas.imaging import write_image
from gafas.runtime import video
from gafas.runtime.cameras import Address, camera_address
from gafas.runtime.sources import FilmSource, Source, film_kind, find_films
from gafas.runtime.video import FilmFrame, open_film
from tests.films import greys, make_film, noise, opened, read, sender, source_of

av = pytest.importorskip("av", reason="the video extra is not installed")


def levels(frames: Any) -> list[float]:
    return [float(frame.image.mean()) for frame in frames]


def why(path: Path | str) -> str:
    with pytest.raises(VideoError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.avi", "a.mov", "a.MP4"])
def test_frames_come_in_order_with_number_and_time(tmp_path: Path, name: str) -> None:
    frames = read(make_film(tmp_path / name, greys(30, step=5)))
    assert [frame.number for frame in frames] == list(range(30))
    assert [frame.seconds for frame in frames] == pytest.approx([n / 25 for n in range(30)], abs=0.002)
    assert {(frame.image.shape, frame.image.dtype.name) for frame in frames} == {((48, 64, 3), "uint8")}
    assert levels(frames) == pytest.approx([5 * n for n in range(30)], abs=6)


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    image[..., 0] = 220
    (frame,) = read(make_film(tmp_path / "red.mp4", [image]))
    assert frame.image.mean(axis=(0, 1)) == pytest.approx([220, 0, 0], abs=12)


def test_every_third_frame(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", greys(20))
    assert [frame.number for frame in read(path, every=3)] == [0, 3, 6, 9, 12, 15, 18]


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [0, 40, 200, 240, 1000, 1033]
    frames = read(make_film(tmp_path / "uneven.mp4", greys(6), times=times))
    assert [round(1000 * frame.seconds) for frame in frames] == times


def test_a_film_that_begins_late_begins_at_0(tmp_path: Path) -> None:
    frames = read(
        make_film(tmp_path / "late.ts", greys(50), times=[5000 + 40 * n for n in range(50)], codec="mpeg2video")
    )
    assert frames[0].seconds == 0
    assert frames[-1].seconds == pytest.approx(1.96, abs=0.001)


# Where a picture's right and down point on the screen, as x and y; from the definition of the matrix in ISO 14496-12.
TURNS = {
    "none": ((1, 0), (0, 1), "top left"),
    "a quarter clockwise": ((0, 1), (-1, 0), "top right"),
    "half": ((-1, 0), (0, -1), "bottom right"),
    "a quarter counter-clockwise": ((0, -1), (1, 0), "bottom left"),
}


@pytest.mark.parametrize("turn", TURNS)
def test_a_film_from_a_turned_telephone_is_upright(tmp_path: Path, turn: str) -> None:
    right, down, corner = TURNS[turn]
    image = np.zeros((48, 64, 3), np.uint8)
    image[:16, :16] = 255
    one = 2**16
    matrix = [right[0] * one, right[1] * one, 0, down[0] * one, down[1] * one, 0, 0, 0, 2**30]
    frames = read(make_film(tmp_path / "turned.mp4", [image] * 2, matrix=matrix))
    seen = frames[0].image
    assert seen.shape == ((64, 48, 3) if "quarter" in turn else (48, 64, 3))
    assert seen.flags.c_contiguous
    top, left = seen[: seen.shape[0] // 2].mean(), seen[:, : seen.shape[1] // 2].mean()
    rest = seen.mean()
    assert f"{'top' if top > rest else 'bottom'} {'left' if left > rest else 'right'}" == corner


def cut(path: Path, share: float) -> Path:
    data = path.read_bytes()
    short = path.with_stem("cut")
    short.write_bytes(data[: int(share * len(data))])
    return short


@pytest.mark.parametrize("name", ["a.mkv", "a.avi"])
def test_a_film_that_is_cut_off_gives_what_is_there(tmp_path: Path, name: str) -> None:
    path = cut(make_film(tmp_path / name, noise(100)), 0.5)
    frames: list[FilmFrame] = []
    with opened(path) as film, pytest.raises(VideoError, match=r"cut off|damaged") as caught:
        frames.extend(film.frames())
    assert 20 < len(frames) < 80
    assert film.read >= len(frames)
    assert str(path) in str(caught.value)
    assert f"after frame {len(frames) - 1}" in str(caught.value)


def test_a_film_whose_index_stands_first_is_cut_off(tmp_path: Path) -> None:
    """As those are that are made to be played while they come; of others the index is lost, and with it all."""
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w", options={"movflags": "faststart"}) as film:
        video = film.add_stream("mpeg4", rate=25)
        video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
        for image in noise(100):
            film.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        film.mux(video.encode(None))
    frames: list[FilmFrame] = []
    with opened(cut(path, 0.5)) as film, pytest.raises(VideoError, match=r"cut off after frame .* expected 4\.00 s"):
        frames.extend(film.frames())
    assert 20 < len(frames) < 80


@pytest.mark.parametrize(
    ("way", "words"),
    [
        ("closed", "ended after frame 39"),
        ("chunked", "ended after frame 39"),
        ("short", "broken off after frame"),
        ("reset", "broken off after frame .*: Connection reset"),
        ("silent", "broken off after frame .*: no answer in time"),
    ],
)
def test_a_stream_that_breaks_off_gives_what_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, words: str
) -> None:
    monkeypatch.setattr(video, "_TIMEOUT", 1.0)
    data = make_film(tmp_path / "a.ts", noise(40), codec="mpeg2video").read_bytes()
    frames: list[FilmFrame] = []
    with sender(data, way) as address, opened(address) as film, pytest.raises(VideoError, match=words) as caught:
        frames.extend(film.frames())
    assert [frame.number for frame in frames] == list(range(40))
    assert str(caught.value).startswith(f"{address}: ")


def test_the_index_at_the_end_is_missing(tmp_path: Path) -> None:
    path = cut(make_film(tmp_path / "a.mp4", greys(50)), 0.9)
    assert "not a film in a known form, or its beginning or end is missing" in why(path)


def test_damage_in_the_middle_is_passed_over_and_told(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", greys(60, step=4), codec="mjpeg")
    with av.open(str(path)) as film:
        packet = list(film.demux(video=0))[20]
        place, size = packet.pos, packet.size
    data = bytearray(path.read_bytes())
    data[place : place + size] = bytes(size)
    path.write_bytes(data)
    frames: list[FilmFrame] = []
    with opened(path) as film, pytest.raises(VideoError, match="damaged after frame") as caught:
        frames.extend(film.frames())
    assert len(frames) == film.read == 59
    assert re.search(r"damaged after frame 1\d: Invalid data.*; 59 frames could be read", str(caught.value))
    assert levels(frames)[-1] == pytest.approx(4 * 59, abs=6)


def test_a_whole_film_is_not_called_cut_off(tmp_path: Path) -> None:
    """Its sound may be longer than its pictures."""
    for name in ("a.mp4", "a.mkv"):
        assert len(read(make_film(tmp_path / name, greys(10), sound=True))) == 10


def test_sound_only(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as film:
        tone = film.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 8000), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 8000
        film.mux(tone.encode(frame))
        film.mux(tone.encode(None))
    assert why(path) == f"{path}: expected moving pictures, got audio only"


def test_no_frames(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mkv", greys(3), codec="mjpeg")
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\xff\xd8\xff") - 40])
    assert re.search(r"0 frames|not a film|damaged before its first frame", why(path))


def write_text(path: Path) -> None:
    path.write_text("no film\n" * 100)


def write_noise(path: Path) -> None:
    path.write_bytes(np.random.default_rng(1).bytes(20_000))


def write_playlist(path: Path) -> None:
    """FFmpeg would open what it names."""
    path.write_text("#EXTM3U\n#EXTINF:10,\nfile:///etc/hostname\n#EXT-X-ENDLIST\n")


def write_list(path: Path) -> None:
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")


@pytest.mark.parametrize("write", [write_text, write_noise, write_playlist, write_list])
def test_what_is_no_film(tmp_path: Path, write: Any) -> None:
    path = tmp_path / "a.mp4"
    write(path)
    assert why(path).startswith(f"{path}: ")


def test_a_picture_with_the_wrong_name_is_no_film(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", np.zeros((20, 20, 3), np.uint8))
    (tmp_path / "a.png").rename(tmp_path / "a.mp4")
    assert "not a film" in why(tmp_path / "a.mp4")


def test_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").touch()
    assert why(tmp_path / "a.mp4").endswith("the file is empty (0 bytes)")


def test_no_such_file() -> None:
    assert why("gone.mp4") == "gone.mp4: no such file or folder"


def test_a_name_that_looks_like_an_address(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    make_film(tmp_path / "plain.mp4", greys(3))
    (tmp_path / "plain.mp4").rename(tmp_path / "concat:a%03d.mp4")
    assert len(read("concat:a%03d.mp4")) == 3


def test_a_huge_size_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.avi", greys(3), codec="mjpeg")
    data = bytearray(path.read_bytes())
    place = data.index(b"strf") + 8
    assert struct.unpack_from("<II", data, place + 4) == (64, 48)
    struct.pack_into("<II", data, place + 4, 9000, 9000)
    for match in re.finditer(b"\xff\xc0\x00\x11\x08", bytes(data)):
        struct.pack_into(">HH", data, match.end(), 9000, 9000)
    path.write_bytes(data)
    assert "frames of 9000×9000 pixels, expected at most 67,108,864" in why(path)


def test_a_size_that_grows_on_the_way_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_film(tmp_path / "a.mp4", greys(3))
    with opened(path) as film:
        monkeypatch.setattr(video, "MAX_FRAME_PIXELS", 100)
        with pytest.raises(VideoError, match="frames of 64×48 pixels, expected at most 100"):
            list(film.frames())


def test_nothing_is_open_afterwards(tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", greys(3))

    def held() -> int:
        return len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").is_dir() else 0

    before = held()
    for _ in range(5):
        read(path)
        write_text(tmp_path / "b.mp4")
        why(tmp_path / "b.mp4")
    assert held() <= before


def test_a_stream_is_read(tmp_path: Path) -> None:
    make_film(tmp_path / "a.mp4", greys(12))

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        with opened(f"{address}/a.mp4") as film:
            assert film.live
            assert len(list(film.frames())) == 12
        assert f"{address}/gone.mp4: cannot be opened: " in why(f"{address}/gone.mp4")
        server.shutdown()


def test_a_password_is_not_reported() -> None:
    film = source_of("rtsp://me:secret@127.0.0.1:1/a")
    assert film.address == "rtsp://me:secret@127.0.0.1:1/a"
    assert film.source.path == "rtsp://127.0.0.1:1/a"
    with pytest.raises(VideoError, match=r"rtsp://127\.0\.0\.1:1/a: cannot be opened") as caught:
        open_film(film)
    assert "secret" not in str(caught.value)


def test_without_the_package_its_install_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = make_film(tmp_path / "a.mp4", greys(3))
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'gafas\[video\]'"):
        opened(path)


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("a.mp4", "file"),
        ("films/*.MKV", "file"),
        ("0", "camera"),
        ("12", "camera"),
        ("/dev/video3", "camera"),
        ("rtsp://camera/1", "stream"),
        ("HTTPS://example.org/a.jpg", "stream"),
        ("a.jpg", None),
        ("-", None),
        ("1234", None),
        ("0.png", None),
        ("nonsense://a", None),
        ("photos", None),
    ],
)
def test_what_a_word_means(word: str, kind: str | None) -> None:
    assert film_kind(word) == kind


def test_what_lies_there_is_no_camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("0").mkdir()
    Path("1").touch()
    Path("a.mp4").mkdir()
    assert [film_kind(word) for word in ("0", "1", "2", "a.mp4")] == [None, None, "camera", None]


def test_a_glob_gives_all_films(tmp_path: Path) -> None:
    for name in "ba":
        (tmp_path / f"{name}.mp4").touch()
    found = [film.source.relative for film in find_films([str(tmp_path / "*.mp4"), "/dev/video1", "3"])]
    assert found == ["a.mp4", "b.mp4", "camera-1.mp4", "camera-3.mp4"]


def test_cameras_by_system(monkeypatch: pytest.MonkeyPatch) -> None:
    assert camera_address("2", platform="linux") == Address("/dev/video2", "v4l2")
    assert camera_address("/dev/video2", platform="linux") == Address("/dev/video2", "v4l2")
    assert camera_address("1", platform="darwin") == Address("1:none", "avfoundation", {"framerate": "30"})
    for word, system in (("0", "sunos5"), ("/dev/video0", "darwin")):
        with pytest.raises(VideoError, match="camera"):
            camera_address(word, platform=system)

    class Device:
        def __init__(self, name: str, kind: str) -> None:
            self.name, self.media_types = name, [kind]

    devices = [Device("Microphone", "audio"), Device("Front", "video"), Device("Back", "video")]
    monkeypatch.setattr(av, "enumerate_input_devices", lambda _: devices)
    assert camera_address("1", platform="win32") == Address("video=Back", "dshow")
    with pytest.raises(VideoError, match="expected one of 2 cameras"):
        camera_address("2", platform="win32")


def test_no_camera() -> None:
    with pytest.raises(VideoError, match=r"camera 99: cannot be opened .*is it plugged in"):
        opened("99")


def test_a_camera_is_read_like_a_film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No camera can be had here: a film takes its place behind the same address, with a clock that began long ago."""
    path = make_film(tmp_path / "a.mkv", greys(6), times=[90_000 + 40 * n for n in range(6)])
    asked = []

    def address(word: str) -> Address:
        asked.append(word)
        return Address(str(path))

    monkeypatch.setattr(video, "camera_address", address)
    with open_film(FilmSource(Source("0", "camera-0.mp4"), "camera", "0")) as film:
        frames = list(film.frames())
    assert asked == ["0"]
    assert film.live
    assert film.audio is None
    assert [round(frame.seconds, 2) for frame in frames] == [0, 0.04, 0.08, 0.12, 0.16, 0.2]


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """2,000 frames of 320×240 pixels, judged, followed, smoothed and drawn; they would take 460 MB."""
    path = make_film(tmp_path / "long.mp4", (image for image in greys(2000, size=(240, 320), step=0)))
    script = """
import resource, sys
from pathlib import Path
import numpy as np
from gafas.runtime.annotate import annotate
from gafas.runtime.backends import ConstantBackend
from gafas.runtime.films import judge_frames
from gafas.runtime.predictor import Predictor
from gafas.runtime.video_writer import FilmWriter
from gafas.values import FaceBox
from tests.films import Seeing, opened

# A face here and there: tracks come and go.
places = np.random.default_rng(0).integers(0, 150, (5000, 2)).tolist()
def faces(image):
    x, y = places.pop()
    return (FaceBox(x, y, x + 60, y + 60, 0.9),)
predictor = Predictor(ConstantBackend(0.4), region="face", detector=Seeing(faces))
peaks = []
with opened(sys.argv[1]) as film, FilmWriter(Path(sys.argv[2]), film) as writer:
    for answer in judge_frames(predictor, film.frames(on_audio=writer.take_audio), detect_every=1):
        if answer.frame.number in (300, 1999):
            peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
        if answer.frame.number % 4 == 0:
            writer.write(annotate(answer.frame.image, answer.verdicts), answer.frame.seconds)
print(*peaks)
"""
    pytest.importorskip("resource", reason="POSIX only")
    words = [sys.executable, "-c", script, str(path), str(tmp_path / "drawn.mp4")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2])
    assert done.returncode == 0, done.stderr
    warm, end = map(int, done.stdout.split())
    unit = 2**20 if sys.platform == "darwin" else 2**10
    assert (end - warm) / unit < 30
