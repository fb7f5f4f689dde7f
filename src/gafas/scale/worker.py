"""The worker of every engine: built once in each process or actor, then fed block after block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gafas import __version__
from gafas.bundle import MANIFEST, ONNX_INT8, find_bundle, load_bundle
from gafas.errors import BundleError, GafasError, ImageError
from gafas.files import sha256
from gafas.imaging import Rgb, decode
from gafas.runtime.answers import Answer
from gafas.runtime.machine import resolve_precision
from gafas.runtime.predictor import load_predictor
from gafas.runtime.rows import Row, rows_of
from gafas.runtime.sources import Source
from gafas.runtime.stream import REGIONS
from gafas.scale.blocks import Block
from gafas.scale.parts import Tally, read_tally, write_part
from gafas.scale.places import find_place
from gafas.scale.shards import Content, contents
from gafas.values import FaceBox


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """All that a worker has to know; goes to other processes and machines.

    Attributes
    ----------
    model : str
        A bundle, a run folder, or the name of a bundle that the package carries; on each machine alike.
    model_sha256 : str
        As `model_digest` gives it.
    settings : dict
        Of `gafas.runtime.predictor.load_predictor`.
    output : str
        The folder of the parts: a path that all machines see, or an address.
    batch_size : int
        Images classified together.
    version : str
        Of gafas.
    """

    model: str
    model_sha256: str
    output: str
    settings: dict[str, Any] = field(default_factory=dict)
    batch_size: int = 32
    version: str = __version__


def model_digest(model: str | Path) -> str:
    """Return the SHA-256 of a bundle's manifest, which holds that of every file.

    Raises
    ------
    BundleError
        There is no such bundle.
    """
    return sha256(find_bundle(Path(model)) / MANIFEST)


def decide_precision(model: str | Path, asked: str, runtime: str) -> str:
    """Decide for all machines what ``auto`` means on this one, as far as the model has it.

    Raises
    ------
    BundleError
        There is no such bundle.
    UsageError
        No precision of that name.
    """
    decided = resolve_precision(asked)
    files = load_bundle(model, verify=False).manifest.files
    if asked == "auto" and decided == "int8" and (ONNX_INT8 not in files or runtime not in {"auto", "onnx"}):
        return "auto"
    return decided


class BlockWorker:
    """Judges blocks on one core.

    Parameters
    ----------
    work : Work

    Raises
    ------
    BundleError
        The model cannot be loaded, or is another one than where the job was started.
    GafasError
        This is another gafas than where the job was started.
    """

    def __init__(self, work: Work) -> None:
        if work.version != __version__:
            raise GafasError(f"gafas {__version__} here, {work.version} where the job was started; install the same")
        if (got := model_digest(work.model)) != work.model_sha256:
            raise BundleError(
                f"{work.model}: is another model here than where the job was started "
                f"({got[:12]}, expected {work.model_sha256[:12]}); copy the bundle to every machine"
            )
        self._folder = find_place(work.output)
        self._batch_size = work.batch_size
        self._predictor = load_predictor(work.model, threads=1, **work.settings)

    def run(self, block: Block) -> Tally:
        """Judge a block and write its part; nothing is judged again where the part is there.

        Raises
        ------
        OutputError
            The part cannot be written.
        """
        place = self._folder / block.part
        # An engine that has lost sight of a block asks for it again.
        if (done := read_tally(place)) is not None:
            return done
        images = failed = 0
        rows: list[Row] = []
        for answer in self.judge(block):
            images += 1
            failed += answer.error is not None
            rows += rows_of(answer)
        tally = Tally(1, images, failed, len(rows))
        write_part(place, rows, tally)
        return tally

    def judge(self, block: Block) -> Iterator[Answer]:
        """Yield an answer for each image of a block, also for those that cannot be read."""
        batch: list[Answer] = []
        boxes: list[tuple[FaceBox, ...]] = []
        patches: list[Rgb] = []
        for content in contents(block):
            answer, image = _decode(content)
            found = () if image is None else self._predictor.find(image)
            if image is not None:
                # Copies, as a patch may be a view that would hold the whole image.
                patches += [np.array(patch) for patch in self._predictor.cut(image, found)]
            batch.append(answer)
            boxes.append(found)
            if len(batch) == self._batch_size or len(patches) >= REGIONS:
                yield from self._classify(batch, boxes, patches)
                batch, boxes, patches = [], [], []
        yield from self._classify(batch, boxes, patches)

    def _classify(self, batch: list[Answer], boxes: list[tuple[FaceBox, ...]], patches: list[Rgb]) -> Iterator[Answer]:
        for answer, verdicts in zip(batch, self._predictor.judge(boxes, patches), strict=True):
            yield Answer(answer.source, verdicts=verdicts, error=answer.error)


def _decode(content: Content) -> tuple[Answer, Rgb | None]:
    source = Source(content.path, content.path)
    if content.problem is not None:
        return Answer(source, error=content.problem), None
    try:
        return Answer(source), decode(content.data)
    except ImageError as error:
        return Answer(source, error=f"{content.path}: {error}"), None
