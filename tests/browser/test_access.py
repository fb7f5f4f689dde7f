"""Languages, keyboard, screen reader, widths and themes."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Literal

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from tests.browser.conftest import Pages
from tests.browser.steps import judge, verdicts

pytestmark = pytest.mark.browser


def test_the_browser_s_language_and_the_switch(pages: Pages, server: str, pictures: Path) -> None:
    page = pages.open(server, locale="es-MX")
    expect(page.locator("html")).to_have_attribute("lang", "es")
    expect(page.get_by_role("heading", level=1)).to_have_text("¿Quién lleva gafas de sol?")
    judge(page, [pictures / "dark.png", pictures / "broken.png"])
    assert verdicts(page, "dark.png") == ["Gafas de sol"]
    expect(page.get_by_text("La imagen está dañada").first).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    expect(page).to_have_title("gafas: who wears sunglasses?")
    expect(page.get_by_role("button", name="English")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#table-body .label")).to_have_text(["Sunglasses"])
    assert verdicts(page, "dark.png") == ["Sunglasses"]
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Who wears sunglasses?")


def test_other_languages_get_english(pages: Pages, server: str) -> None:
    expect(pages.open(server, locale="de-DE").get_by_role("heading", level=1)).to_have_text("Who wears sunglasses?")


def test_both_languages_say_the_same_things(page: Page) -> None:
    kinds = page.evaluate(
        """async () => {
          const kindsOf = (value, path = "") => Object.entries(value).flatMap(([key, inner]) =>
            typeof inner === "object" ? kindsOf(inner, `${path}${key}.`) : [`${path}${key}: ${typeof inner}`]);
          const [en, es] = await Promise.all(["en", "es"].map((tag) => import(`/static/words-${tag}.js`)));
          return [kindsOf(en.words), kindsOf(es.words)];
        }"""
    )
    assert kinds[0] == kinds[1]
    assert len(kinds[0]) > 50


def _focused(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        """() => {
          const element = document.activeElement;
          const shown = element.id === "files" ? element.nextElementSibling : element;
          const style = getComputedStyle(shown);
          return {
            name: element.id || element.textContent.trim() || element.ariaLabel || element.tagName,
            outline: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
          };
        }"""
    )
    return found


def _tab_to(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        found = _focused(page)
        assert found["outline"], f"no visible focus on {found['name']}"
        if found["name"] == name:
            return
    pytest.fail(f"Tab does not reach {name}")


def test_everything_works_with_the_keyboard(page: Page, pictures: Path) -> None:
    # Playwright asks the browser for choosers without waiting for its answer: early enough, it is there by then.
    page.on("filechooser", lambda _: None)
    page.keyboard.press("Tab")
    assert _focused(page)["name"] == "Skip to the content"
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()
    _tab_to(page, "files")
    with page.expect_file_chooser() as waiting:
        page.keyboard.press("Enter")
    waiting.value.set_files([pictures / "two.png"])
    expect(page.locator(".card[data-status=ok]")).to_have_count(1)
    _tab_to(page, "threshold")
    page.keyboard.press("Home")
    expect(page.locator("#threshold-value")).to_have_text("0.00")
    page.keyboard.press("ArrowRight")
    expect(page.locator("#threshold-value")).to_have_text("0.01")
    assert page.locator("#threshold").get_attribute("aria-valuetext") == "0.01"
    _tab_to(page, "threshold-reset")
    page.keyboard.press("Enter")
    expect(page.locator("#threshold-value")).to_have_text("0.4747")
    _tab_to(page, "save-csv")
    with page.expect_download() as downloading:
        page.keyboard.press("Enter")
    assert downloading.value.suggested_filename == "gafas.csv"
    _tab_to(page, "two.png")
    page.keyboard.press("Enter")
    expect(page.get_by_role("article")).to_be_focused()


def test_no_keyboard_trap(page: Page, pictures: Path) -> None:
    judge(page, [pictures / "two.png"])
    page.locator("body").evaluate("() => document.activeElement.blur()")
    forth = []
    for _ in range(40):
        page.keyboard.press("Tab")
        forth.append(_focused(page)["name"])
        if forth[-1] in ("BODY", forth[0]) and len(forth) > 1:
            break
    else:
        pytest.fail(f"Tab never comes round: {forth}")
    assert {"files", "camera-start", "threshold", "save-csv", "save-json", "clear"} <= set(forth)


def test_motion_is_left_out_where_it_is_not_wanted(pages: Pages, server: str, pictures: Path) -> None:
    page = pages.open(server, reduced_motion="reduce")
    page.route("**/v1/predict*", lambda _: None)
    page.locator("#files").set_input_files(pictures / "dark.png")
    media = page.locator(".card[data-status=judging] canvas.media")
    expect(media).to_have_css("animation-name", "none")
    still = pages.open(server, reduced_motion="no-preference")
    still.route("**/v1/predict*", lambda _: None)
    still.locator("#files").set_input_files(pictures / "dark.png")
    expect(still.locator(".card[data-status=judging] canvas.media")).to_have_css("animation-name", "breathe")


def _shown(pictures: Path) -> list[Path]:
    """Real photographs where they can be had, for whoever looks at the screenshots; drawn ones always."""
    drawn = [pictures / name for name in ("two.png", "dark.png", "light.png", "grass.png", "broken.png")]
    root = Path(os.environ.get("GAFAS_DATA", ""), "celeba_glasses")
    if not os.environ.get("GAFAS_DATA") or not root.is_dir():
        return drawn
    return [min((root / name).glob("*.jpg")) for name in ("sunglasses", "eyeglasses", "none")] + drawn[3:]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 820, 1440])
def test_widths_and_themes(
    pages: Pages, server: str, pictures: Path, screenshots: Path, width: int,
    theme: Literal["light", "dark"],
) -> None:  # fmt: skip
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    # The policy is lifted for axe only, which the page would not let in.
    page = pages.open(
        server, viewport={"width": width, "height": 900}, color_scheme=theme, bypass_csp=True,
        reduced_motion="reduce", locale="es-ES" if theme == "dark" else "en-GB",
    )  # fmt: skip
    page.screenshot(path=screenshots / f"{width}-{theme}-empty.png")
    _check(page, axe.Axe())
    judge(page, _shown(pictures))
    page.get_by_role("checkbox").check()
    expect(page.locator(".maps canvas")).not_to_have_count(0)
    expect(page.locator("#progress")).to_be_hidden()
    page.screenshot(path=screenshots / f"{width}-{theme}.png", full_page=True)
    _check(page, axe.Axe())


def _check(page: Page, axe: Any) -> None:
    found = axe.run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"


def test_axe_finds_what_is_wrong(pages: Pages, server: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page = pages.open(server, bypass_csp=True)
    page.evaluate("() => document.querySelector('#camera-start').replaceChildren()")
    assert re.search("button-name", axe.Axe().run(page).generate_report())
