"""Jobs on a real Ray cluster of three nodes, undisturbed and disturbed."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gafas.errors import GafasError, UsageError
from gafas.scale.listing import list_blocks
from gafas.scale.local import run_local
from gafas.scale.on_ray import connected, run_ray
from gafas.scale.parts import Tally
from tests.scale.jobs import assert_each_once, draw_images, make_work, read_rows
from tests.waiting import wait_for

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
]


PATIENCE = 240
"""Seconds; some 40 are enough on a machine that is busy with other things."""


def parts(output: Path) -> int:
    return len(list(output.glob("part-*")))


@pytest.fixture(autouse=True)
def _in_time() -> Iterator[None]:
    """A job that hangs must not take the time of all other tests."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not done after {PATIENCE} s")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def disturb_after(tallies: Iterator[Tally], blocks: int, disturb: Any) -> Tally:
    """Take what a job gives, and do harm in the midst of it."""
    whole = Tally()
    for tally in tallies:
        whole += tally
        if whole.blocks == blocks:
            disturb()
    return whole


def actor_processes() -> list[int]:
    """Return the processes of this cluster in which a worker lives."""
    parents, names = {}, {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            names[int(folder.name)] = (folder / "cmdline").read_bytes().decode(errors="replace")
            parents[int(folder.name)] = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue

    def is_ours(pid: int) -> bool:
        return pid == os.getpid() or (pid in parents and is_ours(parents[pid]))

    return [pid for pid, name in names.items() if "RayWorker" in name and is_ours(pid)]


def test_a_killed_worker_costs_nothing(cluster: Any, bundle: Path, tmp_path: Path) -> None:
    images = draw_images(tmp_path / "images", 900, broken=2)
    blocks = list_blocks([str(images)], block_size=4)
    killed: list[int] = []

    def kill() -> None:
        killed.extend(actor_processes()[:1])
        os.kill(killed[0], signal.SIGKILL)

    tallies = run_ray(make_work(bundle, tmp_path / "rows"), blocks, address=cluster.address)
    assert disturb_after(tallies, 20, kill) == Tally(225, 900, 2, 900)
    assert len(killed) == 1
    assert_each_once(tmp_path / "rows", images)
    # The rows are those of the local engine.
    local = run_local(make_work(bundle, tmp_path / "local"), blocks, workers=1)
    assert sum(local, Tally()) == Tally(225, 900, 2, 900)
    assert read_rows(tmp_path / "rows") == read_rows(tmp_path / "local")


def test_a_lost_node_costs_nothing(cluster: Any, bundle: Path, tmp_path: Path) -> None:
    import ray

    images = draw_images(tmp_path / "images", 900)
    blocks = list_blocks([str(images)], block_size=4)

    def remove() -> None:
        here = ray.get_runtime_context().get_node_id()
        node = next(node for node in cluster.worker_nodes if node.node_id != here)
        cluster.remove_node(node, allow_graceful=False)

    tallies = run_ray(make_work(bundle, tmp_path / "rows"), blocks, address=cluster.address)
    assert disturb_after(tallies, 20, remove) == Tally(225, 900, 0, 900)
    assert_each_once(tmp_path / "rows", images)
    assert len(cluster.list_all_nodes()) == 2


def test_a_killed_driver_can_be_resumed(cluster: Any, bundle: Path, tmp_path: Path) -> None:
    images, output = draw_images(tmp_path / "images", 600, broken=1), tmp_path / "rows"
    words = ["predict", images, "-m", bundle, "-o", output, "--engine", "ray", "--address", cluster.address]
    command = [sys.executable, "-m", "gafas", *map(str, words), "--block-size", "4", "--resume"]
    driver = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: parts(output) >= 20 or driver.poll() is not None)
    driver.kill()
    driver.communicate()
    assert 20 <= parts(output) < 150
    finished = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1, done.stderr
    assert "600 images, 1 failed, 600 rows" in done.stderr
    assert "of 150 blocks are finished already" in done.stderr
    assert_each_once(output, images)
    # What was finished was not judged again.
    assert finished.items() <= {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}.items()


def test_what_a_worker_cannot_do_ends_the_job_with_a_reason(cluster: Any, bundle: Path, tmp_path: Path) -> None:
    blocks = list_blocks([str(draw_images(tmp_path / "images", 4))])
    (tmp_path / "rows").write_text("not a folder")
    work = make_work(bundle, tmp_path / "rows")
    with pytest.raises(GafasError, match="not written"):
        list(run_ray(work, blocks, address=cluster.address))
    with pytest.raises(GafasError, match="is another model here than where the job was started"):
        list(run_ray(replace(work, model_sha256="0" * 64), blocks, address=cluster.address))


def test_ray_datas_threads_end_before_ray_does(cluster: Any) -> None:
    seen = []
    with connected(cluster.address, None) as ray:
        stored = ray.put(7)

        def look() -> None:
            time.sleep(1)
            # After its end Ray would end this process.
            seen.append(ray.get(stored))

        threading.Thread(target=look, name="Prefetcher", daemon=True).start()
    assert seen == [7]


def test_nobody_at_the_address() -> None:
    with pytest.raises(UsageError, match="no Ray cluster answers there"), connected("127.0.0.1:1", None):
        pass


@pytest.mark.train
def test_a_cross_validation_on_the_cluster(cluster: Any, synthetic_root: Path, tmp_path: Path, gafas: Any) -> None:
    words = ("crossval", "--recipe", "pca", "--set", "input_size=16", "--folds", "2", "--data", synthetic_root)
    result = gafas(*words, "-o", tmp_path / "ray", "--engine", "ray", "--address", cluster.address)
    assert result.exit_code == 0, result.output
    assert "2 folds of 125 images, 2 at once" in result.stderr
    assert gafas(*words, "-o", tmp_path / "here", "--jobs", "1").exit_code == 0
    there, here = (
        list(csv.DictReader((tmp_path / name / "predictions.csv").read_text().splitlines())) for name in ("ray", "here")
    )
    assert len(here) == 125
    for mine, other in zip(there, here, strict=True):
        assert float(mine.pop("probability")) == pytest.approx(float(other.pop("probability")), abs=1e-6)
        assert mine == other
    # Resuming finds every fold that the cluster has finished.
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "ray" / "folds").iterdir()}
    assert gafas("crossval", "--resume", tmp_path / "ray", "--address", cluster.address).exit_code == 0
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "ray" / "folds").iterdir()} == before
