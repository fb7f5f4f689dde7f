"""SECURITY.md says what is so: every limit in it is the one in the code, and no limit of the code is missing."""

from __future__ import annotations

import importlib
import re
from dataclasses import fields
from pathlib import Path

import pytest

from gafas import bundle, files, imaging, structure
from gafas.datasets import unpack
from gafas.imaging import FORMATS
from gafas.runtime import onnx_file

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "SECURITY.md").read_text(encoding="utf-8")
_ROW = re.compile(r"^\| [^|]+ \| ([\d,]+) \| `([\w.]+)` \|$", re.MULTILINE)
ROWS = [(name, int(number.replace(",", ""))) for number, name in _ROW.findall(TEXT)]
"""Constant or field, and the number that stands beside it."""


@pytest.mark.parametrize(("name", "number"), [row for row in ROWS if "." in row[0]])
def test_a_limit_is_the_constant_in_the_code(name: str, number: int) -> None:
    module, _, constant = name.rpartition(".")
    assert getattr(importlib.import_module(module), constant) == number


def test_the_server_s_limits_are_its_defaults() -> None:
    pytest.importorskip("fastapi", reason="the serve extra is not installed")
    from gafas.server.settings import Settings

    named = {name: number for name, number in ROWS if "." not in name}
    defaults = {field.name: field.default for field in fields(Settings)}
    assert named == {name: defaults[name] for name in named}
    assert defaults.keys() - named.keys() == {"threads", "api_key", "cors"}


def test_no_limit_is_missing() -> None:
    named = {name.rpartition(".")[2] for name, _ in ROWS}
    for module in (imaging, structure, unpack, onnx_file, bundle, files):
        assert {name for name in vars(module) if name.startswith("MAX_")} <= named, module.__name__


def test_the_formats_are_those_that_are_opened() -> None:
    (sentence,) = re.findall(r"Only the formats that photographs come in are opened: (.*?)\. ", TEXT)
    words = re.sub(r" \(with MPO\)", "", sentence).replace(" and ", ", ").split(", ")
    assert sorted(word.upper() for word in words) == sorted(FORMATS)


def test_it_is_linked_from_where_people_look() -> None:
    for name in ("README.md", "README.es.md", "CONTRIBUTING.md"):
        assert "(SECURITY.md)" in (ROOT / name).read_text(encoding="utf-8"), name


def test_its_commands_are_those_of_the_makefile() -> None:
    targets = set(re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"`make (\w+)", TEXT)) <= targets
