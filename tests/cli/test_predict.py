"""``gafas predict``: every input gets a row, every failure one line and its exit code, and nothing is lost."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from gafas.bundle import MANIFEST, ONNX, TFLITE, Manifest, load_bundle, save_manifest
from gafas.cli import app, tables
from gafas.imaging import encode, write_image
from tests.runtime.tiny import TINY_TFLITE
from tests.waiting import wait_for

on_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals, pipes and limits of POSIX")


@pytest.fixture(autouse=True)
def here(bundle: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with the bundle ``tiny`` and the folder ``photos``."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GAFAS_MODEL", "tiny")
    return tmp_path


def gafas(*words: str | Path, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, ["predict", *map(str, words)], input=stdin)


def rows_of(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def judge(*words: str | Path, code: int = 0, stdin: bytes | None = None) -> list[dict[str, Any]]:
    result = gafas(*words, "-f", "jsonl", stdin=stdin)
    assert result.exit_code == code, result.stderr
    assert result.stderr == ""
    return rows_of(result)


def refuse(*words: str | Path, code: int) -> str:
    """Return the one line that a run ends with."""
    result = gafas(*words)
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def tree(folder: str | Path = ".") -> dict[str, bytes]:
    """Everything below a folder, hidden or not, with its bytes."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(Path(folder).rglob("*")) if p.is_file()}


def run(*words: str, setup: str = "") -> subprocess.CompletedProcess[bytes]:
    """Run the command line in a process of its own."""
    script = f"{setup}\nfrom gafas.cli import main; main()"
    command = [sys.executable, "-B", "-W", "error", "-c", script, "predict", *words]
    return subprocess.run(command, capture_output=True, check=False)


@pytest.fixture
def nothing_changes() -> Iterator[None]:
    """The working directory is the same afterwards."""
    before = tree()
    yield
    assert tree() == before


# What it says


def test_a_folder() -> None:
    rows = judge("photos")
    assert [(row["path"], row["label"]) for row in rows] == [
        ("photos/dark.png", "sunglasses"),
        ("photos/far/dark.jpg", "sunglasses"),
        ("photos/light.png", "no_sunglasses"),
    ]
    assert rows[0]["sunglasses"] == pytest.approx(1 / (1 + np.exp(-117.5 / 20)), abs=1e-6)
    assert {row["region"] for row in rows} == {"whole"}


def test_a_table_for_people() -> None:
    result = gafas("photos", "photos/gone.jpg")
    assert result.exit_code == 1
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert any("photos/dark.png" in line and "sunglasses" in line and "0.9972" in line for line in lines)
    assert any("photos/gone.jpg" in line and "error" in line and "no such file" in line for line in lines)


def test_a_long_table_is_cut_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_TABLE_ROWS", 2)
    result = gafas("photos")
    assert "photos/light.png" not in result.stdout
    assert "the first 2 of 3 rows are shown; write all with: -o result.csv" in result.stderr


@pytest.mark.parametrize("ending", ["csv", "json", "jsonl"])
def test_the_ending_chooses_the_format(ending: str) -> None:
    result = gafas("photos", "-o", f"out.{ending}")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert result.stderr == f"3 images, 0 failed: out.{ending}\n"
    printed = gafas("photos", "--format", ending)
    assert printed.stderr == ""
    assert printed.stdout == Path(f"out.{ending}").read_text(encoding="utf-8")


def test_standard_input() -> None:
    (row,) = judge("-", stdin=Path("photos/dark.png").read_bytes())
    assert (row["path"], row["label"], row["x1"], row["y1"]) == ("-", "sunglasses", 20, 10)
    (row,) = judge("-", stdin=b"", code=1)
    assert row["error"] == "standard input: the file is empty (0 bytes)"


def test_the_threshold() -> None:
    assert {row["label"] for row in judge("photos", "--threshold", "1")} == {"no_sunglasses"}
    assert {row["label"] for row in judge("photos", "--threshold", "0")} == {"sunglasses"}
    assert gafas("photos", "--threshold", "1.1").exit_code == 2


def test_the_batch_size_changes_nothing() -> None:
    assert judge("photos", "-b", "1") == judge("photos", "-b", "2") == judge("photos")
    assert gafas("photos", "-b", "0").exit_code == 2


def test_litert_says_the_same() -> None:
    pytest.importorskip("ai_edge_litert", reason="LiteRT is not installed")
    Path("tiny", TFLITE).write_bytes(TINY_TFLITE)
    save_manifest(Path("tiny"), load_bundle("tiny").manifest)
    assert judge("photos", "--runtime", "litert") == judge("photos", "--runtime", "onnx")


