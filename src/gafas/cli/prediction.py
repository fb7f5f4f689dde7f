"""What ``gafas predict`` shares between images and films: the model, the output, the options for films."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, fields
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gafas.errors import UsageError

if TYPE_CHECKING:
    from gafas.runtime.predictor import Predictor
    from gafas.runtime.writers import WriteRecord

Load = Callable[..., "Predictor"]


@dataclass(frozen=True, slots=True)
class FilmWords:
    """The options that only films have; ``None`` where they are not given."""

    every: int | None
    detect_every: int | None
    smooth: float | None
    max_frames: int | None
    max_seconds: float | None

    def refuse(self) -> None:
        """Refuse them for images.

        Raises
        ------
        UsageError
            One is given.
        """
        for field in fields(self):
            if getattr(self, field.name) is not None:
                option = "--" + field.name.replace("_", "-")
                raise UsageError(f"{option}: is for films and cameras, got images only; leave it out")


@dataclass(frozen=True, slots=True)
class JobWords:
    """The options that make a job of a prediction."""

    engine: str | None
    address: str | None
    workers: int | None
    resume: bool
    block_size: int | None
    column: str | None

    @property
    def given(self) -> bool:
        """Whether there is one."""
        return any(getattr(self, field.name) not in {None, False} for field in fields(self))


@dataclass(frozen=True, slots=True)
class Target:
    """Where answers go.

    Attributes
    ----------
    output : Path or None
        The file of the rows; ``None`` is standard output.
    kind : str or None
        Its format; ``None`` is a table.
    annotate : Path or None
        The folder of the annotated copies.
    """

    output: Path | None
    kind: str | None
    annotate: Path | None
    overwrite: bool = False

    def open(
        self, *, eyeglasses: bool, film_columns: Sequence[str] | None = None
    ) -> AbstractContextManager[WriteRecord]:
        """Open the writer of the records."""
        from gafas.runtime.rows import COLUMNS
        from gafas.runtime.writers import open_file_writer, open_stdout_writer

        columns = film_columns or COLUMNS
        if self.kind is None:
            from gafas.cli.tables import open_table

            return open_table(eyeglasses=eyeglasses, film=film_columns is not None)
        if self.output is None:
            return open_stdout_writer(self.kind, columns=columns)
        return open_file_writer(self.output, self.kind, overwrite=self.overwrite, columns=columns)


def load_with_table(model: Path, kind: str | None, **settings: Any) -> Predictor:
    """Load a model, and meanwhile what a table needs, if one is wanted."""
    from gafas.runtime.predictor import load_predictor

    with ThreadPoolExecutor(1) as pool:
        # Opening graphs leaves Python's lock to what the table needs.
        loading = pool.submit(load_predictor, model, **settings)
        if kind is None:
            import_module("gafas.cli.tables")
        return loading.result()
