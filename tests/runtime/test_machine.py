"""Which precision follows from the processor."""

from __future__ import annotations

from pathlib import Path

import pytest

from gafas.errors import UsageError
from gafas.runtime import machine
from gafas.runtime.machine import processor_features, resolve_precision


@pytest.fixture(autouse=True)
def _read_anew() -> None:
    processor_features.cache_clear()


@pytest.mark.parametrize(
    ("text", "precision"),
    [
        ("processor: 0\nmodel name: A\nflags\t\t: fpu avx2 avx512_vnni\n", "int8"),
        ("flags : fpu avx2 avx_vnni", "int8"),
        ("flags : fpu avx2\n", "float32"),
        # Measured on no such processor yet.
        ("Features\t: fp asimd asimddp\n", "float32"),
        ("", "float32"),
    ],
)
def test_auto_takes_int8_where_bytes_are_summed_without_loss(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str, precision: str
) -> None:
    (tmp_path / "cpuinfo").write_text(text)
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "cpuinfo")
    assert resolve_precision("auto") == precision


def test_a_system_without_the_list_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "_CPUINFO", tmp_path / "gone")
    assert processor_features() == frozenset()
    assert resolve_precision("auto") == "float32"


def test_what_is_asked_for_counts() -> None:
    assert resolve_precision("int8") == "int8"
    assert resolve_precision("float32") == "float32"
    with pytest.raises(UsageError, match="--precision: expected one of auto, float32, int8, got half"):
        resolve_precision("half")
