"""The data: how many pictures of what, how they were dealt out, and what they look like."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from gafas.datasets.summary import Count, largest, summarise
from gafas.report.data_pictures import choose_at_resolutions
from gafas.report.page.blocks import Block, Part, Photo, Photos, Section, Table, Tables, Text
from gafas.report.page.material import Material
from gafas.report.page.photos import file_to_uri
from gafas.report.words import Words
from gafas.values import EYEWEAR, SPLIT_NAMES, Dataset, Sample

_MOST_ROWS = 40
_SHOWN = 8


def data_section(material: Material, words: Words) -> Section | None:
    """Return counts and samples; ``None`` where neither the data set nor a list of images is here."""
    dataset, rows = material.dataset, material.folder.rows
    blocks: list[Block] = []
    if dataset is not None:
        blocks.append(_lead(dataset, words))
    else:
        reason = material.missing
        text = words("page.no_data", reason=reason) if reason else words("page.no_data_plain")
        blocks.append(Text(text, "missing"))
    tables = _counts(dataset, words) if dataset is not None else []
    if material.folder.kind == "run" and rows:
        tables.insert(0, _parts([(row.part, row.sample) for row in rows], words))
    blocks += [Tables(tables)] if tables else []
    if dataset is not None:
        blocks += [
            Part(words("data.samples")),
            *_pictures(dataset, words, seed=int(material.folder.config.get("seed", 0))),
        ]
    return Section(name="data", title=words("data.title"), blocks=blocks)


def _lead(dataset: Dataset, words: Words) -> Text:
    counted = summarise(dataset)
    numbers = {name: words.count(getattr(counted, name)) for name in ("photographs", "sunglasses", "no_sunglasses")}
    files = {name: words.count(getattr(counted, name)) for name in ("files", "bad", "skipped")}
    return Text(f"{words('data.name', name=dataset.name, **numbers)} {words('data.files', **files)}")


def _counts(dataset: Dataset, words: Words) -> list[Table]:
    tables: list[Table] = []
    eyewear = Counter(sample.eyewear for sample in largest(dataset) if sample.eyewear is not None)
    if eyewear:
        rows = [(words.term("eyewear", name), words.count(eyewear[name])) for name in EYEWEAR]
        columns = (words("group.eyewear"), words("data.total"))
        tables.append(Table(caption=words("data.glasses_caption"), columns=columns, rows=rows))
    # Thousands of persons are no table for a page.
    by = summarise(dataset).by.items()
    return [*tables, *(_table(key, counts, words) for key, counts in by if len(counts) <= _MOST_ROWS)]


def _table(key: str, counts: Sequence[Count], words: Words) -> Table:
    columns = [
        words(f"group.{key}"),
        words("data.total"),
        words("label.sunglasses"),
        words("label.no_sunglasses"),
        words("data.bad"),
    ]
    rows = [
        (words.term(key, c.value), *(words.count(n) for n in (c.total, c.sunglasses, c.no_sunglasses, c.bad)))
        for c in counts
    ]
    return Table(caption=words("data.by_caption", group=words(f"group.{key}")), columns=columns, rows=rows)


def _parts(rows: Iterable[tuple[str, Sample]], words: Words) -> Table:
    counts = Counter((part, sample.label) for part, sample in rows)
    lines = []
    for part in SPLIT_NAMES:
        dark, none = counts[part, "sunglasses"], counts[part, "no_sunglasses"]
        lines.append((words.term("part", part), *(words.count(n) for n in (dark + none, dark, none))))
    columns = (words("data.part"), words("data.total"), words("label.sunglasses"), words("label.no_sunglasses"))
    return Table(caption=words("data.parts_caption"), columns=columns, rows=lines)


def _pictures(dataset: Dataset, words: Words, *, seed: int) -> list[Block]:
    blocks: list[Block] = []
    chosen = choose_at_resolutions(dataset, seed=seed, count=4)
    if chosen:
        items = [
            _photo(dataset, sample, words, line=words.term("resolution", size))
            for size, samples in chosen.items()
            for sample in samples
        ]
        columns = len(next(iter(chosen.values())))
        blocks.append(_sheet(words("data.resolutions_caption"), items, words, columns=columns))
    else:
        samples = largest(dataset)
        some = [sample for label in ("sunglasses", "no_sunglasses") for sample in _spread(samples, label)]
        items = [_photo(dataset, sample, words, line=worn(sample, words)) for sample in some]
        blocks.append(_sheet(words("data.training_caption"), items, words, columns=_SHOWN // 2))
    if dataset.bad:
        items = [_photo(dataset, sample, words) for sample in dataset.bad[:_MOST_ROWS]]
        blocks.append(_sheet(words("data.bad_caption", n=len(dataset.bad)), items, words))
    return blocks


def _spread(samples: Sequence[Sample], label: str) -> list[Sample]:
    """Return some samples of a label from all over the data set, the same ones each time."""
    found = [sample for sample in samples if sample.label == label]
    return found[:: max(1, len(found) // (_SHOWN // 2))][: _SHOWN // 2]


def _sheet(caption: str, items: Sequence[Photo], words: Words, *, columns: int | None = None) -> Photos:
    return Photos(caption=caption, items=items, columns=columns, unreadable=words("page.unreadable"))


def _photo(dataset: Dataset, sample: Sample, words: Words, *, line: str = "") -> Photo:
    uri = file_to_uri(dataset.root / sample.path)
    title = describe(sample, words)
    alt = words("data.alt", person=sample.person, words=title) if sample.pose else words("data.alt_plain", words=title)
    alt = f"{alt}, {line}" if line else alt
    return Photo(uris=[uri] if uri else [], alts=[alt], title=title, lines=[line] if line else [])


def worn(sample: Sample, words: Words) -> str:
    """Return what is worn, as finely as the data set knows."""
    if sample.eyewear is not None:
        return words.term("eyewear", sample.eyewear)
    return words.term("label", sample.label)


def describe(sample: Sample, words: Words) -> str:
    """Return what is known of a photograph: person, pose, expression and class; else its path."""
    if sample.person is None or sample.pose is None or sample.expression is None:
        return sample.path
    label = words.term("label", sample.label)
    known = (words.term("pose", sample.pose), words.term("expression", sample.expression))
    return ", ".join([sample.person, *known, label])
