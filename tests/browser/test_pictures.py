"""Pictures on the page: how they come in, what is said of them, and what is taken away."""

from __future__ import annotations

import base64
import csv
import io
import json
from pathlib import Path

import pytest

pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

from playwright.sync_api import Page, expect

from gafas.imaging import read_image
from gafas.runtime.predictor import load_predictor
from gafas.runtime.rows import COLUMNS
from tests.browser.conftest import Pages
from tests.browser.steps import card, judge, slide, verdicts, wait_for_answers

pytestmark = pytest.mark.browser


def test_chosen_pictures_get_words_boxes_and_rows(page: Page, pictures: Path) -> None:
    judge(page, [pictures / name for name in ("dark.png", "light.png", "two.png")])
    assert verdicts(page, "dark.png") == ["Sunglasses"]
    assert verdicts(page, "light.png") == ["No sunglasses"]
    assert sorted(verdicts(page, "two.png")) == ["No sunglasses", "Sunglasses"]
    expect(card(page, "two.png").locator(".box")).to_have_count(2)
    expect(page.locator("#summary")).to_have_text("4 faces · 2 with sunglasses · 0 with clear glasses")
    expect(page.get_by_role("row")).to_have_count(1 + 4)
    expect(page.get_by_role("status")).to_have_text(
        "3 pictures judged. 4 faces · 2 with sunglasses · 0 with clear glasses."
    )


def test_more_pictures_than_a_request_holds(pages: Pages, server: str, pictures: Path) -> None:
    page = pages.open(server)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "predict" in request.url else None)
    page.locator("#files").set_input_files([pictures / "light.png"] * 9)
    wait_for_answers(page, 9)
    assert len(sent) >= 3
    assert page.locator(".card").count() == page.locator(".card[data-status=ok]").count() == 9


def test_the_box_lies_where_the_library_finds_the_face(page: Page, pictures: Path) -> None:
    judge(page, [pictures / "turned.jpg"])
    (verdict,) = load_predictor().predict(pictures / "turned.jpg")
    height, width = read_image(pictures / "turned.jpg").shape[:2]
    stage = card(page, "turned.jpg").locator(".stage").bounding_box()
    box = card(page, "turned.jpg").locator(".box").bounding_box()
    assert stage is not None
    assert box is not None
    # Upright, although the file holds it on its side.
    assert stage["width"] / stage["height"] == pytest.approx(width / height, rel=0.01)
    assert (box["x"] - stage["x"]) / stage["width"] == pytest.approx(verdict.box.x0 / width, abs=0.01)
    assert (box["y"] - stage["y"]) / stage["height"] == pytest.approx(verdict.box.y0 / height, abs=0.01)
    assert box["width"] / stage["width"] == pytest.approx(verdict.box.width / width, abs=0.01)
    assert box["height"] / stage["height"] == pytest.approx(verdict.box.height / height, abs=0.01)


def test_the_preview_is_upright_and_a_pgm_has_one_too(page: Page, pictures: Path) -> None:
    judge(page, [pictures / "turned.jpg", pictures / "dark.pgm", pictures / "dark.png"])
    sizes = page.locator("canvas.media").evaluate_all("all => all.map(({ width, height }) => [width, height])")
    assert sizes == [[256, 240]] * 3
    means = page.locator("canvas.media").evaluate_all(
        """all => all.map((canvas) => {
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.reduce((sum, value, at) => at % 4 ? sum : sum + value, 0) / (data.length / 4);
        })"""
    )
    assert means == pytest.approx([read_image(pictures / "dark.png")[..., 0].mean()] * 3, abs=1)


def test_a_picture_without_a_face_is_named_as_such(page: Page, pictures: Path) -> None:
    judge(page, [pictures / "grass.png"])
    expect(card(page, "grass.png")).to_contain_text("No face was found. The whole picture was judged instead")
    expect(page.locator("#summary")).to_contain_text("1 picture without a face")


def test_files_that_cannot_be_judged_say_why(page: Page, pictures: Path) -> None:
    judge(page, [pictures / name for name in ("broken.png", "words.txt", "large.png", "huge.png", "dark.png")])
    expect(card(page, "broken.png")).to_contain_text("The picture is damaged and cannot be read.")
    expect(card(page, "words.txt")).to_contain_text("This is not a picture")
    expect(card(page, "large.png")).to_contain_text("The file is too large: 1.1 MB, and the server takes 1 MB.")
    expect(card(page, "huge.png")).to_contain_text("The picture has too many pixels for the server.")
    assert verdicts(page, "dark.png") == ["Sunglasses"]
    expect(page.locator("#summary")).to_contain_text("1 face · 1 with sunglasses")
    expect(page.locator("#summary")).to_contain_text("4 not judged")


def test_dropped_pictures(page: Page, pictures: Path) -> None:
    dropped = page.evaluate_handle(
        """(files) => {
          const data = new DataTransfer();
          for (const [name, encoded] of files) {
            data.items.add(new File([Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))], name));
          }
          return data;
        }""",
        [[name, base64.b64encode((pictures / name).read_bytes()).decode()] for name in ("dark.png", "light.png")],
    )
    page.dispatch_event("footer", "dragover", {"dataTransfer": dropped})
    expect(page.locator("body")).to_have_class("dropping")
    page.dispatch_event("footer", "drop", {"dataTransfer": dropped})
    wait_for_answers(page, 2)
    expect(page.locator("body")).not_to_have_class("dropping")
    assert verdicts(page, "dark.png") == ["Sunglasses"]


