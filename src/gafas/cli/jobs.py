"""``gafas predict`` as a job: blocks of images, a folder of Parquet files, on processes or on Ray."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from gafas.cli import options
from gafas.cli.console import note
from gafas.cli.holding import hold
from gafas.cli.prediction import JobWords
from gafas.errors import UsageError

if TYPE_CHECKING:
    from gafas.scale.ledger import Job
    from gafas.scale.parts import Tally
    from gafas.scale.worker import Work


def refuse_others(
    *, kind: str | None, schema: str, annotate: Path | None, sort_into: Path | None, threads: int
) -> None:
    """Refuse what a job does not do.

    Raises
    ------
    UsageError
        One is asked for.
    """
    given = {
        "--format": kind is not None,
        "--schema": schema != "native",
        "--annotate": annotate is not None,
        "--sort-into": sort_into is not None,
        "--threads": threads != 0,
    }
    for option, is_given in given.items():
        if is_given:
            hint = "every worker has one core: use --workers" if option == "--threads" else "leave it out"
            raise UsageError(f"{option}: a job writes Parquet files only; {hint}")


def judge_job(
    words: list[str],
    model: Path,
    output: str | None,
    job_words: JobWords,
    settings: dict[str, Any],
    batch_size: int,
    *,
    overwrite: bool,
) -> None:
    """Begin a job or go on with it.

    Raises
    ------
    UsageError, OutputError, DataError
        Before anything is written.
    Exit
        With 1 where images failed, with 130 after Ctrl-C.
    """
    engine = _check(words, output, job_words)
    from gafas.scale.blocks import BLOCK_SIZE
    from gafas.scale.ledger import open_job
    from gafas.scale.listing import list_blocks
    from gafas.scale.places import address_of, find_place, need_arrow
    from gafas.scale.worker import BlockWorker, Work, decide_precision, model_digest

    need_arrow()
    settings = {**settings, "precision": decide_precision(model, settings["precision"], settings["runtime"])}
    folder = find_place(str(output))

    work = Work(
        model=str(model.absolute() if model.exists() else model),
        model_sha256=model_digest(model),
        output=address_of(folder),
        settings=settings,
        batch_size=batch_size,
    )
    # Refuses settings that make no sense before a folder is made or a cluster asked.
    BlockWorker(work)
    block_size = job_words.block_size or BLOCK_SIZE
    blocks = list_blocks(words, block_size=block_size, column=job_words.column)
    facts = {
        "model_sha256": work.model_sha256,
        **settings,
        "block_size": block_size,
        "sources": [_shown(w) for w in words],
    }
    if folder.scheme in {"", "file"}:
        hold(Path(folder.path))
    job = open_job(folder, blocks, facts, resume=job_words.resume, overwrite=overwrite)
    if job.todo and job.done.blocks:
        note(f"{job.done.blocks} of {len(blocks)} blocks are finished already")
    try:
        whole = _run(job, work, engine, job_words)
    except KeyboardInterrupt:
        note(f"interrupted; go on with the same command and --resume: {folder.shown}")
        raise typer.Exit(130) from None
    begin = "" if job.todo else "complete already: "
    note(f"{begin}{whole.images} images, {whole.failed} failed, {whole.rows} rows: {folder.shown}")
    if whole.failed:
        raise typer.Exit(1)


def _check(words: list[str], output: str | None, job_words: JobWords) -> str:
    from gafas.runtime.sources import film_kind

    engine = options.choose_engine(job_words.engine, job_words.address)
    if output is None:
        raise UsageError("a job needs a folder for its Parquet files; name one: -o rows")
    for word in words:
        if film_kind(word) is not None:
            raise UsageError(f"{word}: a job is of images, got a film, camera or stream; leave out the options of jobs")
    return engine


def _run(job: Job, work: Work, engine: str, job_words: JobWords) -> Tally:
    whole = job.done
    for tally in _track(_engine(job, work, engine, job_words), job):
        whole += tally
    job.finish(whole)
    return whole


def _engine(job: Job, work: Work, engine: str, job_words: JobWords) -> Iterator[Tally]:
    if not job.todo:
        return iter(())
    if engine == "ray":
        from gafas.scale.on_ray import run_ray

        return run_ray(work, job.todo, workers=job_words.workers, address=job_words.address)
    from gafas.scale.local import run_local

    workers = min(job_words.workers or os.cpu_count() or 1, len(job.todo))
    return run_local(work, job.todo, workers=workers)


def _track(tallies: Iterator[Tally], job: Job) -> Iterator[Tally]:
    from gafas.cli.console import ERR

    if not ERR.is_terminal:
        yield from tallies
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("blocks"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[speed]}"),
    )
    with Progress(*columns, console=ERR, transient=True) as bar:
        task = bar.add_task("", total=len(job.blocks), completed=job.done.blocks, speed="")
        images = 0
        for tally in tallies:
            images += tally.images
            bar.advance(task)
            bar.update(task, speed=f"{images / max(bar.tasks[0].elapsed or 0, 1e-3):.0f} images/s")
            yield tally


def _shown(word: str) -> str:
    """Return a source without what opens its file system, which may hold keys."""
    from gafas.scale.places import find_place, is_address

    return find_place(word).shown if is_address(word) else word