def test_the_shipped_model_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAFAS_MODEL")
    rows = judge("photos")
    assert rows == judge("photos", "--model", "gafas-base")
    assert all(row["eyeglasses"] for row in rows if row["status"] == "ok")


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


GOOD = encode(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8), ".png")
BROKEN = {
    "empty.jpg": (b"", "empty (0 bytes)"),
    "text.jpg": (b"Dear Sir or Madam,\n", "not a picture"),
    "text.pgm": (b"Dear Sir or Madam,\n", "not a picture"),
    "cut.png": (GOOD[: len(GOOD) // 2], "truncated"),
    "huge.png": (png_claiming(100_000, 100_000), "at most 178,956,970 pixels"),
    "zero.pgm": (b"P5 1 1 0\n\0", "maxval"),
    "above.pgm": (b"P5 2 1 156\n\x00\xc8", "largest sample is 156, got 200"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_one_broken_image_among_good_ones(name: str) -> None:
    content, reason = BROKEN[name]
    Path("photos", name).write_bytes(content)
    rows = judge("photos", code=1)
    assert [row["path"] for row in rows if row["status"] == "ok"] == [
        "photos/dark.png",
        "photos/far/dark.jpg",
        "photos/light.png",
    ]
    (failed,) = [row for row in rows if row["status"] == "error"]
    assert failed["path"] == f"photos/{name}"
    assert failed["error"].startswith(f"photos/{name}: ")
    assert reason in failed["error"]
    assert failed["label"] is failed["sunglasses"] is None


def test_a_broken_image_does_not_spoil_the_file() -> None:
    Path("photos/broken.jpg").touch()
    result = gafas("photos", "-o", "out.csv")
    assert result.exit_code == 1
    assert result.stderr == "4 images, 1 failed: out.csv\n"
    with Path("out.csv").open(encoding="utf-8", newline="") as stream:
        assert [row["status"] for row in csv.DictReader(stream)] == ["error", "ok", "ok", "ok"]


def test_sources_that_lead_nowhere() -> None:
    Path("empty").mkdir()
    rows = judge("gone.jpg", "empty", "*.zip", "photos/dark.png", "a" * 300, code=1)
    assert [row["status"] for row in rows] == ["error", "error", "error", "ok", "error"]
    for row, reason in zip(rows, ("no such file", "holds no images", "no file matches"), strict=False):
        assert reason in row["error"]


def test_no_source_at_all() -> None:
    assert gafas().exit_code == 2


@on_posix
def test_names_that_are_not_utf8() -> None:
    name = os.fsdecode(b"photos/caf\xe9\x1b[31m.png")
    try:
        shutil.copyfile("photos/dark.png", name)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    done = run("photos", "-f", "csv")
    assert os.fsencode(name) + b",ok," in done.stdout
    done = run("photos", "-f", "json")
    assert name in [row["path"] for row in json.loads(done.stdout.decode("utf-8"))]
    done = run("photos")
    assert done.returncode == 0
    # Neither the byte nor the code that would colour the terminal.
    assert "photos/caf��[31m.png" in done.stdout.decode("utf-8")
    assert run("photos", "-o", "out.json", "--sort-into", "sorted").returncode == 0
    assert Path(f"sorted/sunglasses/{Path(name).name}").is_file()


# The model


@pytest.mark.usefixtures("nothing_changes")
def test_no_such_model() -> None:
    assert "gone: expected a bundle or run folder with manifest.json, got none" in refuse(
        "photos", "-m", "gone", code=1
    )
    assert "--runtime: expected one of auto, onnx" in refuse("photos", "--runtime", "cuda", code=2)
    assert "predict takes a bundle or a run folder" in refuse("photos", "-m", f"tiny/{ONNX}", code=2)


def damage_hash() -> None:
    Path("tiny", ONNX).write_bytes(Path("tiny", ONNX).read_bytes() + b"!")


def damage_version() -> None:
    text = Path("tiny", MANIFEST).read_text(encoding="utf-8")
    Path("tiny", MANIFEST).write_text(text.replace('"format_version": 1', '"format_version": 99'), encoding="utf-8")


def damage_json() -> None:
    Path("tiny", MANIFEST).write_text("Dear Sir or Madam,\n")


def damage_size() -> None:
    save_manifest(Path("tiny"), Manifest(name="wrong", architecture="none", input_size=(128, 128)))


def damage_model() -> None:
    Path("tiny", ONNX).write_text("Dear Sir or Madam,\n")
    save_manifest(Path("tiny"), Manifest(name="text", architecture="none", input_size=(8, 8)))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (damage_hash, "tiny/model.onnx: sha256 "),
        (damage_version, "format_version 99 is newer than 1"),
        (damage_json, "tiny/manifest.json: cannot be read as JSON"),
        (damage_size, "the graph takes 8×8 pixels, the manifest says 128×128"),
        (damage_model, "tiny/model.onnx: not a usable ONNX model"),
    ],
)
def test_a_damaged_bundle(damage: Callable[[], None], message: str) -> None:
    damage()
    before = tree()
    assert message in refuse("photos", "-o", "out.csv", "--sort-into", "sorted", code=1)
    assert tree() == before


def test_litert_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("tiny", TFLITE).write_bytes(TINY_TFLITE)
    save_manifest(Path("tiny"), load_bundle("tiny").manifest)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    expected = "error: running .tflite models needs: pip install 'gafas[litert]'"
    assert refuse("photos", "--runtime", "litert", code=2) == expected


def test_the_core_is_enough() -> None:
    """A bare installation predicts: every package of the extras is barred."""
    extras = ["ai_edge_litert", "h5py", "jinja2", "keras", "matplotlib", "onnx", "sklearn", "tensorflow", "tf2onnx"]
    script = f"import sys; sys.modules.update(dict.fromkeys({extras})); from gafas.cli import main; main()"
    words = [sys.executable, "-W", "error", "-c", script, "predict", "photos", "-f", "jsonl"]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(done.stdout.splitlines()) == 3


# The output


def test_an_output_that_exists() -> None:
    Path("out.csv").write_text("mine")
    before = tree()
    assert "out.csv: exists already; pass --overwrite to replace it" in refuse("photos", "-o", "out.csv", code=2)
    assert tree() == before
    assert gafas("photos", "-o", "out.csv", "--overwrite").exit_code == 0
    assert Path("out.csv").read_text().startswith("path,status,")


@pytest.mark.usefixtures("nothing_changes")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("-o", "photos/dark.png/out.csv"), "photos/dark.png/out.csv: not written: "),
        (("-o", "photos", "-f", "csv", "--overwrite"), "photos: is a folder; name a file"),
        (("-o", os.devnull, "-f", "csv", "--overwrite"), "is a device; name a file"),
        (("-o", "a" * 300 + ".csv"), "name too long"),
        (("-o", "out.txt"), "out.txt: expected an ending .csv, .json or .jsonl"),
        (("-o", "out.csv", "-f", "table"), "--format table is for the terminal"),
        (("-f", "xml"), "--format: expected one of table, csv, json, jsonl, got xml"),
        (("--sort-into", "photos/dark.png"), "not written: "),
    ],
)
def test_an_output_that_cannot_be(words: tuple[str, ...], message: str) -> None:
    assert message in refuse("photos", *words, code=2)


