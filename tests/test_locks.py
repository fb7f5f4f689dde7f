"""Locks: one process at a time, let go however it ends, nothing left over."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gafas import locks
from gafas.errors import OutputError
from gafas.files import require_free, sweep, write_beside, write_folder_beside
from gafas.locks import exchange, hold_folder, lock, unlock

pytestmark = pytest.mark.skipif(not locks.LOCKS, reason="this system has no such locks")


@pytest.fixture
def other() -> Iterator[subprocess.Popen[str]]:
    """A process that writes a file, then a folder, beside those of the name it is given, and ends neither."""
    script = (
        "import sys; from pathlib import Path; from gafas.files import write_beside, write_folder_beside\n"
        "place = Path(sys.stdin.readline().strip())\n"
        "with write_beside(place / 'a.csv') as file, write_folder_beside(place / 'b') as folder:\n"
        "    file.write_text('half'); (folder / 'c').write_text('half'); print('writing', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.kill()
    process.communicate()


def _write(process: subprocess.Popen[str], place: Path) -> None:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{place}\n")
    process.stdin.flush()
    assert process.stdout.readline() == "writing\n"


def test_only_what_a_dead_process_left_is_swept(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    _write(other, tmp_path)
    assert len(list(tmp_path.glob(".writing-*"))) == 2
    sweep(tmp_path)
    assert len(list(tmp_path.glob(".writing-*"))) == 2
    other.kill()
    other.wait()
    (tmp_path / ".writing-a-letter.txt").touch()
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [".writing-a-letter.txt"]  # somebody else's
    (tmp_path / ".writing-a-letter.txt").unlink()


def test_what_a_dead_process_left_goes_with_the_next_file(tmp_path: Path, other: subprocess.Popen[str]) -> None:
    _write(other, tmp_path)
    other.kill()
    other.wait()
    # What was left is no output, and goes with the next file that is written there.
    require_free(tmp_path, overwrite=False)
    with write_beside(tmp_path / "mine.csv") as temporary:
        temporary.write_text("mine")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.csv"]


def test_a_folder_is_made_for_who_holds_it_and_goes_when_it_stays_empty(tmp_path: Path) -> None:
    with hold_folder(tmp_path / "a" / "b"):
        assert (tmp_path / "a" / "b").is_dir()
    assert list(tmp_path.iterdir()) == []
    with hold_folder(tmp_path / "a" / "b"):
        (tmp_path / "a" / "kept").touch()
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["kept"]


def test_a_folder_is_held_against_others_and_not_against_oneself(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from gafas.locks import hold_folder\n"
        "with hold_folder(Path(sys.argv[1])): print('held')"
    )

    def ask() -> str:
        done = subprocess.run([sys.executable, "-c", script, tmp_path], capture_output=True, text=True, check=False)
        return done.stdout or done.stderr.splitlines()[-1]

    with hold_folder(tmp_path), hold_folder(tmp_path):
        assert "another gafas is writing into it; wait until it has ended, or name another output" in ask()
    assert ask() == "held\n"


def test_what_cannot_be_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / ("a" * 300)):
        with pytest.raises(OutputError, match="not written"), hold_folder(path):
            pytest.fail("the block must not run")


def test_a_lock_on_what_is_gone(tmp_path: Path) -> None:
    assert lock(tmp_path / "gone") is None
    handle = lock(tmp_path)
    with pytest.raises(BlockingIOError):
        lock(tmp_path)
    unlock(handle)
    unlock(lock(tmp_path))
    unlock(None)


def test_without_locks_nothing_is_held_and_nothing_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "LOCKS", False)
    (tmp_path / ".writing-abcdefgh").touch()
    with hold_folder(tmp_path), hold_folder(tmp_path):
        sweep(tmp_path)
    assert (tmp_path / ".writing-abcdefgh").exists()
    with write_beside(tmp_path / "a") as temporary:
        temporary.write_text("a")
    assert (tmp_path / "a").read_text() == "a"


def test_exchange(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    if not exchange(tmp_path / "one", tmp_path / "two"):
        pytest.skip("this file system cannot exchange two folders in one step")
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["two"]
    assert not exchange(tmp_path / "one", tmp_path / "gone")
    assert [path.name for path in (tmp_path / "one").iterdir()] == ["two"]


def test_a_replaced_folder_is_there_at_any_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "bundle"
    path.mkdir()
    (path / "old").touch()
    seen = []
    original = shutil.rmtree

    def look(folder: Path, **options: object) -> None:
        seen.append(sorted(entry.name for entry in path.iterdir()))
        original(folder, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(shutil, "rmtree", look)
    with write_folder_beside(path, overwrite=True) as temporary:
        (temporary / "new").touch()
        seen.append(sorted(entry.name for entry in path.iterdir()))
    assert seen == [["old"], ["new"]]


def test_a_folder_that_another_has_made_meanwhile_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "faces"

    def write() -> None:
        with write_folder_beside(path) as temporary:
            (temporary / "mine").touch()
            path.mkdir()
            (path / "theirs").touch()

    with pytest.raises(OutputError, match="exists already"):
        write()
    assert [entry.name for entry in path.iterdir()] == ["theirs"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["faces"]
