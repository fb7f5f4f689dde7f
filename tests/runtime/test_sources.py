"""What a SOURCE means; nothing that was named is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gafas.runtime.sources import Source, find_sources


@pytest.fixture(autouse=True)
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with photographs and other things."""
    for name in (
        "b/2.jpg",
        "b/1.PNG",
        "a/deep/3.pgm",
        "4.webp",
        "notes.txt",
        ".hidden.jpg",
        ".thumbs/5.jpg",
        "x[1].jpg",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "named.jpg").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(*words: str) -> list[tuple[str, str]]:
    sources = list(find_sources(words))
    assert all(source.problem is None for source in sources)
    return [(source.path, source.relative) for source in sources]


def problems(*words: str) -> list[str]:
    return [source.problem for source in find_sources(words) if source.problem is not None]


def test_a_folder_is_searched_to_the_bottom_by_name() -> None:
    expected = ["4.webp", "a/deep/3.pgm", "b/1.PNG", "b/2.jpg", "x[1].jpg"]
    assert found(".") == [(path, path) for path in expected]
    assert found("b/") == [("b/1.PNG", "1.PNG"), ("b/2.jpg", "2.jpg")]


def test_files_in_the_order_given_whatever_their_ending() -> None:
    assert found("notes.txt", "b/2.jpg", "4.webp", "4.webp") == [
        ("notes.txt", "notes.txt"),
        ("b/2.jpg", "2.jpg"),
        ("4.webp", "4.webp"),
        ("4.webp", "4.webp"),
    ]


def test_globs() -> None:
    assert found("*/*.jpg") == [("b/2.jpg", "2.jpg")]
    assert found("**/*.pgm") == [("a/deep/3.pgm", "3.pgm")]
    assert found("b/*") == [("b/1.PNG", "1.PNG"), ("b/2.jpg", "2.jpg")]


def test_a_file_whose_name_looks_like_a_glob() -> None:
    assert found("x[1].jpg") == [("x[1].jpg", "x[1].jpg")]


def test_standard_input() -> None:
    assert list(find_sources(["-"])) == [Source("-", "stdin")]


def test_what_leads_nowhere_keeps_its_place() -> None:
    sources = list(find_sources(["gone.jpg", "4.webp", "*.zip", "empty"]))
    assert [source.path for source in sources] == ["gone.jpg", "4.webp", "*.zip", "empty"]
    assert [source.problem for source in sources][:3] == [
        "gone.jpg: no such file or folder",
        None,
        "*.zip: no file matches",
    ]
    assert (sources[3].problem or "").startswith("empty: the folder holds no images (.avif .bmp ")


def test_a_glob_that_matches_folders_only() -> None:
    assert problems("emp*") == ["emp*: no file matches"]


def test_a_name_that_is_too_long() -> None:
    name = "a" * 300
    assert problems(name, f"{name}*") == [f"{name}: no such file or folder", f"{name}*: no file matches"]


def test_links(tree: Path) -> None:
    (tree / "b" / "loop").symlink_to(tree)
    (tree / "b" / "gone.jpg").symlink_to(tree / "nowhere")
    # The loop is not followed; the link that leads nowhere is kept, and fails when it is read.
    assert [path for path, _ in found("b")] == ["b/1.PNG", "b/2.jpg", "b/gone.jpg"]


def test_a_folder_that_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    scandir = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    sources = list(find_sources(["a", "b"]))
    assert [source.path for source in sources] == ["a/deep", "b/1.PNG", "b/2.jpg"]
    assert sources[0].problem == "a/deep: cannot be read: Permission denied"


def test_names_that_are_not_utf8(tree: Path) -> None:
    name = os.fsdecode(b"caf\xe9.jpg")
    try:
        (tree / "empty" / name).touch()
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    assert found("empty") == [(f"empty/{name}", name)]


def test_a_pipe_or_device_that_is_only_found_keeps_nobody_waiting(tmp_path: Path) -> None:
    folder = tmp_path / "strange"
    folder.mkdir()
    os.mkfifo(folder / "pipe.jpg")
    (folder / "zero.png").symlink_to("/dev/zero")
    (folder / "gone.png").symlink_to("nowhere")
    for word in (str(folder), str(folder / "*.*")):
        gone, pipe, zero = sorted(find_sources([word]), key=lambda source: source.path)
        assert gone.problem is None  # whoever reads it says that it is not there
        for source in (pipe, zero):
            assert (
                source.problem == f"{source.path}: is a pipe or a device; expected a file, or its own name as a source"
            )
    # A pipe that somebody names, such as a shell's <(…), is read.
    assert next(find_sources([str(folder / "pipe.jpg")])).problem is None
