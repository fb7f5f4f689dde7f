"""What a section of a page is built of. Plain values: the template alone knows HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal


@dataclass(frozen=True, slots=True)
class Text:
    """A paragraph; ``warning`` and ``missing`` stand out from the running text."""

    kind: ClassVar[str] = "text"
    text: str
    tone: Literal["plain", "warning", "missing"] = "plain"


@dataclass(frozen=True, slots=True)
class Part:
    """A heading inside a section."""

    kind: ClassVar[str] = "part"
    title: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and their values; `short` ones stand in two columns where the page is wide enough."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]
    short: bool = False


@dataclass(frozen=True, slots=True)
class Headline:
    """One figure that is to be seen first: its name, its value, what stands below it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Headlines:
    """The figures of the first look."""

    kind: ClassVar[str] = "headlines"
    items: Sequence[Headline]


@dataclass(frozen=True, slots=True)
class Whisker:
    """A share with its interval as a small drawing, places in [0, 100] from the left edge of its column."""

    kind: ClassVar[str] = "whisker"
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Scale:
    """The heading of a column of `Whisker`: what its left and right edges stand for."""

    kind: ClassVar[str] = "scale"
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A figure with its interval below it."""

    kind: ClassVar[str] = "pair"
    value: str
    interval: str


Cell = str | Whisker | Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table: the first column names its row, `words` further ones hold words, the others figures.

    Attributes
    ----------
    marked : int or None
        The row that stands out.
    """

    kind: ClassVar[str] = "table"
    caption: str
    columns: Sequence[str | Scale]
    rows: Sequence[Sequence[Cell]]
    words: int = 0
    note: str = ""
    marked: int | None = None


@dataclass(frozen=True, slots=True)
class Tables:
    """Small tables, beside each other where the page is wide enough."""

    kind: ClassVar[str] = "tables"
    items: Sequence[Table]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """A confusion matrix: true classes down, predicted across."""

    kind: ClassVar[str] = "matrix"
    caption: str
    corner: str
    labels: Sequence[str]
    predicted: Sequence[str]
    rows: Sequence[Sequence[tuple[str, str, float]]]
    """Count, share of the row in words, that share in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A drawing: SVG with the page's colours, its caption, and what it shows in words."""

    kind: ClassVar[str] = "chart"
    svg: str
    caption: str
    alt: str


@dataclass(frozen=True, slots=True)
class Charts:
    """Drawings beside each other where the page is wide enough."""

    kind: ClassVar[str] = "charts"
    items: Sequence[Chart]


@dataclass(frozen=True, slots=True, kw_only=True)
class Photo:
    """A photograph, or several views of it, with its lines of caption.

    Attributes
    ----------
    uris : sequence of str
        ``data:`` addresses; empty where the file cannot be read.
    wrong : str
        What was wrong about the answer, in words; empty where it was right.
    width : int
        Shown at most so wide, in pixels.
    """

    uris: Sequence[str]
    alts: Sequence[str]
    title: str
    lines: Sequence[str] = ()
    wrong: str = ""
    width: int = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Photos:
    """A sheet of photographs; `columns` are so many on wide pages, ``None`` for as many as find room."""

    kind: ClassVar[str] = "photos"
    caption: str
    items: Sequence[Photo]
    columns: int | None = None
    unreadable: str = ""


Block = Text | Part | Facts | Headlines | Table | Tables | Matrix | Chart | Charts | Photos


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of the page: its anchor, its heading and what stands below it."""

    name: str
    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)
