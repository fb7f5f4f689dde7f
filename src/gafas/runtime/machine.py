"""What this processor calculates fast, and which precision follows from it. Read once a process."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

from gafas.errors import UsageError

Precision = Literal["float32", "int8"]
PRECISIONS = ("auto", "float32", "int8")
"""What a caller may ask for; ``auto`` is int8 on processors where it was measured to be faster."""

INT8_FEATURES = frozenset({"avx512_vnni", "avx_vnni"})
"""Processor flags with which int8 was measured: products of bytes summed in 32 bits, without saturation.

Without such instructions sums may saturate in 16 bits, and int8 need not be faster.
"""

_CPUINFO = Path("/proc/cpuinfo")


@functools.cache
def processor_features() -> frozenset[str]:
    """Return the processor's flags as Linux names them; none on other systems, whose features were not measured."""
    try:
        text = _CPUINFO.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return frozenset()
    lines = (line.partition(":") for line in text.splitlines())
    return frozenset(next((words.split() for name, _, words in lines if name.strip() in {"flags", "Features"}), ()))


def resolve_precision(asked: str) -> Precision:
    """Return the precision to calculate with.

    Raises
    ------
    UsageError
        Not one of `PRECISIONS`.
    """
    if asked not in PRECISIONS:
        raise UsageError(f"--precision: expected one of {', '.join(PRECISIONS)}, got {asked}")
    if asked == "auto":
        return "int8" if processor_features() & INT8_FEATURES else "float32"
    return "int8" if asked == "int8" else "float32"
