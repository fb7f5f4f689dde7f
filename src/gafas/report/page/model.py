"""The model itself: the formats it was exported to, and its card."""

from __future__ import annotations

from gafas.bundle import Bundle
from gafas.report.page.blocks import Block, Facts, Section, Table, Text
from gafas.report.page.material import Material
from gafas.report.words import Words

_DIGEST = 12


def export_section(material: Material, words: Words) -> Section | None:
    """Return formats, sizes and how they agree with the trained model; ``None`` without a bundle."""
    bundle = material.folder.bundle
    if bundle is None:
        return None
    blocks: list[Block] = []
    exports = bundle.manifest.exports
    if exports:
        rows = [
            (
                name,
                str(one.get("file", "")),
                words("export.size_value", value=words.number(one["size"] / 1e6, 2)),
                words.localise(f"{one['max_difference']:.1e}"),
                words("export.changed_value", changed=words.count(one["labels_changed"]), n=words.count(one["n"])),
                words.number(one["ms_per_image"], 1),
            )
            for name, one in exports.items()
        ]
        columns = [words(f"export.{name}") for name in ("format", "file", "size", "difference", "changed", "speed")]
        table = Table(caption=words("export.caption"), columns=columns, rows=rows, words=1)
        blocks += [Text(words("export.lead")), table]
    elif material.folder.kind == "run":
        blocks.append(Text(words("export.not_compared", folder=material.folder.path.name), "missing"))
    blocks.append(_files(bundle, words))
    return Section(name="export", title=words("export.title"), blocks=blocks)


def _files(bundle: Bundle, words: Words) -> Table:
    rows = []
    # The SavedModel's parts say nothing to a reader.
    for name, digest in bundle.manifest.files.items():
        if "/" in name:
            continue
        size = (bundle.folder / name).stat().st_size
        rows.append((name, digest[:_DIGEST], words("export.size_value", value=words.number(size / 1e6, 2))))
    columns = (words("export.file"), words("export.sha"), words("export.size"))
    return Table(caption=words("export.files_caption"), columns=columns, rows=rows, words=1)


def card_section(material: Material, words: Words) -> Section | None:
    """Return what the bundle says of itself, and what it is for; ``None`` without one."""
    bundle = material.folder.bundle
    if bundle is None:
        return None
    manifest = bundle.manifest
    height, width = manifest.input_size
    region = words(f"card.region_{manifest.region}", margin=words.short(manifest.margin))
    both = "eyeglasses" in manifest.outputs
    facts = [
        (words("card.name"), manifest.name),
        (words("card.architecture"), manifest.architecture),
        (words("card.input"), words("card.input_value", height=height, width=width)),
        (words("card.region"), region),
        (words("card.outputs"), words("card.outputs_both" if both else "card.outputs_one")),
        (words("card.threshold"), words.short(manifest.threshold)),
    ]
    if manifest.eyeglasses_threshold is not None:
        facts.append((words("card.eyeglasses_threshold"), words.short(manifest.eyeglasses_threshold)))
    facts.append((words("card.temperature"), words.short(manifest.temperature)))
    split, data = manifest.training.get("split"), manifest.training.get("data")
    if isinstance(split, dict) and isinstance(data, dict):
        counts = {name: words.count(split[name]) for name in ("train", "validation", "test")}
        facts.append((words("card.data"), words("card.data_value", name=data.get("name"), **counts)))
    facts += [(words("card.licences"), "; ".join(manifest.licences))] if manifest.licences else []
    return Section(name="card", title=words("card.title"), blocks=[Text(words("card.lead")), Facts(facts)])
