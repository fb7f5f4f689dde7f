"""``gafas predict`` as a job: what it writes, what it refuses, and that no row is lost or doubled."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from gafas.runtime.rows import COLUMNS
from gafas.scale.blocks import block_from_json
from gafas.scale.listing import list_blocks
from tests.cli.conftest import Gafas, one_error
from tests.scale.jobs import assert_each_once, draw_images, read_rows
from tests.waiting import wait_for

pytest.importorskip("pyarrow", reason="the scale extra is not installed")

Process = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "rows"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_rows_are_those_of_a_prediction(gafas: Gafas, bundle: Path, photos: Path, output: Path) -> None:
    (photos / "broken.png").write_bytes(b"no image")
    for words in (["-o", output.with_suffix(".csv")], ["-o", output, "--block-size", "2", "--workers", "1"]):
        result = gafas("predict", photos, "-m", bundle, *words)
        assert result.exit_code == 1, result.output
        assert "4 images, 1 failed" in result.stderr
    rows = read_rows(output)
    with output.with_suffix(".csv").open(newline="") as stream:
        expected = list(csv.DictReader(stream))
    assert [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows] == expected
    assert [tuple(row) for row in rows] == [COLUMNS] * 4
    assert [name[:14] for name in names(output)] == [
        "_gafas_done.js",
        "_gafas_job.jso",
        "part-00000000-",
        "part-00000001-",
    ]
    assert json.loads((output / "_gafas_done.json").read_text()) == {"blocks": 2, "images": 4, "failed": 1, "rows": 4}


def test_names_that_are_no_utf8(gafas: Gafas, bundle: Path, photos: Path, output: Path, tmp_path: Path) -> None:
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    try:
        photos.rename(odd)
    except OSError:
        pytest.skip("this file system takes UTF-8 names only")
    for words in ([], ["--resume"]):
        result = gafas("predict", odd, "-m", bundle, "-o", output, "--workers", "1", *words)
        assert result.exit_code == 0, result.output
    rows = read_rows(output)
    assert len(rows) == 3
    assert all("caf\\udce9" in row["path"] for row in rows)
    # As it travels to an actor.
    (block,) = list_blocks([str(odd)])
    assert block_from_json(block.to_json().encode().decode()) == block


def test_a_folder_with_a_job_is_not_touched(gafas: Gafas, bundle: Path, photos: Path, output: Path) -> None:
    words = ["predict", photos, "-m", bundle, "-o", output, "--workers", "1"]
    assert gafas(*words).exit_code == 0
    before = {path: path.read_bytes() for path in output.iterdir()}
    refused = gafas(*words)
    assert refused.exit_code == 2
    assert "holds a job already; go on with it: --resume, or begin anew: --overwrite" in one_error(refused)
    again = gafas(*words, "--resume")
    assert again.exit_code == 0
    assert "complete already: 3 images, 0 failed, 3 rows" in again.stderr
    assert {path: path.read_bytes() for path in output.iterdir()} == before


def test_a_complete_job_with_failures_says_so(gafas: Gafas, bundle: Path, photos: Path, output: Path) -> None:
    (photos / "dark.png").write_bytes(b"")
    for _ in range(2):
        assert gafas("predict", photos, "-m", bundle, "-o", output, "--resume", "--workers", "1").exit_code == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--threshold", "0.7"], "threshold was None, got 0.7"),
        (["--region", "face"], "region was auto, got face"),
        (["--block-size", "2"], "block_size was 1000, got 2"),
        (["-m", "gafas-nano"], "model_sha256 was"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_another_job_is_not_resumed(
    gafas: Gafas, bundle: Path, photos: Path, output: Path, words: list[str], told: str
) -> None:
    command = ["predict", photos, "-m", bundle, "-o", output, "--resume", "--workers", "1"]
    assert gafas(*command).exit_code == 0
    refused = gafas(*command, *words)
    assert refused.exit_code == 2
    assert f"holds another job: {told}" in one_error(refused)


def test_changed_sources_are_not_resumed(gafas: Gafas, bundle: Path, photos: Path, output: Path) -> None:
    command = ["predict", photos, "-m", bundle, "-o", output, "--resume", "--workers", "1"]
    assert gafas(*command).exit_code == 0
    (photos / "new.png").write_bytes((photos / "dark.png").read_bytes())
    assert "holds another job: the sources have changed; repeat its command" in one_error(gafas(*command))
    result = gafas(*command, "--overwrite")
    assert result.exit_code == 0
    assert len(read_rows(output)) == 4


def test_a_folder_of_other_things_is_refused(gafas: Gafas, bundle: Path, photos: Path) -> None:
    before = names(photos)
    for words in (["--resume"], ["--resume", "--overwrite"]):
        result = gafas("predict", photos, "-m", bundle, "-o", photos, *words)
        assert result.exit_code == 2
        assert "expected an empty folder or one with a job, got other files" in one_error(result)
    assert names(photos) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--format", "csv"], "--format: a job writes Parquet files only"),
        (["--annotate", "drawn"], "--annotate: a job writes Parquet files only"),
        (["--threads", "2"], "every worker has one core: use --workers"),
        (["--every", "2"], "--every: is for films"),
        (["--engine", "spark"], "--engine: expected local or ray, got spark"),
        (["--engine", "local", "--address", "auto"], "--address: is for --engine ray, got --engine local"),
        (["--precision", "half"], "--precision: expected one of"),
        (["--region", "hand"], "--region: expected one of"),
        (["film.mp4"], "film.mp4: a job is of images"),
        (["-"], "an image on standard input is no source for a job"),
        (["nosuch://host/x"], "nosuch://host/: expected an address such as s3://bucket/folder"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_a_job_does_not_do(
    gafas: Gafas, bundle: Path, photos: Path, output: Path, words: list[str], told: str
) -> None:
    result = gafas("predict", photos, "-m", bundle, "-o", output, "--resume", *words)
    assert result.exit_code == 2
    assert told in one_error(result)
    assert not output.exists()


def test_a_job_needs_a_folder(gafas: Gafas, bundle: Path, photos: Path) -> None:
    assert "name one: -o rows" in one_error(gafas("predict", photos, "-m", bundle, "--resume"))


def test_a_manifest_without_paths(gafas: Gafas, bundle: Path, photos: Path, output: Path) -> None:
    (photos / "list.csv").write_text("a,b\n1,2\n")
    result = gafas("predict", photos / "list.csv", "-m", bundle, "-o", output, "--engine", "local")
    assert result.exit_code == 2
    assert "expected a column path" in one_error(result)


@pytest.mark.parametrize(("module", "engine"), [("pyarrow", "local"), ("ray", "ray")])
def test_a_missing_extra_has_its_install_line(
    process: Process, bundle: Path, photos: Path, output: Path, tmp_path: Path, module: str, engine: str
) -> None:
    (tmp_path / "without").mkdir()
    (tmp_path / "without" / f"{module}.py").write_text("raise ImportError('not here')\n")
    path = os.pathsep.join([str(tmp_path / "without"), *filter(None, [os.environ.get("PYTHONPATH")])])
    job = process("predict", photos, "-m", bundle, "-o", output, "--engine", engine, PYTHONPATH=path)
    _, told = job.communicate(timeout=60)
    assert job.returncode == 2
    assert "needs: pip install 'gafas[scale]'" in told


@pytest.mark.parametrize(("moment", "workers"), [(1, 2), (20, 1)])
def test_a_killed_job_is_resumed(
    process: Process, gafas: Gafas, bundle: Path, tmp_path: Path, output: Path, moment: int, workers: int
) -> None:
    images = draw_images(tmp_path / "images", 1000, broken=1)
    words = ["predict", images, "-m", bundle, "-o", output, "--resume", "--block-size", "20"]
    job = process(*words, "--workers", workers)
    wait_for(lambda: job.poll() is not None or len(list(output.glob("part-*"))) >= moment)
    job.send_signal(signal.SIGKILL)
    job.communicate()
    finished = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    assert moment <= len(finished) < 50
    result = gafas(*words, "--workers", "1")
    assert result.exit_code == 1, result.stderr
    assert "1000 images, 1 failed, 1000 rows" in result.stderr
    assert_each_once(output, images)
    now = {path.name: path.stat().st_mtime_ns for path in output.glob("part-*")}
    # What the killed one's processes finished after its death counts as well.
    assert finished.items() <= now.items()
    assert len(now) == 50


def test_a_part_that_is_not_whole_is_made_again(gafas: Gafas, bundle: Path, tmp_path: Path, output: Path) -> None:
    images = draw_images(tmp_path / "images", 30)
    words = ["predict", images, "-m", bundle, "-o", output, "--resume", "--block-size", "10", "--workers", "1"]
    assert gafas(*words).exit_code == 0
    expected = read_rows(output)
    first, second, _ = sorted(output.glob("part-*"))
    first.write_bytes(first.read_bytes()[:-100])
    second.unlink()
    assert "30 images, 0 failed, 30 rows" in gafas(*words).stderr
    assert read_rows(output) == expected


def test_ctrl_c_ends_a_job_at_once(process: Process, bundle: Path, tmp_path: Path, output: Path) -> None:
    images = draw_images(tmp_path / "images", 3000)
    job = process("predict", images, "-m", bundle, "-o", output, "--block-size", "10", "--workers", "2")
    wait_for(lambda: job.poll() is not None or len(list(output.glob("part-*"))) >= 3)
    job.send_signal(signal.SIGINT)
    _, told = job.communicate(timeout=20)
    assert job.returncode == 130
    assert "interrupted; go on with the same command and --resume" in told
    assert "Traceback" not in told


def workers_of(job: subprocess.Popen[str]) -> list[int]:
    """Return the processes that a job has judging."""
    try:
        children = Path(f"/proc/{job.pid}/task/{job.pid}/children").read_text().split()
        return [int(pid) for pid in children if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    except OSError:  # it ended just now
        return []


def test_a_killed_worker_process_is_replaced(process: Process, bundle: Path, tmp_path: Path, output: Path) -> None:
    images = draw_images(tmp_path / "images", 1000)
    job = process("predict", images, "-m", bundle, "-o", output, "--block-size", "20", "--workers", "2")
    moments = [3, 12]
    while moments:
        wait_for(lambda: job.poll() is not None or len(list(output.glob("part-*"))) >= moments[0])
        os.kill(workers_of(job)[0], signal.SIGKILL)
        moments.pop(0)
    _, told = job.communicate(timeout=60)
    assert job.returncode == 0, told
    assert told.count("a worker was killed from outside; others take its place") == 2
    assert "1000 images, 0 failed, 1000 rows" in told
    assert_each_once(output, images)


def test_workers_that_are_killed_again_and_again_end_the_job_with_a_reason(
    process: Process, bundle: Path, tmp_path: Path, output: Path
) -> None:
    images = draw_images(tmp_path / "images", 100)
    job = process("predict", images, "-m", bundle, "-o", output, "--block-size", "10", "--workers", "2")
    while job.poll() is None:
        for pid in workers_of(job):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)
    _, told = job.communicate(timeout=20)
    assert job.returncode == 1
    assert "killed from outside 3 times over the same images" in told
    assert "Traceback" not in told
