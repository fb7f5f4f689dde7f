"""``gafas serve`` as far as it gets without serving; tests/server does the rest."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Gafas, one_error

pytest.importorskip("fastapi", reason="the serve extra is not installed")
Served = list[dict[str, Any]]


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    """What would have been served, instead of serving."""
    from gafas.server import running

    calls: Served = []

    def run(plan: Any, opened: socket.socket, **options: Any) -> None:
        opened.close()
        options["started"]()
        calls.append({"plan": plan, **options})

    monkeypatch.setattr(running, "run", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.delenv("GAFAS_API_KEY", raising=False)
    return calls


def test_the_defaults_are_those_of_the_settings(gafas: Gafas, served: Served) -> None:
    from dataclasses import replace

    from gafas.server.settings import Settings

    result = gafas("serve", "--port", "0")
    assert result.exit_code == 0, result.output
    assert "gafas-base at http://127.0.0.1:" in result.stderr
    (call,) = served
    assert replace(call["plan"].settings, threads=1) == Settings()
    assert call["plan"].settings.threads >= 1
    assert (call["workers"], call["proxy"]) == (1, None)


def test_options_arrive(gafas: Gafas, served: Served, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAFAS_API_KEY", "a key")
    limits = "--max-upload 300 --max-image 3 --max-megapixels 4 --max-files 5 --queue 6 --timeout 7 --rate 0"
    others = "--threads 3 --workers 2 --proxy 10.0.0.1 --threshold 0.4 --region whole --cors https://a.example"
    assert gafas("serve", "--port", 0, "--model", bundle, *f"{limits} {others}".split()).exit_code == 0
    (call,) = served
    settings = call["plan"].settings
    assert (settings.max_body, settings.max_image, settings.max_pixels) == (300 * 2**20, 3 * 2**20, 4_000_000)
    assert (settings.max_files, settings.queue, settings.timeout, settings.rate, settings.threads) == (5, 6, 7, 0, 3)
    assert settings.memory >= settings.max_body
    assert settings.cors == ("https://a.example",)
    assert settings.api_key == "a key"
    assert (call["workers"], call["proxy"]) == (2, "10.0.0.1")
    assert call["plan"].options["threshold"] == 0.4
    # It goes to other processes.
    import pickle

    app = pickle.loads(pickle.dumps(call["plan"]))()
    assert app.title == "gafas"


def test_an_open_door_is_pointed_out(gafas: Gafas, served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("serve", "--port", 0, "--host", "0.0.0.0")
    assert "GAFAS_API_KEY" in gafas(*words).stderr
    monkeypatch.setenv("GAFAS_API_KEY", "a key")
    assert "GAFAS_API_KEY" not in gafas(*words).stderr


def test_a_port_that_is_taken(gafas: Gafas) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        result = gafas("serve", "--port", taken.getsockname()[1])
    assert result.exit_code == 2
    assert "choose another --port" in one_error(result)


def test_a_model_that_is_none(gafas: Gafas, tmp_path: Path) -> None:
    file = tmp_path / "model.onnx"
    file.write_bytes(b"")
    assert gafas("serve", "--port", 0, "--model", file).exit_code == 2
    result = gafas("serve", "--port", 0, "--model", tmp_path)
    assert result.exit_code == 1
    assert "manifest.json" in one_error(result)


def test_limits_that_contradict_each_other(gafas: Gafas) -> None:
    result = gafas("serve", "--port", 0, "--max-files", 9, "--queue", 3)
    assert result.exit_code == 2
    assert "queue" in one_error(result)


def test_without_the_extra(gafas: Gafas, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("gafas.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    result = gafas("serve")
    assert result.exit_code == 2
    assert one_error(result) == "error: gafas serve needs: pip install 'gafas[serve]'"
