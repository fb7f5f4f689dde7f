"""The webcam: live, kept, stopped, refused."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from tests.browser.conftest import Pages
from tests.browser.steps import verdicts, wait_for_answers

pytestmark = pytest.mark.browser


@pytest.fixture
def live(pages: Pages, server: str) -> Page:
    """The page with the webcam on and a first result."""
    page = pages.open(server, permissions=["camera"])
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.locator("#camera-stage .box")).to_have_count(1)
    return page


def _track_state(page: Page) -> str:
    state: str = page.evaluate("() => window.track.readyState")
    return state


def test_live_results_and_a_picture_to_keep(live: Page) -> None:
    expect(live.locator("#camera-state")).to_contain_text("Sunglasses")
    expect(live.get_by_role("status")).to_contain_text("Sunglasses")
    # A looking-glass: the face stands left of the middle in the picture and right of it here, or both in the middle.
    expect(live.locator("#camera-stage .stage")).to_have_class("stage mirrored")
    live.get_by_role("button", name="Keep this picture").click()
    wait_for_answers(live, 1)
    assert verdicts(live, "webcam-1.jpg") == ["Sunglasses"]


def test_one_request_at_a_time(pages: Pages, server: str) -> None:
    page = pages.open(server, permissions=["camera"])
    # Counted in the page: what the driver hears of two requests may come in another order.
    page.evaluate(
        """() => {
          const send = window.fetch;
          window.counts = [];
          let flying = 0;
          window.fetch = async (...words) => {
            flying += 1;
            window.counts.push(flying);
            try {
              return await send(...words);
            } finally {
              flying -= 1;
            }
          };
        }"""
    )
    page.get_by_role("button", name="Use the webcam").click()
    while len(counts := page.evaluate("() => window.counts")) < 4:
        page.wait_for_timeout(100)
    assert set(counts) == {1}


def test_stop_ends_the_camera(live: Page) -> None:
    live.evaluate("() => { window.track = document.querySelector('video').srcObject.getTracks()[0]; }")
    assert _track_state(live) == "live"
    live.get_by_role("button", name="Stop").click()
    assert _track_state(live) == "ended"
    expect(live.get_by_role("button", name="Use the webcam")).to_be_focused()
    expect(live.get_by_role("status")).to_have_text("The webcam is off.")
    asked: list[str] = []
    live.on("request", lambda request: asked.append(request.url))
    live.wait_for_timeout(600)
    assert asked == []


def test_a_hidden_page_ends_the_camera(live: Page) -> None:
    live.evaluate(
        """() => {
          window.track = document.querySelector("video").srcObject.getTracks()[0];
          Object.defineProperty(document, "hidden", { value: true });
          document.dispatchEvent(new Event("visibilitychange"));
        }"""
    )
    assert _track_state(live) == "ended"
    expect(live.get_by_role("alert")).to_have_text("The webcam was switched off because the page was hidden.")


def test_a_refused_camera_gets_words(page: Page) -> None:
    # Nobody answers the browser's question here, which it takes for a no.
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.get_by_role("alert")).to_contain_text("it was refused")
    expect(page.get_by_role("button", name="Use the webcam")).to_be_enabled()
    expect(page.get_by_role("heading", name="Webcam")).to_be_hidden()


@pytest.mark.parametrize(
    ("name", "words"),
    [("NotFoundError", "No camera was found."), ("NotReadableError", "Another program may be using it.")],
)
def test_other_cameras_that_cannot_be_had(page: Page, name: str, words: str) -> None:
    page.evaluate(
        """(name) => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", name));
        }""",
        name,
    )
    page.get_by_role("button", name="Use the webcam").click()
    expect(page.get_by_role("alert")).to_contain_text(words)


def test_the_threshold_holds_for_the_webcam(live: Page, tmp_path: Path) -> None:
    live.get_by_label("Threshold for sunglasses").fill("1")
    expect(live.locator('#camera-stage .box[data-worn="none"]')).to_have_count(1)