@on_posix
@pytest.mark.parametrize("words", [("-o", "out.csv"), ("-o", "out.json"), ("--sort-into", "sorted")])
def test_a_disk_that_fills_up_half_way(words: tuple[str, str]) -> None:
    """A real write error, from the system: files may not grow beyond 100 bytes."""
    Path(words[1]).mkdir() if "sorted" in words else Path(words[1]).write_text("old")
    Path("photos/dark.png").write_bytes(GOOD)
    before = tree()
    done = run(
        "photos", *words, "--overwrite", setup="import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))"
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith(b"error: ")
    assert line.endswith(b"not written: File too large")
    assert tree() == before


@on_posix
@pytest.mark.parametrize("kind", ["table", "csv", "json", "jsonl"])
def test_standard_output_on_a_full_disk(kind: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "gafas", "predict", "photos", "-f", kind]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "error: standard output: not written: No space left on device\n")


@on_posix
@pytest.mark.parametrize("kind", ["table", "csv", "json", "jsonl"])
def test_a_reader_that_has_gone(kind: str) -> None:
    command = [sys.executable, "-m", "gafas", "predict", "photos", "-f", kind]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    assert process.communicate(timeout=60)[1] == b""


def names() -> set[str]:
    """Everything in the working directory, hidden or not."""
    return {path.name for path in Path().iterdir()}


