"""The container's files fit together and call the tool rightly; no container is started here."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from gafas.server.settings import Settings
from tests.test_docs import parse

ROOT = Path(__file__).parents[2]
yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")


def instructions() -> list[tuple[str, str]]:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(name, rest.strip()) for name, _, rest in (line.strip().partition(" ") for line in lines)]


def last(name: str) -> str:
    return [rest for found, rest in instructions() if found == name][-1]


def service() -> Any:
    return yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]["gafas"]


def test_the_container_calls_the_tool_rightly() -> None:
    words = json.loads(last("CMD"))
    assert words[0] == "gafas"
    parse(words[1:])
    port = words[words.index("--port") + 1]
    assert last("EXPOSE") == port
    assert service()["ports"] == [f"127.0.0.1:8000:{port}"]


def test_the_health_check_asks_the_server() -> None:
    _, _, call = last("HEALTHCHECK").partition("CMD ")
    words = json.loads(call)
    compile(words[2], "healthcheck", "exec")
    assert "http://127.0.0.1:8000/readyz" in words[2]


def test_nobody_is_root_and_nothing_is_fetched_by_address() -> None:
    user, _, group = last("USER").partition(":")
    assert int(user) > 0
    assert int(group) > 0
    images = [rest.split()[0] for name, rest in instructions() if name == "FROM"]
    assert set(images) == {"python:3.12-slim"}
    # Only what is in the repository goes in.
    copies = [shlex.split(rest)[:-1] for name, rest in instructions() if name == "COPY" and "--from" not in rest]
    copied = [word for words in copies for word in words]
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[0] == "*"
    for word in copied:
        assert (ROOT / word).exists(), word
        assert f"!{word}" in ignored, word


def test_the_service_can_write_nowhere_and_do_nothing_else() -> None:
    found = service()
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in found["security_opt"]
    assert found["tmpfs"]
    assert "privileged" not in found
    assert not found.get("volumes")


def test_a_server_that_has_crashed_is_started_again() -> None:
    assert service()["restart"] == "unless-stopped"


def test_the_grace_is_long_enough_for_what_was_accepted() -> None:
    seconds = re.fullmatch(r"(\d+)s", service()["stop_grace_period"])
    assert seconds
    assert int(seconds.group(1)) > 2 * Settings().timeout
