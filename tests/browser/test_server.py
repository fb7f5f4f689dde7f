"""The page and a server that asks for a key, is busy, sets limits or is gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import KEY, Pages, serving
from tests.browser.steps import card, judge, verdicts, wait_for_answers

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    """The address of a server that asks for a key."""
    pytest.importorskip("fastapi", reason="the serve extra is not installed")
    with serving(key=KEY) as address:
        yield address


def test_a_key_is_asked_for_and_not_kept(pages: Pages, locked: str, pictures: Path) -> None:
    pages.allowed.append("401")
    page = pages.open(locked)
    field = page.get_by_label("This server asks for a key")
    expect(field).to_be_focused()
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_text("The server did not accept this key.")).to_be_visible()
    expect(field).to_have_value("")
    field.fill(KEY)
    page.get_by_role("button", name="Use this key").click()
    expect(field).to_be_hidden()
    judge(page, [pictures / "dark.png"])
    assert verdicts(page, "dark.png") == ["Sunglasses"]
    kept = page.evaluate("() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])")
    assert KEY not in kept
    page.reload()
    expect(field).to_be_focused()


def _refuse(status: int, times: int) -> tuple[list[float], object]:
    tries: list[float] = []

    def answer(route: Route) -> None:
        tries.append(len(tries))
        if len(tries) > times:
            route.continue_()
            return
        body = '{"error": {"code": "busy", "message": "full"}}'
        route.fulfill(status=status, headers={"Retry-After": "1"}, content_type="application/json", body=body)

    return tries, answer


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (503, "The server is busy. Trying again in 1 second."),
        (429, "The server's limit of requests is reached. Going on in 1 second."),
    ],
)
def test_a_busy_server_is_asked_again_politely(
    pages: Pages, server: str, pictures: Path, status: int, words: str
) -> None:
    pages.allowed.append(str(status))
    page = pages.open(server)
    tries, answer = _refuse(status, 2)
    page.route("**/v1/predict*", answer)  # type: ignore[arg-type]
    page.locator("#files").set_input_files(pictures / "dark.png")
    expect(page.locator("#progress")).to_have_text(words)
    expect(page.get_by_role("status")).to_have_text(words)
    expect(page.get_by_role("button", name="Download CSV")).to_be_disabled()
    wait_for_answers(page, 1)
    assert verdicts(page, "dark.png") == ["Sunglasses"]
    assert len(tries) == 3
    expect(page.locator("#progress")).to_be_hidden()


def test_remove_all_ends_the_waiting(pages: Pages, server: str, pictures: Path) -> None:
    pages.allowed.append("503")
    page = pages.open(server)
    tries, answer = _refuse(503, 1)
    page.route("**/v1/predict*", answer)  # type: ignore[arg-type]
    page.locator("#files").set_input_files(pictures / "dark.png")
    expect(page.locator("#progress")).to_contain_text("busy")
    page.get_by_role("button", name="Remove all").click()
    page.wait_for_timeout(1300)
    assert len(tries) == 1
    judge(page, [pictures / "light.png"])
    assert verdicts(page, "light.png") == ["No sunglasses"]


def test_a_server_that_is_gone_can_be_tried_again(pages: Pages, server: str, pictures: Path) -> None:
    pages.allowed.append("ERR_FAILED")
    page = pages.open(server)
    page.route("**/v1/predict*", lambda route: route.abort())
    judge(page, [pictures / "dark.png"])
    expect(card(page, "dark.png")).to_contain_text("The server cannot be reached.")
    page.unroute("**/v1/predict*")
    page.get_by_role("button", name="Try again").click()
    expect(card(page, "dark.png").locator(".worn")).to_have_text("Sunglasses")


def test_pictures_are_sent_one_by_one_where_they_are_too_large_together(
    pages: Pages, server: str, pictures: Path
) -> None:
    pages.allowed.append("413")
    page = pages.open(server)
    first = True

    def answer(route: Route) -> None:
        nonlocal first
        if first:
            first = False
            route.fulfill(
                status=413, content_type="application/json", body='{"error": {"code": "too_large", "message": "x"}}'
            )
        else:
            route.continue_()

    page.route("**/v1/predict*", answer)
    judge(page, [pictures / "dark.png", pictures / "light.png"])
    assert verdicts(page, "dark.png") + verdicts(page, "light.png") == ["Sunglasses", "No sunglasses"]


def test_an_answer_that_is_none(pages: Pages, server: str, pictures: Path) -> None:
    pages.allowed.append("502")
    page = pages.open(server)
    page.route("**/v1/predict*", lambda route: route.fulfill(status=502, body="<html>bad gateway"))
    judge(page, [pictures / "dark.png"])
    expect(card(page, "dark.png")).to_contain_text("The server answered something that this page does not understand.")


def test_words_of_the_server_that_the_page_does_not_know(pages: Pages, server: str, pictures: Path) -> None:
    page = pages.open(server)
    result = '{"name": "dark.png", "status": "error", "error": {"code": "new", "message": "<b>odd</b>"}, "faces": []}'
    model = '{"name": "m", "outputs": ["sunglasses"], "threshold": 0.5, "eyeglasses_threshold": null}'
    body = f'{{"model": {model}, "threshold": 0.5, "results": [{result}]}}'
    page.route("**/v1/predict*", lambda route: route.fulfill(body=body))
    judge(page, [pictures / "dark.png"])
    # As text, never as markup.
    expect(card(page, "dark.png")).to_contain_text("The server says: <b>odd</b>")


def test_the_policy_allows_the_page_and_nothing_else(page: Page, server: str) -> None:
    answer = page.request.get(server)
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.reload()
    page.get_by_role("heading", level=1).wait_for()
    assert asked
    assert all(url.startswith(server) for url in asked)
