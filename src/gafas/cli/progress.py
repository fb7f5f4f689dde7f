"""The training bar: loss, accuracy and time left, on standard error."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from gafas.cli.console import ERR

if TYPE_CHECKING:
    from gafas.learn.fitting import Listener
    from gafas.learn.fitting import Progress as Where


@contextmanager
def training_bar(done: int, epochs: int) -> Iterator[Listener]:
    """Show a bar over all epochs and give the listener that moves it.

    Parameters
    ----------
    done, epochs : int
        Epochs that an earlier sitting has finished, and all epochs.
    """
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[logs]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=ERR,
        refresh_per_second=4,
    )
    with bar:
        task = None

        def listen(where: Where) -> None:
            nonlocal task
            if task is None:
                total = epochs * where.steps
                task = bar.add_task("", total=total, completed=done * where.steps, logs="")
            ended = "val_loss" in where.logs
            logs = " ".join(f"{key} {value:.4f}" for key, value in where.logs.items())
            bar.update(
                task,
                completed=(where.epoch - 1) * where.steps + where.step,
                description=f"{where.stage} {where.epoch}/{where.epochs}",
                logs=f"loss {where.logs['loss']:.4f} accuracy {where.logs['accuracy']:.4f}",
            )
            if ended:
                bar.console.print(f"epoch {where.epoch:>2}/{where.epochs} {where.stage}: {logs}")

        yield listen
