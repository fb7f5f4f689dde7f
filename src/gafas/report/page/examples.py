"""The answers as pictures: every error with what the model looked at, and some predictions as in the notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gafas.errors import ImageError
from gafas.imaging import Rgb, read_image
from gafas.report.errors import worst_errors
from gafas.report.page.blocks import Block, Photo, Photos, Section, Table, Text
from gafas.report.page.data import worn
from gafas.report.page.material import Material, Scored
from gafas.report.page.photos import file_to_uri, to_uri
from gafas.report.words import Words
from gafas.values import LABELS, Dataset

MAX_ERRORS = 48
"""Errors shown as pictures at most."""

_PREDICTIONS = 30


@dataclass(frozen=True, slots=True)
class Explainer:
    """Explains answers with pictures.

    Attributes
    ----------
    colour : callable
        An image and its recorded P(sunglasses) → what the model saw, coloured by what carried the answer; ``None``
        where the model does not give that answer any more.
    most : int or None
        How many may be explained, where it takes long.
    """

    colour: Callable[[Rgb, float], Rgb | None]
    most: int | None = None


def errors_section(material: Material, words: Words, *, explain: Explainer | None, reason: str) -> Section | None:
    """Return the wrong answers, the worst first; ``None`` where single answers are not kept.

    Parameters
    ----------
    explain : Explainer or None
        Explains the answers.
    reason : str
        Why it is ``None``, in words.
    """
    scored = material.scored
    if scored is None:
        return None
    title, n = words("errors.title"), words.count(len(scored.samples))
    worst = worst_errors(scored.samples, scored.probabilities, threshold=scored.threshold)
    if not worst:
        return Section(name="errors", title=title, blocks=[Text(words("errors.none", n=n))])
    lead = words("errors.lead", wrong=words.count(len(worst)), n=n, threshold=words.short(scored.threshold))
    shown = worst[:MAX_ERRORS]
    if len(shown) < len(worst):
        lead = f"{lead} {words('errors.shown', shown=len(shown))}"
    blocks: list[Block] = [Text(lead)]
    if material.dataset is None:
        return Section(name="errors", title=title, blocks=[*blocks, _list(scored, shown, words)])
    most = len(shown) if explain is None or explain.most is None else explain.most
    items = [
        _error(material.dataset, scored, place, words, explain if number < most else None)
        for number, place in enumerate(shown)
    ]
    explained = any(len(item.uris) > 1 for item in items)
    if explained:
        few = [words("errors.explained_most", n=most)] if most < len(shown) else []
        blocks.append(Text(" ".join([words("errors.explained"), *few])))
    else:
        blocks.append(Text(words("errors.not_explained", reason=reason or words("errors.no_model")), "missing"))
    caption = words("errors.caption_explained" if explained else "errors.caption")
    blocks.append(Photos(caption=caption, items=items, unreadable=words("page.unreadable")))
    return Section(name="errors", title=title, blocks=blocks)


def _error(dataset: Dataset, scored: Scored, place: int, words: Words, explain: Explainer | None) -> Photo:
    sample, score = scored.samples[place], scored.probabilities[place]
    truth = worn(sample, words)
    lines = [words("page.probability", probability=words.probability(score)), sample.path]
    uris, alts = [], [words("errors.alt", path=sample.path, truth=truth)]
    try:
        image = read_image(dataset.root / sample.path)
        uris.append(to_uri(image))
        coloured = None if explain is None else explain.colour(image, score)
        if coloured is not None:
            uris.append(to_uri(coloured))
            alts.append(words("errors.explained_alt"))
        elif explain is not None:
            lines.append(words("errors.other_score"))
    except ImageError:
        uris.clear()
    said = words.term("label", LABELS[int(score >= scored.threshold)])
    return Photo(uris=uris, alts=alts, title=said, lines=lines, wrong=words("errors.truth", truth=truth))


def _list(scored: Scored, places: list[int], words: Words) -> Table:
    rows = [
        (scored.samples[place].path, worn(scored.samples[place], words), words.probability(scored.probabilities[place]))
        for place in places
    ]
    columns = (words("errors.path"), words("page.truth"), words("page.score"))
    return Table(caption=words("errors.list_caption"), columns=columns, rows=rows, words=1)


def predictions_section(material: Material, words: Words) -> Section | None:
    """Return judged images with the class said, as the notebook shows them; ``None`` without pictures."""
    scored, dataset = material.scored, material.dataset
    if scored is None or dataset is None:
        return None
    # From all over the list: at its head there is often one class only.
    n = len(scored.samples)
    places = np.unique(np.linspace(0, n - 1, _PREDICTIONS).round().astype(int)).tolist()
    items = [_prediction(dataset, scored, place, words) for place in places]
    caption = words("predictions.caption", shown=len(places), n=words.count(n))
    sheet = Photos(caption=caption, items=items, unreadable=words("page.unreadable"))
    title = words("predictions.title" if scored.part == "test" else "predictions.title_plain")
    return Section(name="predictions", title=title, blocks=[sheet])


def _prediction(dataset: Dataset, scored: Scored, place: int, words: Words) -> Photo:
    sample, score = scored.samples[place], scored.probabilities[place]
    said = LABELS[int(score >= scored.threshold)]
    uri = file_to_uri(dataset.root / sample.path)
    return Photo(
        uris=[uri] if uri else [],
        alts=[words("predictions.alt", path=sample.path)],
        title=words.term("label", said),
        lines=[words("page.probability", probability=words.probability(score))],
        wrong="" if said == sample.label else words("predictions.wrong", truth=words.term("label", sample.label)),
    )
