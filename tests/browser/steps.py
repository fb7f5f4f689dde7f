"""What tests do on the page, in the reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page


def judge(page: Page, files: Sequence[Path]) -> None:
    """Choose files, and wait until each has its answer."""
    before = page.get_by_role("article").count()
    page.locator("#files").set_input_files(files)
    wait_for_answers(page, before + len(files))


def wait_for_answers(page: Page, count: int) -> None:
    """Wait until so many pictures have an answer."""
    expect(page.locator(".card:is([data-status=ok], [data-status=error])")).to_have_count(count)


def card(page: Page, name: str) -> Locator:
    """The picture of this name with its result."""
    return page.get_by_role("article", name=name, exact=True)


def verdicts(page: Page, name: str) -> list[str]:
    """What the picture's faces wear, in the page's words."""
    return card(page, name).locator(".worn").all_inner_texts()


def slide(page: Page, value: float) -> None:
    """Move the threshold."""
    page.get_by_label("Threshold for sunglasses").fill(str(value))
