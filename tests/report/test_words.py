"""Two catalogues with the same keys and gaps, and numbers as each language writes them."""

from __future__ import annotations

import re
from string import Formatter

import pytest

from gafas.errors import UsageError
from gafas.report.words import ENGLISH, LANGUAGES, Words, load_words
from gafas.values import Interval

SPANISH = load_words("es")


def gaps(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name}


def test_both_have_the_same_keys() -> None:
    assert ENGLISH.texts.keys() == SPANISH.texts.keys()


def test_both_have_the_same_gaps() -> None:
    assert {key: gaps(text) for key, text in ENGLISH.texts.items()} == {k: gaps(t) for k, t in SPANISH.texts.items()}
    assert all(text.strip() for key, text in [*ENGLISH.texts.items(), *SPANISH.texts.items()] if key != "number.group")


def test_every_key_that_the_code_names_is_there() -> None:
    from pathlib import Path

    import gafas.report

    room = Path(gafas.report.__file__).parent
    sources = "".join(path.read_text(encoding="utf-8") for path in [*room.rglob("*.py"), *room.rglob("*.j2")])
    named = set(re.findall(r'\bwords\("([a-z_.0-9]+)"', sources))
    assert named
    assert named <= ENGLISH.texts.keys()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (ENGLISH, ["0.5000", "2,259,265", "1,281", "93.3 %", "[0.125, 0.500]", "[12.5, 50.0 %]", "0.00001"]),
        (SPANISH, ["0,5000", "2\u202f259\u202f265", "1281", "93,3 %", "[0,125; 0,500]", "[12,5; 50,0 %]", "0,00001"]),
    ],
    ids=LANGUAGES,
)
def test_numbers(words: Words, expected: list[str]) -> None:
    interval = Interval(0.125, 0.5)
    got = [words.number(0.5), words.count(2259265), words.count(1281), words.share(28 / 30), words.between(interval)]
    assert [*got, words.share_between([0.125, 0.5]), words.short(1e-5)] == expected


def test_nothing_looks_more_certain_than_it_is() -> None:
    assert ENGLISH.share(1) == "100.0 %"
    assert ENGLISH.share(0.9996) == "> 99.9 %"
    assert ENGLISH.share(0.0001) == "< 0.1 %"
    assert ENGLISH.share(0) == "0.0 %"
    assert SPANISH.probability(0.99999) == "> 0,999"
    assert SPANISH.probability(0.0001) == "< 0,001"


def test_what_is_undefined_is_a_dash() -> None:
    assert {ENGLISH.number(None), ENGLISH.share(None), ENGLISH.between(None), ENGLISH.share_between(None)} == {"–"}


def test_a_value_without_a_word_is_itself() -> None:
    assert SPANISH.term("pose", "up") == "arriba"
    assert SPANISH.term("pose", "upside_down") == "upside down"


def test_unknown_language() -> None:
    with pytest.raises(UsageError, match=r"--lang: expected one of en, es, got fr"):
        load_words("fr")
