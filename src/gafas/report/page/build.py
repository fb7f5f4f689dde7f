"""From a folder to its page. The one place that knows the order of the sections."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import jinja2

from gafas import __version__
from gafas.errors import DataError
from gafas.files import write_text
from gafas.report.page.blocks import Section
from gafas.report.page.comparison import comparison_section, persons_section
from gafas.report.page.data import data_section
from gafas.report.page.examples import errors_section, predictions_section
from gafas.report.page.explaining import find_explanation
from gafas.report.page.figures import figure_sets
from gafas.report.page.material import Material
from gafas.report.page.model import card_section, export_section
from gafas.report.page.overview import overview, page_title
from gafas.report.page.recipe import recipe_section, training_section
from gafas.report.page.results import (
    calibration_section,
    conditions_section,
    groups_section,
    results_section,
    thresholds_section,
)
from gafas.report.words import Words

_TEMPLATE = "report.html.j2"


def write_page(path: Path, material: Material, *, words: Words) -> None:
    """Write the page of a folder.

    Raises
    ------
    DataError
        As `render_page`.
    OutputError
        The file cannot be written.
    """
    write_text(path, render_page(material, words=words))


def render_page(material: Material, *, words: Words) -> str:
    """Return the page of a folder as HTML: the same text for the same folder.

    Raises
    ------
    DataError
        The folder's files are JSON, but not of the form that gafas writes.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gafas.report"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = material.folder
    try:
        sections = build_sections(material, words)
    except (AttributeError, KeyError, IndexError, TypeError, ValueError) as error:
        # The forms have hundreds of fields: the first that is missing or of another kind ends here, with its name.
        what = f"{type(error).__name__}: {error}"
        raise DataError(f"{folder.path}: not of the form that gafas writes ({what}); make the folder again") from error
    page = environment.get_template(_TEMPLATE).render(
        words=words,
        title=page_title(material, words),
        kind=words(f"page.kind_{folder.kind}"),
        sections=sections,
        written=words("page.written", version=__version__, folder=folder.path.name),
    )
    # Neither a percentage nor a count is torn apart at the end of a line.
    return page.replace(" %", "\N{NO-BREAK SPACE}%").replace("n = ", "n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}")


def build_sections(material: Material, words: Words) -> Sequence[Section]:
    """Return what the page consists of; a section that has nothing to say is not there."""
    sets = figure_sets(material)
    folder = material.folder
    explain, reason = find_explanation(material, words)
    found = (
        overview(material, sets, words),
        data_section(material, words) if folder.kind != "bundle" else None,
        recipe_section(material, words),
        training_section(material, words),
        results_section(sets, words, exported=folder.kind == "run" and folder.evaluation is not None),
        groups_section(sets, words, without=("person",) if folder.kind == "crossval" else ()),
        persons_section(material, words),
        conditions_section(sets, words),
        calibration_section(sets, words),
        thresholds_section(sets, words),
        errors_section(material, words, explain=explain, reason=reason),
        predictions_section(material, words),
        export_section(material, words),
        comparison_section(material, words),
        card_section(material, words),
    )
    return [section for section in found if section is not None]
