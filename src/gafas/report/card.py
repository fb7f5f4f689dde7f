"""The model card of a shipped bundle, in the form that model hubs read: front matter, then Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gafas.bundle import Manifest
from gafas.errors import MissingExtraError
from gafas.files import write_text

CARD = "MODEL_CARD.md"

_TEMPLATE = "MODEL_CARD.md.j2"


def render_card(manifest: Manifest) -> str:
    """Return the card's text.

    Raises
    ------
    MissingExtraError
        Jinja2 is not installed.
    """
    try:
        import jinja2
    except ImportError as error:
        raise MissingExtraError("the model card", "report") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gafas.report"),
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  # Markdown, from our own manifest
    )
    environment.filters |= {"share": _share, "between": _between}
    template = environment.get_template(_TEMPLATE)
    return template.render(
        m=manifest,
        c=manifest.training["calibration"],
        pasted=any("transparent pictures" in line for line in manifest.licences),
    )


def write_card(path: Path, manifest: Manifest) -> None:
    """Write the card; errors as `render_card` and `gafas.files.write_text`."""
    write_text(path, render_card(manifest))


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.4f}"


def _between(interval: Mapping[str, Any] | list[float] | None) -> str:
    return "" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"  # type: ignore[index]