def writing_end(pipe: str) -> int | None:
    """Open a named pipe for writing; ``None`` as long as nobody has it open for reading."""
    try:
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None


@on_posix
def test_interrupted() -> None:
    """Ctrl-C while an image is waited for: the old output stays, no temporary file does."""
    Path("out.csv").write_text("old")
    os.mkfifo("slow.png")
    before = names()
    command = [
        sys.executable,
        "-m",
        "gafas",
        "predict",
        "photos",
        "slow.png",
        "-b",
        "1",
        "-o",
        "out.csv",
        "--overwrite",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE)
    pipe = wait_for(lambda: writing_end("slow.png"))
    assert names() != before
    time.sleep(0.2)  # until it is not only open but being read
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    os.close(pipe)
    assert process.returncode == 130
    assert b"Traceback" not in stderr
    assert names() == before
    assert Path("out.csv").read_text() == "old"


# Sorting


def sort(*words: str, code: int = 0) -> None:
    result = gafas(*words, "--sort-into", "sorted", "-f", "jsonl")
    assert result.exit_code == code, result.output


def test_copies_go_to_the_folder_of_their_label() -> None:
    os.utime("photos/dark.png", (1_000_000, 1_000_000))
    before = tree("photos")
    sort("photos")
    assert tree("sorted") == {
        "sunglasses/dark.png": before["dark.png"],
        "sunglasses/far/dark.jpg": before["far/dark.jpg"],
        "no_sunglasses/light.png": before["light.png"],
    }
    assert Path("sorted/sunglasses/dark.png").stat().st_mtime == 1_000_000
    assert tree("photos") == before


def test_what_cannot_be_read_is_not_copied() -> None:
    Path("photos/broken.jpg").touch()
    sort("photos", "gone.jpg", code=1)
    assert len(tree("sorted")) == 3


def test_standard_input_has_no_name_to_copy_it_under() -> None:
    result = CliRunner().invoke(
        app, ["predict", "-", "--sort-into", "sorted"], input=Path("photos/dark.png").read_bytes()
    )
    assert result.exit_code == 0
    assert not Path("sorted").exists()


def test_the_same_name_twice_in_one_run_keeps_both() -> None:
    for name, brightness in (("a/x.png", 1), ("b/x.png", 2), ("c/X.png", 3), ("d/x-2.png", 4)):
        write_image(Path(name), np.full((4, 4, 3), brightness, np.uint8))
    expected = [Path(name).read_bytes() for name in ("a/x.png", "b/x.png", "c/X.png", "d/x-2.png")]
    sort("a", "b", "c", "d")
    assert sorted(tree("sorted").values()) == sorted(expected)
    assert set(tree("sorted")) == {f"sunglasses/{name}.png" for name in ("x", "x-2", "X-3", "x-2-2")}


def test_a_second_run_replaces_its_own_copies() -> None:
    sort("photos")
    first = tree("sorted")
    assert "sorted/no_sunglasses: exists already; pass --overwrite" in refuse("photos", "--sort-into", "sorted", code=2)
    write_image(Path("photos/dark.png"), np.zeros((5, 5, 3), np.uint8))
    sort("photos", "--overwrite")
    assert tree("sorted") == first | {"sunglasses/dark.png": Path("photos/dark.png").read_bytes()}


@pytest.mark.parametrize(
    "sources",
    [
        ("sorted",),
        (".",),
        ("sorted/sunglasses/dark.png",),
        # The copy of the first would replace the second before it is judged.
        ("photos/dark.png", "sorted/sunglasses/dark.png"),
        ("link.png",),
    ],
)
def test_what_lies_in_the_target_is_never_overwritten(sources: tuple[str, ...]) -> None:
    sort("photos")
    Path("link.png").symlink_to(Path("sorted/sunglasses/dark.png").absolute())
    before = tree()
    line = refuse(*sources, "--sort-into", "sorted", "--overwrite", "-o", "out.csv", code=2)
    assert "would be copied into the folder that it lies in; choose another --sort-into" in line
    assert tree() == before


def test_photographs_may_lie_beside_the_target() -> None:
    result = gafas("photos", "--sort-into", ".")
    assert result.exit_code == 0
    assert Path("no_sunglasses/light.png").is_file()


def test_an_output_that_exists_is_seen_before_anything_is_copied() -> None:
    Path("out.csv").write_text("mine")
    refuse("photos", "--sort-into", "sorted", "-o", "out.csv", code=2)
    assert not Path("sorted").exists()
