"""``gafas doctor``: what is installed, found and missing."""

from __future__ import annotations

import json
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gafas.cli import app, doctor


def gafas(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *words])


def checks(result: Result) -> dict[str, tuple[str, str]]:
    return {check["check"]: (check["state"], check["detail"]) for check in json.loads(result.stdout)}


@pytest.fixture
def uninstall(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Names put here count as not installed."""
    gone: set[str] = set()
    version = metadata.version

    def look_up(name: str) -> str:
        if name in gone:
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(metadata, "version", look_up)
    return gone


def test_the_core_is_well(no_data: Path) -> None:
    result = gafas("--json")
    assert result.exit_code == 0
    found = checks(result)
    state, detail = found["packages: core"]
    assert state == "ok"
    assert f"numpy {metadata.version('numpy')}" in detail
    assert found["python"][0] == "ok"


def test_a_table_for_people(no_data: Path) -> None:
    result = gafas()
    assert result.exit_code == 0
    assert all(word in result.stdout for word in ("packages: core", "backbone weights", "CMU Face Images", "state"))


def test_missing_data_names_the_way_to_get_it(no_data: Path) -> None:
    state, detail = checks(gafas("--json"))["CMU Face Images"]
    assert state == "missing"
    assert "gafas data fetch" in detail


def test_data_that_is_there(synthetic_root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAFAS_DATA", str(synthetic_root))
    assert checks(gafas("--json"))["CMU Face Images"] == ("ok", str(synthetic_root))


def test_weights_that_are_not_there(no_data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAFAS_WEIGHTS", "gone.h5")
    result = gafas("--json")
    assert result.exit_code == 0
    state, detail = checks(result)["backbone weights"]
    assert state == "missing"
    assert "gone.h5" in detail


def test_a_missing_extra_gives_its_install_line(no_data: Path, uninstall: set[str]) -> None:
    uninstall.add("jinja2")
    result = gafas("--json")
    assert result.exit_code == 0
    assert checks(result)["packages: report"] == ("optional", "missing: jinja2; pip install 'gafas[report]'")


def test_a_missing_core_package_is_a_failure(no_data: Path, uninstall: set[str]) -> None:
    uninstall.add("onnxruntime")
    result = gafas("--json")
    assert result.exit_code == 1
    assert checks(result)["packages: core"] == ("broken", "missing: onnxruntime; pip install gafas")


@pytest.mark.parametrize(("value", "state"), [("jax", "ok"), ("theano", "unknown")])
def test_the_keras_backend(no_data: Path, monkeypatch: pytest.MonkeyPatch, value: str, state: str) -> None:
    monkeypatch.setenv("KERAS_BACKEND", value)
    found, detail = checks(gafas("--json"))["keras backend"]
    assert found == state
    assert value in detail


def test_every_package_of_the_extras_is_looked_at() -> None:
    """What pyproject names is what the doctor looks for."""
    wanted: dict[str, set[str]] = {"core": set()}
    for line in metadata.requires("gafas") or []:
        requirement, _, marker = line.partition(";")
        name = requirement.strip().replace("[", ">").split(">")[0].split("=")[0].split("<")[0].strip().lower()
        extra = marker.partition("extra ==")[2].strip().strip("'\"") or "core"
        wanted.setdefault(extra, set()).add(name)
    for extra, names in doctor._PACKAGES.items():
        assert wanted[extra] - {"ai-edge-litert"} <= set(names), extra