def test_a_dropped_folder_is_refused_with_words(page: Page) -> None:
    # No script can make a folder to drop, so the event says it is one.
    page.evaluate(
        """() => {
          const item = { webkitGetAsEntry: () => ({ isDirectory: true, name: "holiday" }) };
          const dataTransfer = { items: [item], files: [new File([], "holiday")], types: ["Files"] };
          document.body.dispatchEvent(Object.assign(new Event("drop", { bubbles: true }), { dataTransfer }));
        }"""
    )
    expect(page.get_by_role("alert")).to_contain_text("No picture was among what you dropped.")
    expect(page.get_by_role("article")).to_have_count(0)


def test_pasted_pictures(pages: Pages, server: str, pictures: Path) -> None:
    page = pages.open(server, permissions=["clipboard-read", "clipboard-write"])
    encoded = base64.b64encode((pictures / "dark.png").read_bytes()).decode()
    page.evaluate(
        """async (encoded) => {
          const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0));
          const picture = new Blob([bytes], { type: "image/png" });
          await navigator.clipboard.write([new ClipboardItem({ "image/png": picture })]);
        }""",
        encoded,
    )
    page.keyboard.press("Control+V")
    wait_for_answers(page, 1)
    assert verdicts(page, "pasted-1.png") == ["Sunglasses"]
    page.evaluate("() => navigator.clipboard.writeText('words')")
    page.keyboard.press("Control+V")
    expect(page.get_by_role("alert")).to_have_text("The clipboard holds no picture.")


def test_the_threshold_relabels_at_once_and_asks_nobody(page: Page, pictures: Path) -> None:
    judge(page, [pictures / "two.png"])
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator("#threshold-value")).to_have_text("0.4747")
    slide(page, 0)
    expect(card(page, "two.png").locator(".worn")).to_have_text(["Sunglasses", "Sunglasses"])
    expect(page.locator("#table-body .label")).to_have_text(["Sunglasses", "Sunglasses"])
    expect(card(page, "two.png").locator('.box[data-worn="sunglasses"]')).to_have_count(2)
    expect(page.get_by_role("status")).to_have_text("Threshold 0.00: 2 of 2 with sunglasses.")
    slide(page, 1)
    expect(card(page, "two.png").locator(".worn")).to_have_text(["No sunglasses", "No sunglasses"])
    page.get_by_role("button", name="Back to it").click()
    expect(page.locator("#threshold-value")).to_have_text("0.4747")
    expect(page.get_by_label("Threshold for sunglasses")).to_be_focused()
    assert sorted(verdicts(page, "two.png")) == ["No sunglasses", "Sunglasses"]
    assert asked == []


def _download(page: Page, name: str, folder: Path) -> str:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=name).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path.read_text(encoding="utf-8")


def test_downloads_hold_every_picture_at_the_slider_s_threshold(page: Page, pictures: Path, tmp_path: Path) -> None:
    odd = tmp_path / 'a, "b"\u00f1.png'
    odd.write_bytes((pictures / "two.png").read_bytes())
    judge(page, [odd, pictures / "broken.png", pictures / "grass.png"])
    slide(page, 0)
    text = _download(page, "Download CSV", tmp_path)
    reader = csv.DictReader(io.StringIO(text))
    rows = list(reader)
    assert tuple(reader.fieldnames or ()) == COLUMNS
    assert [row["path"] for row in rows] == [odd.name, odd.name, "broken.png", "grass.png"]
    assert [row["status"] for row in rows] == ["ok", "ok", "error", "ok"]
    assert [row["region"] for row in rows] == ["face", "face", "", "whole"]
    assert {row["label"] for row in rows} == {"sunglasses", ""}
    assert rows[2]["error"]
    assert not rows[2]["sunglasses"]
    for row, verdict in zip(rows, load_predictor().predict(odd), strict=False):
        box = verdict.box
        assert [int(row[name]) for name in ("x0", "y0", "x1", "y1")] == [box.x0, box.y0, box.x1, box.y1]
        assert float(row["sunglasses"]) == pytest.approx(verdict.sunglasses, abs=2e-6)
        assert float(row["face_confidence"]) == pytest.approx(box.confidence, abs=1e-4)
    page.get_by_role("button", name="Back to it").click()
    objects = json.loads(_download(page, "Download JSON", tmp_path))
    assert [list(row) for row in objects] == [list(COLUMNS)] * 4
    assert [row["label"] for row in objects[:2]] == [v.label for v in load_predictor().predict(odd)]
    assert objects[2]["sunglasses"] is None
    assert objects[3]["region"] == "whole"


def test_pictures_can_be_removed_one_by_one_and_all(page: Page, pictures: Path) -> None:
    judge(page, [pictures / name for name in ("dark.png", "light.png", "two.png")])
    page.get_by_role("button", name="Remove light.png").click()
    expect(page.get_by_role("article")).to_have_count(2)
    expect(page.get_by_role("row")).to_have_count(1 + 3)
    expect(page.get_by_role("button", name="Remove two.png")).to_be_focused()
    page.get_by_role("button", name="Remove all").click()
    expect(page.get_by_role("article")).to_have_count(0)
    expect(page.get_by_role("heading", name="Results")).to_be_hidden()
    expect(page.get_by_role("status")).to_have_text("All pictures were removed.")
    judge(page, [pictures / "dark.png"])
    assert verdicts(page, "dark.png") == ["Sunglasses"]


@pytest.mark.real_data
def test_real_photographs(page: Page, cmu_root: Path) -> None:
    names = ["an2i_left_angry_sunglasses.pgm", "an2i_left_angry_open.pgm"]
    judge(page, [cmu_root / "an2i" / name for name in names])
    assert [verdicts(page, name) for name in names] == [["Sunglasses"], ["No sunglasses"]]
