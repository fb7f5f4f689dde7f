"""Writing: nothing half-written under its final name, nothing lost, nothing left over."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from gafas import files
from gafas.errors import ImageError, OutputError
from gafas.files import require_free, sha256, write_beside, write_folder_beside, write_json, write_text


def names(folder: Path) -> list[str]:
    """Everything in a folder, hidden or not."""
    return sorted(path.name for path in folder.iterdir())


def full_disk() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


# require_free


def test_what_is_not_there_is_free(tmp_path: Path) -> None:
    require_free(tmp_path / "new.csv", overwrite=False)
    require_free(tmp_path / "file" / "new.csv", overwrite=False)
    (tmp_path / "empty").mkdir()
    require_free(tmp_path / "empty", overwrite=False)


def test_what_is_there_asks_for_overwrite(tmp_path: Path) -> None:
    old = tmp_path / "old.csv"
    old.write_text("mine")
    for path in (old, tmp_path):
        with pytest.raises(OutputError, match="exists already; pass --overwrite to replace it, or name another"):
            require_free(path, overwrite=False)
        require_free(path, overwrite=True)


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    path = tmp_path / ("a" * 300)
    with pytest.raises(OutputError, match="name too long"):
        require_free(path, overwrite=False)
    with pytest.raises(OutputError, match="name too long"), write_beside(path):
        pytest.fail("the block must not run")


# write_beside


def test_a_file_takes_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "er" / "a.csv"
    with write_beside(path) as temporary:
        assert temporary.parent == path.parent
        assert temporary.suffix == ".csv"
        assert temporary.name.startswith(".")
        temporary.write_text("new")
        assert not path.exists()
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.csv"]


def test_the_umask_decides_who_may_read(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "a")
        with write_folder_beside(tmp_path / "folder") as folder:
            (folder / "a").touch()
    finally:
        os.umask(old)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750


@pytest.mark.parametrize("error", [KeyboardInterrupt(), ImageError("broken"), full_disk(), RuntimeError("odd")])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.csv"
    path.write_text("old")
    expected = OutputError if isinstance(error, OSError) else type(error)

    def fail() -> None:
        with write_beside(path) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises(expected):
        fail()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.csv"]


def test_the_message_names_the_output_when_writing_failed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(OutputError) as caught, write_beside(path):
        raise full_disk()
    assert str(caught.value) == f"{path}: not written: No space left on device"
    with pytest.raises(OutputError) as caught, write_beside(path) as temporary:
        raise OSError(errno.EIO, "Input/output error", str(temporary))
    assert str(caught.value) == f"{path}: not written: Input/output error"


def test_the_message_names_another_file_when_reading_failed(tmp_path: Path) -> None:
    path, gone = tmp_path / "a.csv", tmp_path / "gone.jpg"
    with pytest.raises(OutputError) as caught, write_beside(path) as temporary:
        shutil.copyfile(gone, temporary)
    assert str(caught.value) == f"{path}: not written: {gone}: No such file or directory"


def test_a_copy_that_fails_does_not_blame_its_source(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(OutputError) as caught, write_beside(path) as temporary:
        raise OSError(errno.EFBIG, "File too large", "source.jpg", None, str(temporary))
    assert str(caught.value) == f"{path}: not written: File too large"


def test_a_folder_of_that_name_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder; name a file"), write_beside(tmp_path):
        pytest.fail("the block must not run")


def test_a_device_is_never_replaced_by_a_file(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path(os.devnull)):
        with pytest.raises(OutputError, match="is a device; name a file"), write_beside(path):
            pytest.fail("the block must not run")
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_below_a_regular_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match=r"not written: .*file: (File exists|Not a directory)"):
        write_text(tmp_path / "file" / "a.csv", "new")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="no file size limits on Windows")
def test_a_disk_that_fills_up_half_way(tmp_path: Path) -> None:
    """A real write error, from the system: files may not grow beyond 1,000 bytes."""
    path = tmp_path / "a.txt"
    path.write_text("old")
    script = (
        "import resource, signal, sys; from pathlib import Path; from gafas.files import write_text;"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
        "write_text(Path(sys.argv[1]), 'new' * 1000)"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=False)
    assert f"OutputError: {path}: not written: File too large" in done.stderr
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize(("maker", "write"), [("mkstemp", write_beside), ("mkdtemp", write_folder_beside)])
def test_ctrl_c_between_making_and_remembering(
    maker: str,
    write: Callable[[Path], AbstractContextManager[Path]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make = getattr(tempfile, maker)

    def interrupted(*arguments: Any, **others: Any) -> Any:
        made = make(*arguments, **others)
        signal.raise_signal(signal.SIGINT)
        return made

    monkeypatch.setattr(tempfile, maker, interrupted)
    with pytest.raises(KeyboardInterrupt), write(tmp_path / "out"):
        pytest.fail("the block must not run")
    assert names(tmp_path) == []


# write_folder_beside


def test_a_folder_takes_its_name_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "run"
    with write_folder_beside(path) as temporary:
        (temporary / "a").write_text("new")
        assert not path.exists()
    assert (path / "a").read_text() == "new"
    assert names(path.parent) == ["run"]


def test_a_folder_is_replaced_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "old").write_text("old")
    with pytest.raises(OutputError, match="pass --overwrite"), write_folder_beside(path):
        pytest.fail("the block must not run")
    with write_folder_beside(path, overwrite=True) as temporary:
        (temporary / "new").write_text("new")
    assert names(path) == ["new"]
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), full_disk()])
def test_a_failure_leaves_the_old_folder_and_no_other(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "old").write_text("old")
    expected = OutputError if isinstance(error, OSError) else type(error)

    def fail() -> None:
        with write_folder_beside(path, overwrite=True) as temporary:
            (temporary / "new").write_text("half")
            raise error

    with pytest.raises(expected):
        fail()
    assert names(path) == ["old"]
    assert names(tmp_path) == ["run"]


@pytest.mark.parametrize("error", [KeyboardInterrupt(), full_disk()])
def test_the_old_folder_comes_back_when_the_new_one_cannot_take_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "run"
    path.mkdir()
    (path / "old").write_text("old")
    rename = Path.rename

    def fail_on_new(self: Path, target: Path) -> Path:
        if self.name.startswith(".writing-"):
            raise error
        return rename(self, target)

    # As on a system that cannot exchange two folders in one step.
    monkeypatch.setattr(files, "exchange", lambda *_: False)
    monkeypatch.setattr(Path, "rename", fail_on_new)
    expected = OutputError if isinstance(error, OSError) else type(error)
    with pytest.raises(expected), write_folder_beside(path, overwrite=True):
        pass
    assert names(path) == ["old"]
    assert names(tmp_path) == ["run"]


# Small ones


def test_json_is_readable_and_has_no_nan(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_json(path, {"ñ": [1, 0.5]})
    assert path.read_text(encoding="utf-8") == '{\n  "ñ": [\n    1,\n    0.5\n  ]\n}\n'
    with pytest.raises(ValueError, match="Out of range"):
        write_json(path, float("nan"))
    assert json.loads(path.read_text(encoding="utf-8")) == {"ñ": [1, 0.5]}


def test_sha256(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    assert sha256(tmp_path / "a").startswith("ba7816bf8f01cfea")


def test_a_tree_that_is_copied_in_part_fails_in_few_words(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / "in" / name).mkdir(parents=True)
        (tmp_path / "in" / name / "gone").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError) as caught, write_folder_beside(tmp_path / "out") as temporary:
        shutil.copytree(tmp_path / "in", temporary, dirs_exist_ok=True)
    assert str(caught.value) == f"{tmp_path / 'out'}: not written: No such file or directory"


@pytest.mark.parametrize("name", ["a" * 251 + ".csv", "a." + "b" * 253, "ñ" * 127])
def test_an_output_may_have_the_longest_name(tmp_path: Path, name: str) -> None:
    write_text(tmp_path / name, "new")
    assert names(tmp_path) == [name]
    (tmp_path / name).unlink()
    for _ in range(2):
        with write_folder_beside(tmp_path / name, overwrite=True) as temporary:
            (temporary / "a").touch()
    assert names(tmp_path) == [name]


def test_file_names_that_are_no_utf8(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    write_text(tmp_path / "a.csv", name)
    assert (tmp_path / "a.csv").read_bytes() == b"caf\xe9.jpg"
    write_json(tmp_path / "a.json", [name])
    assert json.loads((tmp_path / "a.json").read_text(encoding="utf-8")) == [name]


def test_what_is_unfinished_is_no_output(tmp_path: Path) -> None:
    (tmp_path / ".writing-abcdefgh.csv").touch()
    require_free(tmp_path, overwrite=False)
    (tmp_path / "a.csv").touch()
    with pytest.raises(OutputError, match="exists already"):
        require_free(tmp_path, overwrite=False)
