"""What a job is and what of it is finished: a job file, a part for each finished block, and a last word."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

from gafas.errors import OutputError, UsageError
from gafas.files import json_text, parse_json
from gafas.scale.blocks import Block, fingerprint
from gafas.scale.parts import Tally, read_tally
from gafas.scale.places import Place

JOB = "_gafas_job.json"
DONE = "_gafas_done.json"

SOURCES = "sources"
"""In the job file, for people: what was asked for. What counts is what was found."""

_UNFINISHED = ".writing-"
_READERS = 16


@dataclass(frozen=True, slots=True)
class Job:
    """A job that may begin or go on.

    Attributes
    ----------
    folder : Place
        Of the parts.
    blocks : tuple of Block
        All of them.
    todo : tuple of Block
        Those without a part.
    done : Tally
        What the others came to.
    """

    folder: Place
    blocks: tuple[Block, ...]
    todo: tuple[Block, ...]
    done: Tally

    def finish(self, whole: Tally) -> None:
        """Write the last word.

        Raises
        ------
        OutputError
            Not all blocks are finished, or it cannot be written.
        """
        if whole.blocks != len(self.blocks):
            raise OutputError(
                f"{self.folder.shown}: {whole.blocks} of {len(self.blocks)} blocks are finished; go on with: --resume"
            )
        _write(self.folder / DONE, asdict(whole))


def open_job(
    folder: Place, blocks: Sequence[Block], settings: dict[str, Any], *, resume: bool = False, overwrite: bool = False
) -> Job:
    """Begin a job in a folder, or go on with the one that it holds.

    Parameters
    ----------
    blocks : sequence of Block
        What is to be judged.
    settings : dict
        What the rows depend on besides: model, threshold and so on; must be the same when a job goes on.
    resume, overwrite : bool
        Go on with a job where there is one; remove what it has written, and begin anew.

    Raises
    ------
    OutputError
        The folder holds a job and neither was asked for, holds other things, or cannot be written.
    UsageError
        The job in the folder is another one.
    """
    names = folder.names()
    wanted = {**settings, "sources_sha256": fingerprint(blocks), "blocks": len(blocks)}
    if JOB in names and overwrite:
        _clear(folder, names)
        names = set()
    if JOB in names:
        if not resume:
            raise OutputError(
                f"{folder.shown}: holds a job already; go on with it: --resume, or begin anew: --overwrite"
            )
        _compare(folder, _read(folder / JOB), wanted)
    elif any(not name.startswith(_UNFINISHED) for name in names):
        raise OutputError(f"{folder.shown}: expected an empty folder or one with a job, got other files; name another")
    else:
        folder.make_folder()
        _write(folder / JOB, wanted)
    return _look_over(folder, tuple(blocks), names)


def _look_over(folder: Place, blocks: tuple[Block, ...], names: set[str]) -> Job:
    """Find out what is finished: a part that is there and whole."""
    there = [block for block in blocks if block.part in names]
    with ThreadPoolExecutor(_READERS) as pool:
        tallies = dict(zip(there, pool.map(lambda block: read_tally(folder / block.part), there), strict=True))
    done = [tally for tally in tallies.values() if tally is not None]
    todo = tuple(block for block in blocks if tallies.get(block) is None)
    return Job(folder, blocks, todo, sum(done, Tally()))


def _compare(folder: Place, was: Any, wanted: dict[str, Any]) -> None:
    if not isinstance(was, dict):
        raise OutputError(f"{folder.shown}/{JOB}: is no job file; name another folder")
    others = sorted(key for key in {*was, *wanted} - {SOURCES} if was.get(key) != wanted.get(key))
    if "block_size" in others:
        # Other blocks are then no sign of other sources.
        others = [key for key in others if key not in {"sources_sha256", "blocks"}]
    if not others:
        return
    told = ", ".join(
        "the sources have changed" if key == "sources_sha256" else f"{key} was {was.get(key)}, got {wanted.get(key)}"
        for key in others
        if key != "blocks"
    )
    step = "repeat its command, begin anew with --overwrite, or name another folder"
    raise UsageError(f"{folder.shown}: holds another job: {told}; {step}")


def _clear(folder: Place, names: set[str]) -> None:
    ours = [name for name in names if name.startswith(("part-", _UNFINISHED)) or name == DONE]
    # The job file is the last: until then the folder is a job that has lost some parts.
    for name in [*ours, JOB]:
        place = folder / name
        try:
            place.filesystem.delete_file(place.path)
        except OSError as error:
            raise OutputError(f"{place.shown}: not removed: {error}") from error


def _write(place: Place, value: Any) -> None:
    place.write((json_text(value, indent=2) + "\n").encode())


def _read(place: Place) -> Any:
    try:
        return parse_json(place.read())
    except (OSError, ValueError) as error:
        raise OutputError(f"{place.shown}: cannot be read: {error}; name another folder") from error
