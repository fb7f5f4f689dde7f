"""Write the reference of the command line from the commands' own help.

    python tools/make_cli_docs.py docs/cli.md

Plain Markdown, the same bytes on every machine: names and help come from the command tree, types and
defaults from the functions' signatures, and nothing is rendered by Typer or Rich, whose output depends
on the terminal and on their version.
"""

from __future__ import annotations

import argparse
import enum
import inspect
import re
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from gafas.cli import app
from gafas.files import write_text

_HEAD = """\
# Command line

Written by `make docs` from the commands' own help; change it there.
"""

_VALUES = {str: "TEXT", int: "INTEGER", float: "NUMBER", Path: "PATH"}
_CODE = re.compile(r"\[bold\](.+?)\[/bold\]", re.DOTALL)


def render() -> str:
    """Return the whole page."""
    root = typer.main.get_command(app)
    pages = [_page(words, command) for words, command in walk(("gafas",), root)]
    return "\n".join([_HEAD, *pages])


def walk(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield a command and all commands below it, each with the words that call it, in the order of the help."""
    yield words, command
    for name, child in getattr(command, "commands", {}).items():
        if not child.hidden:
            yield from walk((*words, name), child)


def _page(words: tuple[str, ...], command: Any) -> str:
    name = " ".join(words)
    blocks = [f"## {name}", *_paragraphs(command.help or ""), f"```text\n{_usage(name, command)}\n```"]
    for kind, title in (("argument", "argument"), ("option", "option")):
        rows = [_row(parameter, command) for parameter in command.params if parameter.param_type_name == kind]
        if rows:
            blocks.append(_table((title, "value", "default", "meaning"), rows))
    children = getattr(command, "commands", {})
    if children:
        rows = [
            (f"[`{name} {child}`](#{'-'.join((*words, child))})", _text(_paragraph(found.help)))
            for child, found in children.items()
            if not found.hidden
        ]
        blocks.append(_table(("command", "what it does"), rows))
    return "\n\n".join(blocks) + "\n"


def _usage(name: str, command: Any) -> str:
    words = [name, "[OPTIONS]"]
    for parameter in command.params:
        if parameter.param_type_name == "argument":
            metavar = _metavar(parameter, command)
            words.append(metavar if parameter.required else f"[{metavar}]")
    if getattr(command, "commands", {}):
        words.append("COMMAND [ARGS]…")
    return " ".join(words)


def _row(parameter: Any, command: Any) -> tuple[str, ...]:
    metavar = _metavar(parameter, command)
    if parameter.param_type_name == "argument":
        return (f"`{metavar}`", _kind(parameter, command), _default(parameter, command), _text(parameter.help or ""))
    names = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    value = _kind(parameter, command) if metavar else ""
    return (names, value, _default(parameter, command), _text(parameter.help or ""))


def _signature(parameter: Any, command: Any) -> tuple[Any, Any, Any]:
    """Return the type, the Typer description and the default of a parameter; bool for those that Typer adds."""
    callback = command.callback
    signature = inspect.signature(callback).parameters if callback else {}
    if parameter.name not in signature:
        return bool, None, None
    annotated = typing.get_type_hints(callback, include_extras=True)[parameter.name]
    description = next(iter(getattr(annotated, "__metadata__", ())), None)
    hint = typing.get_args(annotated)[0] if description else annotated
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        hint = next(kind for kind in typing.get_args(hint) if kind is not type(None))
    return hint, description, signature[parameter.name].default


def _metavar(parameter: Any, command: Any) -> str:
    """Return the word that stands for the value; empty for a switch."""
    hint, _, _ = _signature(parameter, command)
    if hint is bool:
        return ""
    if parameter.metavar:
        return str(parameter.metavar)
    if parameter.param_type_name == "argument":
        return str(parameter.name).upper()
    return _VALUES.get(_inner(hint), "VALUE")


def _inner(hint: Any) -> Any:
    return typing.get_args(hint)[0] if typing.get_origin(hint) is list else hint


def _kind(parameter: Any, command: Any) -> str:
    hint, description, _ = _signature(parameter, command)
    inner = _inner(hint)
    if isinstance(inner, type) and issubclass(inner, enum.Enum):
        return " or ".join(f"`{member.value}`" for member in inner)
    low, high = getattr(description, "min", None), getattr(description, "max", None)
    limits = " to ".join(f"{end:g}" if end < 1e6 else str(end) for end in (low, high) if end is not None)
    if low is not None and high is None:
        limits = f"{limits} or more"
    word = "" if parameter.param_type_name == "argument" else f"`{_metavar(parameter, command)}`"
    again = "one or more" if parameter.nargs == -1 else "may be repeated" if parameter.multiple else ""
    return ", ".join(filter(None, (word, limits, again)))


def _default(parameter: Any, command: Any) -> str:
    _, _, default = _signature(parameter, command)
    if default is inspect.Parameter.empty:
        return "required"
    if default is None or default is False:
        return ""
    value = default.value if isinstance(default, enum.Enum) else default
    return f"`{value}`"


def _paragraphs(text: str) -> list[str]:
    return [_text(paragraph) for paragraph in re.split(r"\n\s*\n", text.strip()) if paragraph]


def _paragraph(text: str | None) -> str:
    return re.split(r"\n\s*\n", (text or "").strip())[0]


def _text(text: str) -> str:
    """Return help text as Markdown on one line: bold words become code, as they are things to type."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(f"`{part}`" if number % 2 else _escape(part) for number, part in enumerate(parts))


def _escape(text: str) -> str:
    return re.sub(r"([<*])", r"\\\1", text)


def _table(columns: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    cells = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    # A column that says nothing is left out.
    used = [number for number in range(len(columns)) if any(row[number] for row in cells)]
    lines = [[columns[number] for number in used], ["---"] * len(used)]
    lines += [[row[number] for number in used] for row in cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("target", type=Path)
    arguments = parser.parse_args()
    write_text(arguments.target, render())
    print(f"{arguments.target}: {arguments.target.stat().st_size:,} bytes")
