"""The page: one file that needs nothing, that a screen reader can walk through, in two languages, of four kinds."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
from gafas.datasets.locate import load_dataset
from gafas.errors import DataError
from gafas.report.page.build import build_sections, render_page
from gafas.report.page.charts import to_svg
from gafas.report.page.explaining import colour_evidence
from gafas.report.page.material import read_material
from gafas.report.page.photos import to_uri
from gafas.report.scores import draw_roc
from gafas.report.words import LANGUAGES, load_words
from gafas.runtime.explain import Explanation
from gafas.values import Dataset, FaceBox, Verdict
from tests.report import folders

VOID = {"meta", "img", "br", "link", "input", "path", "line", "circle", "use"}
KINDS = ("run", "evaluation", "crossval")


class Page(HTMLParser):
    """Every element with its attributes, and the text of the whole."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == [], f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"\s+", " ", " ".join(self.words))


@pytest.fixture
def dataset(synthetic_root: Path) -> Dataset:
    return load_dataset(str(synthetic_root))


@pytest.fixture
def made(tmp_path: Path, dataset: Dataset, bundle: Path) -> dict[str, Path]:
    """One folder of each kind."""
    return {
        "run": folders.make_run(tmp_path / "run", dataset, bundle),
        "evaluation": folders.make_evaluation(tmp_path / "evaluation", dataset, model=str(bundle)),
        "crossval": folders.make_crossval(tmp_path / "crossval", dataset),
    }


def page_of(folder: Path, language: str = "en", **options: Any) -> Page:
    return Page(render_page(read_material(folder, **options), words=load_words(language)))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_needs_nothing_else(made: dict[str, Path], kind: str, language: str, dataset: Dataset) -> None:
    page = page_of(made[kind], language, data=str(dataset.root))
    assert not [tag for tag, _ in page.elements if tag in {"script", "link", "iframe", "object", "base"}]
    for _, attributes in page.elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "xlink:href", "srcset"):
            if value := attributes.get(name):
                assert value.startswith(("#", "data:image/"))
    assert page.all("img")
    assert [one["lang"] for one in page.all("html")] == [language]


