"""The words of pictures and pages in one language, and how it writes numbers. Reads the package's catalogues only."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from gafas.errors import UsageError
from gafas.values import Interval

LANGUAGES = ("en", "es")
DASH = "–"


@dataclass(frozen=True, slots=True)
class Words:
    """Texts by key, and numbers in the language's own form.

    Attributes
    ----------
    language : str
        As HTML's ``lang`` has it.
    texts : mapping
        Key, such as ``axis.epoch`` → text; ``{name}`` in it is filled in.
    """

    language: str
    texts: Mapping[str, str]

    def __call__(self, key: str, **values: object) -> str:
        """Return the text of `key`, filled in with `values`."""
        return self.texts[key].format(**values)

    def term(self, group: str, value: str) -> str:
        """Return the word for a value of the data, such as a pose; the value itself where there is none."""
        return self.texts.get(f"{group}.{value}", value.replace("_", " "))

    def localise(self, written: str) -> str:
        """Return a number that Python has written (``1,234.5``) with the language's own marks."""
        marks = {".": self("number.decimal"), ",": self("number.group")}
        return "".join(marks.get(mark, mark) for mark in written)

    def number(self, value: float | None, digits: int = 4) -> str:
        """Return a number with so many digits after the decimal mark; a dash where it is undefined."""
        return DASH if value is None else self.localise(f"{value:.{digits}f}")

    def short(self, value: float) -> str:
        """Return a number with at most four significant digits and no exponent, for settings and thresholds."""
        return self.localise(np.format_float_positional(float(f"{value:.4g}"), trim="-"))

    def count(self, value: int) -> str:
        """Return a whole number, its thousands set apart as the language does."""
        grouped = abs(value) >= int(self("number.group_from"))
        return self.localise(f"{value:,}" if grouped else str(value))

    def share(self, value: float | None) -> str:
        """Return a share in [0, 1] as a percentage that never looks more certain than it is."""
        if value is None:
            return DASH
        if 0.9995 <= value < 1:
            return "> " + self("number.percent", number=self.number(99.9, 1))
        if 0 < value < 0.0005:
            return "< " + self("number.percent", number=self.number(0.1, 1))
        return self("number.percent", number=self.number(100 * value, 1))

    def probability(self, value: float) -> str:
        """Return a score with three digits that never looks more certain than it is."""
        # 0.9999 is not certainty, and 0.4999 is not on the other side of 0.5.
        if 0.9995 <= value < 1:
            return f"> {self.number(0.999, 3)}"
        return f"< {self.number(0.001, 3)}" if 0 < value < 0.0005 else self.number(value, 3)

    def between(self, interval: Interval | Sequence[float] | None, digits: int = 3) -> str:
        """Return an interval of numbers; a dash where it is undefined."""
        if interval is None:
            return DASH
        low, high = ends(interval)
        return f"[{self.number(low, digits)}{self('number.list')} {self.number(high, digits)}]"

    def share_between(self, interval: Interval | Sequence[float] | None) -> str:
        """Return an interval of shares as percentages; a dash where it is undefined."""
        if interval is None:
            return DASH
        low, high = ends(interval)
        numbers = f"{self.number(100 * low, 1)}{self('number.list')} {self.number(100 * high, 1)}"
        return "[" + self("number.percent", number=numbers) + "]"


def ends(interval: Interval | Sequence[float]) -> tuple[float, float]:
    """Return the two ends of an interval in either of its forms."""
    if isinstance(interval, Interval):
        return interval.low, interval.high
    low, high = interval
    return low, high


@cache
def load_words(language: str) -> Words:
    """Return the words of a language.

    Raises
    ------
    UsageError
        Not one of `LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise UsageError(f"--lang: expected one of {', '.join(LANGUAGES)}, got {language}")
    text = (resources.files("gafas.report") / "languages" / f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, dict(_flatten(tomllib.loads(text))))


def _flatten(tree: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{before}{key}.")
        else:
            yield before + key, value


ENGLISH = load_words("en")
"""The language of the pictures that commands write beside their figures."""
