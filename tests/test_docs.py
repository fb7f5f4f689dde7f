"""The documents say what is so: generated pages, command lines, hashes, links, and two languages alike."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
import typer.main

import gafas
from gafas.bundle import Manifest
from gafas.cli import app
from gafas.files import sha256
from gafas.imaging import write_image
from gafas.learn.config import RECIPES

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])
READMES = (ROOT / "README.md", ROOT / "README.es.md")
WORDS = {"|", "||", "&&", ";", "&"}

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def fences(text: str, language: str | None = None) -> list[tuple[str, str]]:
    """Return the fenced blocks as (language, content)."""
    return [block for block in _FENCE.findall(text) if language in (None, block[0])]


def prose(text: str) -> str:
    """Return the text without its fenced blocks."""
    return _FENCE.sub("", text)


def calls(line: str) -> Iterator[list[str]]:
    """Yield the arguments of each call of gafas in one line of shell."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;")
    lexer.whitespace_split = True
    words: list[str] = []
    for word in [*lexer, ";"]:
        if word not in WORDS:
            words.append(word)
            continue
        while words and re.fullmatch(r"\w+=.*", words[0]):
            words.pop(0)
        if words and words[0] == "gafas":
            yield words[1:]
        words = []


def command_lines() -> Iterator[Any]:
    """Yield every call of gafas in the documents: those in shell blocks, and those inside a sentence."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        blocks = [line for _, block in fences(text, "sh") for line in block.replace("\\\n", " ").splitlines()]
        # In a table of Markdown a pipe is written with a backslash.
        inline = [code.replace("\\|", "|") for code in _INLINE.findall(prose(text))]
        for mention, lines in ((False, blocks), (True, inline)):
            for line in lines:
                if "gafas " in line and not line.startswith("pip "):
                    for arguments in calls(line):
                        yield pytest.param(arguments, mention, id=f"{page.name}: gafas {' '.join(arguments)}")


def parse(arguments: list[str], *, mention: bool = False) -> None:
    """Parse a command line without running it; a mention may stop at the command's name."""
    command: Any = typer.main.get_command(app)
    name, rest = "gafas", list(arguments)
    while children := getattr(command, "commands", None):
        if not rest and mention:
            return
        if not rest or rest[0].startswith("-"):
            break
        assert rest[0] in children, f"{name} has no command {rest[0]}"
        name, command = f"{name} {rest[0]}", children[rest.pop(0)]
    if not rest and mention:
        return
    try:
        command.make_context(name, rest)
    except typer.Exit:
        return  # --help and --version
    except Exception as error:
        # Typer has its own copy of Click in some versions, so the class cannot be named.
        if not hasattr(error, "format_message"):
            raise
        pytest.fail(f"gafas {shlex.join(arguments)}: {error.format_message()}")


@pytest.mark.parametrize(("arguments", "mention"), list(command_lines()))
def test_command_lines_parse(arguments: list[str], mention: bool) -> None:
    parse(arguments, mention=mention)


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "photos/", "--modell", "runs/first"],
        ["data", "fetch", "--epochs", "2"],
        ["train", "--seed", "first"],
        ["predict", "--threshold", "1.5", "photos"],
        ["evaluate", "--json"],
        ["frobnicate"],
    ],
    ids=" ".join,
)
def test_wrong_command_lines_do_not_parse(arguments: list[str]) -> None:
    with pytest.raises((pytest.fail.Exception, AssertionError)):
        parse(arguments)


def test_shell_lines_are_taken_apart() -> None:
    assert list(calls("KERAS_BACKEND=jax gafas train -o 'a b' && cat x | gafas predict - ; ls")) == [
        ["train", "-o", "a b"],
        ["predict", "-"],
    ]


@pytest.mark.parametrize("columns", ["40", "200"])
def test_the_command_reference_is_what_the_tool_writes(tmp_path: Path, columns: str) -> None:
    environment = {**os.environ, "COLUMNS": columns, "FORCE_COLOR": "1", "TERM": "xterm-256color"}
    tool = [sys.executable, str(ROOT / "tools" / "make_cli_docs.py"), str(tmp_path / "cli.md")]
    subprocess.run(tool, env=environment, check=True, capture_output=True)
    written = (tmp_path / "cli.md").read_text(encoding="utf-8")
    assert written == (ROOT / "docs" / "cli.md").read_text(encoding="utf-8"), "run: make docs"


