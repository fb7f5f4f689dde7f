"""``gafas predict`` on films and cameras: rows, annotated films, limits, broken films, and Ctrl-C."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gafas.bundle import Manifest, save_manifest
from gafas.cli import app
from gafas.errors import VideoError
from gafas.runtime import video
from gafas.runtime.cameras import Address
from gafas.runtime.films import FILM_COLUMNS
from tests.films import greys, make_film, moving, noise, read, sender

pytest.importorskip("av", reason="the video extra is not installed")


@pytest.fixture(autouse=True)
def here(bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the bundle ``tiny``, and ``film.mp4``: dark in its first half, light in the second."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAFAS_MODEL", "tiny")
    make_film(Path("film.mp4"), greys(20, step=12), sound=True)
    return tmp_path


@pytest.fixture
def faces(bundle: Path) -> None:
    """The bundle says that it was trained on faces."""
    save_manifest(bundle, Manifest(name="tiny", architecture="mean brightness", input_size=(8, 8), region="face"))


def gafas(*words: str | Path) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, words)])


def judge(*words: str | Path, code: int = 0) -> list[dict[str, Any]]:
    result = gafas(*words, "-f", "jsonl")
    assert result.exit_code == code, result.output
    assert result.stderr == ""
    return [json.loads(line) for line in result.stdout.splitlines()]


def refuse(*words: str | Path) -> str:
    result = gafas(*words)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    return line


def test_a_row_for_each_frame() -> None:
    rows = judge("film.mp4")
    assert [tuple(row) for row in rows] == [FILM_COLUMNS] * 20
    assert [row["frame"] for row in rows] == list(range(20))
    assert [row["time_s"] for row in rows] == [round(n / 25, 3) for n in range(20)]
    assert {(row["path"], row["status"], row["region"], row["track"]) for row in rows} == {
        ("film.mp4", "ok", "whole", None)
    }
    assert (rows[0]["label"], rows[-1]["label"]) == ("sunglasses", "no_sunglasses")


def test_faces_are_followed(faces: None) -> None:
    make_film(Path("walk.mp4"), (image for image, _ in moving(20, faces=2, speed=4)))
    rows = judge("walk.mp4", "--detect-every", "10")
    assert len(rows) == 40
    assert {row["track"] for row in rows} == {1, 2}
    assert {row["frame"] for row in rows if row["face_confidence"] is not None} == {0, 10}
    for track in (1, 2):
        x0 = [row["x0"] for row in rows if row["track"] == track]
        assert x0[10] - x0[0] == pytest.approx(40, abs=15)
        assert x0[-1] > x0[10]


def test_files_and_tables() -> None:
    result = gafas("film.mp4", "-o", "rows.csv")
    assert result.exit_code == 0, result.output
    assert "20 frames of 1 films, 0 failed: rows.csv" in result.stderr
    with Path("rows.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert tuple(rows[0]) == FILM_COLUMNS
    assert rows[3]["frame"] == "3"
    table = gafas("film.mp4", "gone.mp4")
    assert table.exit_code == 1
    for words in ("frame", "time_s", "track", "film.mp4", "0.76", "gone.mp4: no such file or folder"):
        assert words in table.stdout


def test_less_often_and_less_long() -> None:
    assert [row["frame"] for row in judge("film.mp4", "--every", "6")] == [0, 6, 12, 18]
    assert [row["frame"] for row in judge("film.mp4", "--max-frames", "3")] == [0, 1, 2]
    assert [row["frame"] for row in judge("film.mp4", "--every", "4", "--max-frames", "9")] == [0, 4, 8]
    assert [row["frame"] for row in judge("film.mp4", "--max-seconds", "0.1")] == [0, 1, 2]


def test_smoothing_can_be_left_out() -> None:
    raw, smooth = judge("film.mp4", "--smooth", "0"), judge("film.mp4", "--smooth", "10")
    assert raw[-1]["sunglasses"] < 0.05
    assert smooth[-1]["sunglasses"] > raw[-1]["sunglasses"]
    assert raw[0]["sunglasses"] == pytest.approx(smooth[0]["sunglasses"], abs=1e-3)


def test_a_film_for_a_film() -> None:
    Path("films").mkdir()
    make_film(Path("films/film.mp4"), greys(6, size=(120, 160)))
    judge("film.mp4", "films/film.mp4", "--annotate", "drawn")
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["film-2.mp4", "film.mp4"]
    before, after = read("films/film.mp4"), read("drawn/film-2.mp4")
    assert [frame.seconds for frame in after] == pytest.approx([frame.seconds for frame in before], abs=0.001)
    # The frame around the whole picture is there.
    assert np.abs(after[0].image[:4].astype(int) - before[0].image[:4]).mean() > 20
    assert "exists already" in refuse("film.mp4", "--annotate", "drawn")
    assert "choose another --annotate" in refuse("films/film.mp4", "--annotate", "films", "--overwrite")


def test_broken_films_among_good_ones() -> None:
    data = make_film(Path("whole.mkv"), noise(100)).read_bytes()
    Path("cut.mkv").write_bytes(data[: len(data) // 2])
    Path("text.mp4").write_text("no film")
    result = gafas("text.mp4", "cut.mkv", "film.mp4", "--annotate", "drawn", "-o", "rows.jsonl")
    assert result.exit_code == 1
    assert "3 films, 2 failed" in result.stderr
    rows = [json.loads(line) for line in Path("rows.jsonl").read_text(encoding="utf-8").splitlines()]
    errors = [row for row in rows if row["status"] == "error"]
    assert [row["path"] for row in errors] == ["text.mp4", "cut.mkv"]
    assert errors[0]["frame"] is None
    good = [row["frame"] for row in rows if row["path"] == "cut.mkv" and row["status"] == "ok"]
    assert len(good) > 20
    assert errors[1]["frame"] == good[-1]
    assert f"after frame {good[-1]}" in errors[1]["error"]
    assert len(read("drawn/cut.mkv")) == len(good)
    assert sorted(path.name for path in Path("drawn").iterdir()) == ["cut.mkv", "film.mp4"]
    assert len([row for row in rows if row["path"] == "film.mp4"]) == 20


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("film.mp4", "photo.jpg"), "film.mp4 and photo.jpg: expected images or films, got both"),
        (("film.mp4", "--sort-into", "sorted"), "--sort-into: is for images"),
        (("film.mp4", "--batch-size", "4"), "--batch-size: is for images"),
        (("film.mp4", "--schema", "aws", "-f", "json"), "--schema aws: is for images"),
        (("film.mp4", "--detect-every", "4"), "--detect-every: is for faces, got --region whole"),
        (("photo.jpg", "--every", "4"), "--every: is for films and cameras"),
        (("photo.jpg", "--detect-every", "4"), "--detect-every: is for films and cameras"),
        (("photo.jpg", "--smooth", "0"), "--smooth: is for films and cameras"),
        (("photo.jpg", "--max-frames", "4"), "--max-frames: is for films and cameras"),
        (("photo.jpg", "--max-seconds", "4"), "--max-seconds: is for films and cameras"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_what_makes_no_sense_is_refused(words: tuple[str, ...], message: str) -> None:
    assert message in refuse(*words)


def test_an_output_that_exists_is_seen_before_the_film_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("rows.csv").touch()
    monkeypatch.setattr(video, "_address", lambda _: pytest.fail("opened"))
    assert "rows.csv: exists already" in refuse("film.mp4", "-o", "rows.csv")


def test_a_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    """A film in the place of a camera, opened through the same door."""
    monkeypatch.setattr(video, "camera_address", lambda _: Address("film.mp4"))
    rows = judge("0", "--max-frames", "5", "--annotate", "drawn")
    assert [(row["path"], row["frame"]) for row in rows] == [("0", n) for n in range(5)]
    assert len(read("drawn/camera-0.mp4")) == 5


def test_no_camera(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(word: str) -> Address:
        raise VideoError(f"camera {word}: expected one of 0 cameras")

    monkeypatch.setattr(video, "camera_address", none)
    (row,) = judge("1", code=1)
    assert (row["path"], row["status"], row["error"]) == ("1", "error", "camera 1: expected one of 0 cameras")


def test_a_stream_that_breaks_off() -> None:
    data = make_film(Path("a.ts"), noise(30), codec="mpeg2video").read_bytes()
    with sender(data, "short") as address:
        result = gafas(address, "--annotate", "drawn", "-o", "rows.jsonl")
    assert result.exit_code == 1, result.output
    *rows, last = [json.loads(line) for line in Path("rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(row["status"], row["frame"]) for row in rows] == [("ok", number) for number in range(30)]
    assert (last["status"], last["frame"]) == ("error", 29)
    assert "broken off after frame" in last["error"]
    assert len(read("drawn/stream.mp4")) == 30


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="v4l2")
def test_a_camera_that_does_not_exist() -> None:
    (row,) = judge("63", code=1)
    assert (row["path"], row["status"], row["frame"]) == ("63", "error", None)
    assert row["error"].startswith(
        "camera 63: cannot be opened (/dev/video63): No such file or directory; is it plugged"
    )


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    result = gafas("film.mp4")
    assert result.exit_code == 2
    assert "pip install 'gafas[video]'" in result.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("times", [1, 2])
def test_interrupted(process: Callable[..., subprocess.Popen[str]], times: int) -> None:
    """One Ctrl-C finishes what is there; whoever is impatient presses it again, and no half film is left."""
    make_film(Path("long.mp4"), greys(600, step=0), sound=True)
    with process("predict", "long.mp4", "--annotate", "drawn", "-f", "jsonl") as running:
        assert running.stdout is not None
        assert running.stderr is not None
        lines = [running.stdout.readline() for _ in range(10)]
        # The pipe is full soon: while nobody reads it, the first one cannot be obeyed.
        running.send_signal(signal.SIGINT)
        if times == 2:
            time.sleep(1)
            running.send_signal(signal.SIGINT)
        # What was read ahead lies in the stream, where communicate() would not look.
        rest, words = running.stdout.read(), running.stderr.read()
    # The second one may come when Python has let go of its own handlers.
    assert running.returncode in ({130} if times == 1 else {130, -signal.SIGINT})
    names = [path.name for path in Path("drawn").iterdir()]
    if times == 2 and not names:
        return
    rows = [json.loads(line) for line in [*lines, *rest.splitlines()]]
    assert 10 <= len(rows) < 600
    assert [row["frame"] for row in rows] == list(range(len(rows)))
    assert f"long.mp4: stopped after frame {len(rows) - 1}" in words
    assert names == ["long.mp4"]
    assert len(read("drawn/long.mp4")) == len(rows)
