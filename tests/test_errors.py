"""One tree of errors."""

from __future__ import annotations

import inspect

import pytest

from gafas import errors
from gafas.errors import GafasError, MissingExtraError

ALL = [value for _, value in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", ALL)
def test_every_error_is_in_the_tree_and_in_its_drawing(kind: type[Exception]) -> None:
    assert issubclass(kind, GafasError)
    assert kind.__name__ in (errors.__doc__ or "")


def test_a_missing_package_gives_its_install_line() -> None:
    assert str(MissingExtraError("gafas train", "train")) == "gafas train needs: pip install 'gafas[train]'"