def test_the_command_reference_is_plain() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    assert "\x1b" not in text
    assert not re.search(r"\[/?(bold|dim|red|green|yellow)\]", text)
    assert not set("╭╮╰╯│─") & set(text)


def test_both_languages_have_the_same_headings() -> None:
    english, spanish = (
        [len(marks) for marks in re.findall(r"^(#+) ", prose(page.read_text(encoding="utf-8")), re.MULTILINE)]
        for page in READMES
    )
    assert english == spanish


def test_both_languages_have_the_same_code() -> None:
    english, spanish = (fences(page.read_text(encoding="utf-8")) for page in READMES)
    assert english == spanish


def test_both_languages_have_the_same_figures() -> None:
    # Words differ, numbers, and places where numbers are still to come, do not.
    pattern = r"\{\{\w+\}\}|\d+(?:[.,:×]\d+)*"
    english, spanish = (re.findall(pattern, prose(page.read_text(encoding="utf-8"))) for page in READMES)
    assert sorted(english) == sorted(spanish)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in _LINK.findall(prose(page.read_text(encoding="utf-8"))):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        goal = page.parent / name if name else page
        assert goal.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", prose(goal.read_text(encoding="utf-8")), re.MULTILINE)
            assert anchor in {_anchor(title) for title in titles}, target


def _anchor(title: str) -> str:
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_make_targets_exist(page: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    lines = [line for _, block in fences(text, "sh") for line in block.splitlines()] + _INLINE.findall(prose(text))
    for line in lines:
        if line.startswith("make "):
            assert line.split()[1] in targets, line


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_every_extra_is_in_the_table(page: Path) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    text = page.read_text(encoding="utf-8").partition("| extra |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == sorted(extras)


def test_every_manifest_field_is_described() -> None:
    text = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
    assert [f.name for f in fields(Manifest) if f"| `{f.name}` |" not in text] == []


def test_every_setting_is_described() -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8").partition("| setting |")[2]
    names = {field.name for config in RECIPES.values() for field in fields(config)}
    assert sorted(name for name in names if f"`{name}`" not in text) == []


def test_the_notice_gives_the_hash_of_every_asset() -> None:
    notice = (ROOT / "NOTICE").read_text(encoding="utf-8")
    assets = [path for path in (ROOT / "src" / "gafas" / "assets").iterdir() if path.is_file()]
    assert assets
    for path in assets:
        assert path.name in notice
        assert sha256(path) in notice, path.name


def test_versions_agree() -> None:
    assert f"\nversion: {gafas.__version__}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"## [{gafas.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_citation_file_is_well_formed() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert citation["cff-version"] == "1.2.0"
    for work in (citation, *citation["references"]):
        assert {"title", "authors", "type"} <= work.keys()
        assert all({"name"} <= author.keys() or {"family-names"} <= author.keys() for author in work["authors"])


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_python_example_runs(
    page: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    shutil.copy(photos / "far" / "dark.jpg", tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    ((_, code),) = fences(page.read_text(encoding="utf-8"), "python")
    exec(code, {})
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("whole FaceBox(")
    assert "sunglasses" in line


def test_the_onnx_example_runs(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import numpy as np

    bundle.rename(tmp_path / "bundle")
    write_image(tmp_path / "photo.jpg", np.full((10, 20, 3), 250, np.uint8))
    monkeypatch.chdir(tmp_path)
    codes = [code for _, code in fences((ROOT / "docs" / "export.md").read_text(encoding="utf-8"), "python")]
    scope: dict[str, Any] = {}
    for code in codes:
        if "def read_batch" in code or "onnxruntime" in code:
            exec(code, scope)
    assert float(capsys.readouterr().out) < 0.01


@pytest.mark.real_data
def test_the_hash_example_gives_the_hash_of_the_manifest(
    cmu_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from gafas.datasets.verify import read_manifest

    (tmp_path / "cmu_faces").symlink_to(cmu_root)
    monkeypatch.chdir(tmp_path)
    ((_, code),) = fences((ROOT / "docs" / "data.md").read_text(encoding="utf-8"), "python")
    exec(code, {})
    assert capsys.readouterr().out.strip() == read_manifest()["an2i/an2i_left_angry_open.pgm"].sha256
