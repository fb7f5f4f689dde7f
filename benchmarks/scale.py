"""Jobs in blocks: images a second by engine and number of workers, and what each engine adds to the worker's own time.

    python benchmarks/scale.py
    python benchmarks/scale.py --workers 1 2 4 --rounds 5 --json scale.json

The reference is the worker by itself, in this process: it reads, judges and writes every block, one after the other.
The candidates are the same blocks through the local engine and through Ray Data, in turns. Steady seconds begin when as
many blocks are finished as there are workers: what is left out, the start, is a column of its own, for it is paid once
however long a job is. A second table gives the time of blocks that are finished already, which cost next to nothing
themselves: an engine's price for handing out a block. The third is the calculation for a billion images: the hours of
the workers, and those of the one process that hands out the blocks, which no further machine makes fewer.

The images are photographs of CelebA and of the CMU Face Images (all three resolutions) in turns, from ``$GAFAS_DATA``;
without it, drawn ones.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from common import cores, finish, markdown
from folder import find_images, link_images
from gafas.bundle import SHIPPED
from gafas.scale.blocks import Block
from gafas.scale.listing import list_blocks
from gafas.scale.local import run_local
from gafas.scale.on_ray import connected, run_ray
from gafas.scale.parts import Tally
from gafas.scale.worker import BlockWorker, Work, decide_precision, model_digest

BILLION = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Engine:
    """Something that runs jobs, and with how many workers."""

    run: Callable[[Work, Sequence[Block]], Iterator[Tally]]
    workers: int = 1


@dataclass(frozen=True, slots=True)
class Run:
    """One job: seconds until each worker has finished a block, seconds of the others, and images of these."""

    start: float
    steady: float
    images: int

    @property
    def milliseconds(self) -> float:
        """Of an image."""
        return 1000 * self.steady / self.images


def by_itself(work: Work, blocks: Sequence[Block]) -> Iterator[Tally]:
    """Run all blocks in this process."""
    return map(BlockWorker(work).run, blocks)


def measure(engine: Engine, blocks: Sequence[Block], folder: Path) -> Run:
    """Run a job to its end and count its images."""
    work = make_work(folder)
    started = time.perf_counter()
    tallies = iter(engine.run(work, blocks))
    first = sum(islice(tallies, engine.workers), Tally())
    begun = time.perf_counter()
    rest = sum(tallies, Tally())
    ended = time.perf_counter()
    whole = first + rest
    if whole.failed or whole.blocks != len(blocks) or len(list(folder.glob("part-*"))) != len(blocks):
        raise SystemExit(f"{whole.blocks} of {len(blocks)} blocks, {whole.failed} images failed")
    return Run(begun - started, ended - begun, rest.images)


def make_work(folder: Path) -> Work:
    """Return the work of a job with the shipped model."""
    precision = decide_precision(SHIPPED, "auto", "auto")
    return Work(
        model=SHIPPED, model_sha256=model_digest(SHIPPED), output=str(folder), settings={"precision": precision}
    )


def compare(blocks: Sequence[Block], engines: dict[str, Engine], folder: Path, *, rounds: int) -> dict[str, list[Run]]:
    """Run every engine in turns, each into a folder of its own; the order changes with each round."""
    runs: dict[str, list[Run]] = {name: [] for name in engines}
    for number in range(rounds):
        names = list(engines) if number % 2 == 0 else list(reversed(engines))
        for name in names:
            target = folder / f"{number} {name}"
            target.mkdir()
            runs[name].append(measure(engines[name], blocks, target))
    return runs


def handing_out(blocks: Sequence[Block], engines: dict[str, Engine], folder: Path) -> dict[str, float]:
    """Return the milliseconds of each block that is finished already."""
    target = folder / "finished"
    target.mkdir()
    measure(Engine(by_itself), blocks, target)
    return {
        name: 1000 * measure(engine, blocks, target).steady / (len(blocks) - engine.workers)
        for name, engine in engines.items()
    }


def show(runs: dict[str, list[Run]]) -> str:
    """Return the table of all engines."""
    reference = [run.milliseconds for run in runs["worker alone"]]
    rows = []
    for name, done in runs.items():
        each = [run.milliseconds for run in done]
        speeds = [1000 / value for value in each]
        ratios = [value / base for value, base in zip(each, reference, strict=True)]
        rows.append(
            [name, f"{statistics.median(run.start for run in done):.1f}", _summary(speeds, ".1f"),
             _summary(each, ".2f"), _summary(ratios, ".3f")]
        )  # fmt: skip
    return markdown(["engine", "start, s", "images/s", "ms an image", "ratio to the worker alone"], rows)


def calculate(speed: float) -> list[dict[str, float]]:
    """Return machines and hours for a billion images, from the images a second of one core."""
    core_hours = BILLION / speed / 3600
    return [
        {"machines": machines, "cores": each, "hours": core_hours / machines / each, "core_hours": core_hours}
        for machines, each in ((1, 16), (10, 16), (100, 16), (100, 64))
    ]


def show_billion(speed: float, handing_out_ms: float) -> str:
    """Return the table of a billion images."""
    sizes = (1_000, 10_000)
    driver = [f"{BILLION / size * handing_out_ms / 3.6e6:.1f}" for size in sizes]
    rows = [[row["machines"], row["cores"], f"{row['hours']:.1f}", *driver] for row in calculate(speed)]
    headers = ["machines", "cores each", "workers, h", *(f"handing out blocks of {size:,}, h" for size in sizes)]
    return f"A billion images at {speed:.1f} images a second and core:\n\n" + markdown(headers, rows)


def _summary(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}}-{max(values):{form}})"


def main() -> None:
    """Parse, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=1500, help="images of a job (1500)")
    parser.add_argument("--block-size", type=int, default=100, help="images of a block (100)")
    parser.add_argument("--rounds", type=int, default=3, help="turns (3)")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="numbers of workers, beside 1 (1 2)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all figures here")
    parser.add_argument("--smoke", action="store_true", help="few images, once, and no Ray: does it run?")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.images, arguments.block_size, arguments.rounds, arguments.workers = 24, 8, 1, [1]
    # What an engine costs is told by one worker.
    arguments.workers = sorted({1, *arguments.workers})
    engines: dict[str, Engine] = {"worker alone": Engine(by_itself)}
    engines |= {f"local, {count}": Engine(partial(run_local, workers=count), count) for count in arguments.workers}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found, kind = find_images(folder)
        link_images(folder / "images", found, arguments.images)
        blocks = list_blocks([str(folder / "images")], block_size=arguments.block_size)
        if arguments.smoke:
            runs, handing = _all(blocks, engines, folder, arguments.rounds)
        else:
            engines |= {
                f"Ray Data, {count}": Engine(partial(run_ray, workers=count), count) for count in arguments.workers
            }
            # One Ray for all turns, as on a cluster that runs already.
            with connected(None, max(*arguments.workers, cores())):
                runs, handing = _all(blocks, engines, folder, arguments.rounds)
    speed = statistics.median(1000 / run.milliseconds for run in runs["local, 1"])
    billion = calculate(speed)
    tables = [
        show(runs),
        markdown(["engine", "ms to hand out a block"], [[name, f"{value:.1f}"] for name, value in handing.items()]),
        show_billion(speed, max(handing.values())),
    ]
    figures: dict[str, Any] = {
        "kind": kind, "images": arguments.images, "block_size": arguments.block_size, "n": arguments.rounds,
        "engines": {name: [{"start": r.start, "steady": r.steady, "images": r.images} for r in done]
                    for name, done in runs.items()},
        "block_ms": handing, "billion": billion,
    }  # fmt: skip
    text = f"{arguments.images} images in blocks of {arguments.block_size}: {kind}\n\n" + "\n\n".join(tables)
    finish("scale", text, figures, arguments.json)


def _all(
    blocks: Sequence[Block], engines: dict[str, Engine], folder: Path, rounds: int
) -> tuple[dict[str, list[Run]], dict[str, float]]:
    return compare(blocks, engines, folder, rounds=rounds), handing_out(blocks, engines, folder)


if __name__ == "__main__":
    main()