@pytest.mark.parametrize("kind", KINDS)
def test_can_be_walked_through(made: dict[str, Path], kind: str, dataset: Dataset) -> None:
    page = page_of(made[kind], data=str(dataset.root))
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    ids = Counter(value for _, attributes in page.elements if (value := attributes.get("id")))
    assert not [name for name, n in ids.items() if n > 1]
    for _, attributes in page.elements:
        for name in ("href", "xlink:href"):
            if (value := attributes.get(name)) and value.startswith("#"):
                assert value[1:] in ids
        if label := attributes.get("aria-labelledby"):
            assert label in ids
    assert all(image.get("alt") for image in page.all("img"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(cell.get("scope") in {"row", "col"} for cell in page.all("th"))
    assert all(one.get("aria-label") for _, one in page.elements if one.get("role") == "img")
    anchors = [one["href"] for one in page.all("a")]
    assert anchors[0] == "#content"
    assert anchors[1:] == [f"#{one['id']}" for one in page.all("section")]


def test_sections_of_a_run(made: dict[str, Path], dataset: Dataset) -> None:
    folders.export(made["run"])
    material = read_material(made["run"], crossval=made["crossval"])
    names = [section.name for section in build_sections(material, load_words("en"))]
    assert names == [
        "overview",
        "data",
        "recipe",
        "training",
        "results",
        "groups",
        "persons",
        "calibration",
        "thresholds",
        "errors",
        "predictions",
        "export",
        "comparison",
        "card",
    ]
    text = page_of(made["run"], crossval=made["crossval"]).text
    for words in ("fine-tuning starts", "Synthetic data", "2,259,265", "1.23 MB", "0 of 38", "the same persons"):
        assert words in text


def test_figures_are_those_of_the_folder(made: dict[str, Path]) -> None:
    material = read_material(made["crossval"])
    figures = material.folder.metrics
    text = page_of(made["crossval"]).text.replace("\N{NO-BREAK SPACE}", " ")
    words = load_words("en")
    assert f"{words.share(figures['accuracy'])} {words.share_between(figures['interval'])}, n = {figures['n']}" in text
    assert words.share_between(figures["interval_over_persons"]) in text


def test_spanish_has_no_english_left(made: dict[str, Path], dataset: Dataset) -> None:
    text = page_of(made["run"], "es", crossval=made["crossval"]).text.lower()
    for words in ("accuracy", "threshold", "sunglasses ", "training", "epoch", "interval of"):
        assert words not in text
    assert "época" in text
    assert re.search(r"\d,\d", text)


def test_without_the_data_set_figures_remain(made: dict[str, Path], tmp_path: Path, dataset: Dataset) -> None:
    material = replace(read_material(made["run"]), dataset=None, missing="gone away")
    page = Page(render_page(material, words=load_words("en")))
    assert not page.all("img")
    assert "gone away" in page.text
    assert "Wrong answers" in page.text
    assert "ROC curve" in page.text


def test_a_moved_data_set_is_looked_for_and_missed(made: dict[str, Path], tmp_path: Path, no_data: Path) -> None:
    import json

    path = made["run"] / "config.json"
    record = json.loads(path.read_text())
    record["data"]["root"] = str(tmp_path / "moved")
    path.write_text(json.dumps(record))
    material = read_material(made["run"])
    assert material.dataset is None
    assert "moved" in material.missing


def test_other_pictures_are_not_shown_for_those_that_were_judged(made: dict[str, Path], photos: Path) -> None:
    import json

    for name, label in (("far/dark.jpg", "sunglasses"), ("light.png", "no_sunglasses")):
        (photos / label).mkdir()
        (photos / name).rename(photos / label / Path(name).name)
    (photos / "far").rmdir()
    path = made["run"] / "config.json"
    record = json.loads(path.read_text())
    record["data"]["root"] = str(photos)
    path.write_text(json.dumps(record))
    assert "other pictures" in read_material(made["run"]).missing
    with pytest.raises(DataError, match="other pictures than those that were judged"):
        read_material(made["run"], data=str(photos))


def test_an_unreadable_picture_is_named(made: dict[str, Path], tmp_path: Path, dataset: Dataset) -> None:
    import shutil

    copy = Path(shutil.copytree(dataset.root, tmp_path / "faces"))
    for path in copy.rglob("*.bad"):
        path.write_bytes(b"")
    page = page_of(made["run"], data=str(copy))
    labels = [one["aria-label"] for one in page.all("div") if one.get("class") == "lost"]
    assert len(labels) == len(dataset.bad)
    assert all(label and label.endswith("cannot be read") for label in labels)


def test_text_of_others_is_escaped(made: dict[str, Path]) -> None:
    import json

    path = made["evaluation"] / "metrics.json"
    figures = json.loads(path.read_text())
    figures["model"] = "<script>alert(1)</script>"
    path.write_text(json.dumps(figures))
    page = page_of(made["evaluation"])
    assert not page.all("script")
    assert "<script>alert(1)</script>" in page.text


def test_errors_are_explained_by_a_model_that_gives_the_same_answer(made: dict[str, Path], dataset: Dataset) -> None:
    """The scores of the folder are made up, those of the model are not: most answers are others."""
    page = page_of(made["run"])
    told = [one["alt"] for one in page.all("img") if (one["alt"] or "").startswith("What the model saw")]
    assert len(told) + page.text.count("the model now gives another score") > 0


def test_the_shipped_model_has_a_page() -> None:
    page = page_of(Path("gafas-base"), "es")
    titles = [section.name for section in build_sections(read_material(Path("gafas-base")), load_words("es"))]
    assert titles[0] == "overview"
    assert titles[-1] == "card"
    assert "CMU Face Images" in page.text


def test_same_folder_gives_the_same_page(made: dict[str, Path]) -> None:
    one, two = (render_page(read_material(made["run"]), words=load_words("en")) for _ in range(2))
    assert one == two


def test_charts_take_the_colours_of_the_page() -> None:
    words = load_words("es")
    svg = to_svg(draw_roc([0, 1, 1], [0.2, 0.4, 0.9], threshold=0.5, words=words), name="roc", words=words)
    assert svg.startswith("<svg")
    assert not re.search(r"(fill|stroke): #", svg)
    assert "var(--blue)" in svg
    assert ">0,2<" in svg
    assert "Tasa de falsos positivos" in svg


def test_photos_are_small() -> None:
    grey = np.full((120, 128, 3), 90, np.uint8)
    assert to_uri(grey).startswith("data:image/jpeg")
    assert to_uri(grey[:30, :32]).startswith("data:image/png")
    large = np.random.default_rng(1).integers(0, 256, (900, 1200, 3), dtype=np.uint8)
    assert len(to_uri(large)) < 40_000


def test_evidence_is_coloured_for_and_against() -> None:
    evidence = np.zeros((4, 4), np.float32)
    evidence[0], evidence[3] = 1, -1
    box = FaceBox(0, 0, 4, 4)
    seen = np.full((4, 4, 3), 100, np.uint8)
    verdict = Verdict("whole", box, 0.9, None, "sunglasses")
    found = Explanation(verdict, "sunglasses", 0.9, (0, 0, 4, 4), seen, evidence, "occlusion")
    coloured = colour_evidence(found).astype(int)
    assert coloured[0, 0, 0] > coloured[0, 0, 2]
    assert coloured[3, 0, 2] > coloured[3, 0, 0]
    assert (coloured[1] == 100).all()


def luminance(colour: Any) -> float:
    """Return the relative luminance of red, green, blue in [0, 255], as WCAG 2.2 defines it."""
    linear = np.asarray(colour, dtype=np.float64) / 255
    linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


def contrast(one: Any, other: Any) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_words_can_be_told_from_their_ground(scheme: int) -> None:
    """WCAG 2.2 asks for 4.5 to 1 (AA)."""
    import gafas.report

    css = (Path(gafas.report.__file__).parent / "templates" / "report.css").read_text(encoding="utf-8")
    block = re.findall(r":root \{(.*?)\}", css, re.DOTALL)[scheme]
    found = {
        name: np.array([int(value[i : i + 2], 16) for i in (0, 2, 4)], float)
        for name, value in re.findall(r"--([a-z-]+): #([0-9a-f]{6})", block)
    }
    for words in ("ink", "faint", "blue", "orange", "red"):
        for ground in ("paper", "panel"):
            assert contrast(found[words], found[ground]) >= 4.5, (words, ground)
    assert contrast(found["amber"], found["amber-panel"]) >= 4.5
    tint = float(re.findall(r"--tint: (\d+)%", block)[0]) / 100
    darkest = tint * found["blue"] + (1 - tint) * found["panel"]
    assert contrast(found["ink"], darkest) >= 4.5
