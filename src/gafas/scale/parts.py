"""The rows of one block as a Parquet file, which says in its footer how many images it speaks of."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from gafas.runtime.rows import COLUMNS, Row
from gafas.scale.places import Place, need_arrow

_TALLY = b"gafas"
_KINDS = {
    **dict.fromkeys(("x0", "y0", "x1", "y1"), "int32"),
    **dict.fromkeys(("face_confidence", "sunglasses", "eyeglasses"), "float64"),
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What a block, or several, came to.

    Attributes
    ----------
    blocks, images, failed, rows : int
        Finished blocks, their images, how many of these could not be read, and rows written.
    """

    blocks: int = 0
    images: int = 0
    failed: int = 0
    rows: int = 0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.blocks + other.blocks, self.images + other.images, self.failed + other.failed, self.rows + other.rows
        )


def write_part(place: Place, rows: Sequence[Row], tally: Tally) -> None:
    """Write the rows of a block; the file is there when it is complete, or not at all.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    arrow = need_arrow()
    fields = [arrow.field(name, arrow.type_for_alias(_KINDS.get(name, "string"))) for name in COLUMNS]
    schema = arrow.schema(fields, metadata={_TALLY: json.dumps(asdict(tally))})
    columns = {name: [_printable(getattr(row, name)) for row in rows] for name in COLUMNS}
    sink = arrow.BufferOutputStream()
    arrow.parquet.write_table(arrow.table(columns, schema=schema), sink, compression="zstd")
    place.write(sink.getvalue().to_pybytes())


def _printable(value: Any) -> Any:
    """Return a path that is not valid UTF-8 with escapes: Parquet holds nothing else."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


def read_tally(place: Place) -> Tally | None:
    """Return what a part says of itself; ``None`` where it is not there, or not whole."""
    arrow = need_arrow()
    try:
        with place.filesystem.open_input_file(place.path) as file:
            found = arrow.parquet.read_schema(file)
        return Tally(**json.loads(found.metadata[_TALLY]))
    except (OSError, arrow.ArrowException, KeyError, TypeError, ValueError):
        return None
