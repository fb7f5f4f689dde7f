"""The evidence map: its colours, its place, and its switch."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from gafas.imaging import encode
from tests.browser.conftest import Pages, serving
from tests.browser.steps import card, judge

pytestmark = pytest.mark.browser


def _answer(explanation: dict[str, object] | None) -> str:
    face = {
        "region": "face", "box": [64, 60, 128, 120], "face_confidence": 0.9, "sunglasses": 0.9, "eyeglasses": None,
        "label": "sunglasses", "explanation": explanation,
    }  # fmt: skip
    model = {"name": "told", "outputs": ["sunglasses"], "threshold": 0.5, "eyeglasses_threshold": None}
    result = {"name": "dark.png", "status": "ok", "error": None, "width": 256, "height": 240, "faces": [face]}
    return json.dumps({"model": model, "threshold": 0.5, "results": [result]})


def test_colours_and_place(page: Page, pictures: Path) -> None:
    grey = np.array([[0, 64], [128, 255]], np.uint8)
    png = base64.b64encode(encode(np.stack([grey] * 3, axis=-1), ".png")).decode()
    explanation = {
        "attribute": "sunglasses", "method": "activation", "box": [-64, 0, 192, 240], "width": 2, "height": 2,
        "png": png,
    }  # fmt: skip
    page.route("**/v1/predict*", lambda route: route.fulfill(body=_answer(explanation)))
    judge(page, [pictures / "dark.png"])
    maps = card(page, "dark.png").locator(".maps canvas")
    expect(maps).to_be_hidden()
    page.get_by_role("checkbox", name="Evidence map").check()
    expect(maps).to_be_visible()
    pixels = maps.evaluate("(canvas) => [...canvas.getContext('2d').getImageData(0, 0, 2, 2).data]")
    (*against, full), (*weak, half), (*_, none), (*favour, most) = np.reshape(pixels, (4, 4)).tolist()
    assert full == most == 255
    assert half == pytest.approx(128, abs=1)
    assert none == 0
    # Blue against, orange for.
    assert against[2] > against[0]
    assert weak[2] > weak[0]
    assert favour[0] > favour[2]
    # The square reaches out of the picture on the left: a quarter of its width.
    stage = card(page, "dark.png").locator(".stage").bounding_box()
    place = maps.bounding_box()
    assert stage is not None
    assert place is not None
    assert (stage["x"] - place["x"]) / stage["width"] == pytest.approx(0.25, abs=0.01)
    assert place["width"] / stage["width"] == pytest.approx(1, abs=0.01)
    page.get_by_label("Strength of the evidence map").fill("0.1")
    expect(card(page, "dark.png").locator(".maps")).to_have_css("opacity", "0.1")
    page.get_by_role("checkbox", name="Evidence map").uncheck()
    expect(maps).to_be_hidden()


def test_a_model_that_knows_no_eyeglasses_and_gives_no_evidence(page: Page, pictures: Path) -> None:
    page.route("**/v1/predict*", lambda route: route.fulfill(body=_answer(None)))
    judge(page, [pictures / "dark.png"])
    expect(page.locator("#summary")).to_have_text("1 face · 1 with sunglasses")
    expect(page.get_by_role("columnheader", name="Clear glasses")).to_have_count(0)
    expect(card(page, "dark.png").locator(".maps canvas")).to_have_count(0)


def test_the_server_s_own_maps(page: Page, pictures: Path) -> None:
    judge(page, [pictures / "two.png"])
    maps = card(page, "two.png").locator(".maps canvas")
    # They take the server long, so they are made when they are wanted, and once.
    expect(maps).to_have_count(0)
    page.get_by_role("checkbox", name="Evidence map").check()
    expect(card(page, "two.png").locator(".worn")).to_have_count(2)
    expect(maps).to_have_count(2)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("checkbox", name="Evidence map").uncheck()
    page.get_by_role("checkbox", name="Evidence map").check()
    assert asked == []
    spans = maps.evaluate_all(
        """all => all.map((canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return Math.max(...data.filter((_, at) => at % 4 === 3));
        })"""
    )
    assert min(spans) > 100


def test_a_model_that_cannot_explain_is_not_asked_to(pages: Pages, bundle: Path, pictures: Path) -> None:
    with serving("--model", str(bundle)) as address:
        page = pages.open(address)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        judge(page, [pictures / "dark.png"])
        expect(page.get_by_role("checkbox", name="Evidence map")).to_be_hidden()
        assert any("explain=false" in url for url in asked)
        # It judges whole pictures, so none lacks a face.
        expect(card(page, "dark.png")).to_contain_text("Whole picture")
        expect(page.get_by_text("No face was found.")).to_have_count(0)
        expect(page.locator("#summary")).to_have_text(re.compile(r"^1 picture · \d with sunglasses$"))


def test_a_map_that_cannot_be_had_leaves_the_result(pages: Pages, server: str, pictures: Path) -> None:
    pages.allowed.append("ERR_FAILED")
    page = pages.open(server)
    judge(page, [pictures / "dark.png"])
    page.route("**/v1/predict*", lambda route: route.abort())
    page.get_by_role("checkbox", name="Evidence map").check()
    expect(page.get_by_role("alert")).to_contain_text("The server cannot be reached.")
    expect(card(page, "dark.png").locator(".worn")).to_have_text("Sunglasses")
    expect(card(page, "dark.png")).to_have_attribute("data-status", "ok")
