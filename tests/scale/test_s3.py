"""Images, shards and parts on a real S3 server (moto's), reached as any other by pyarrow."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
import tarfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gafas.scale.places import find_place
from tests.scale.jobs import draw_images, read_rows
from tests.waiting import wait_for

pytest.importorskip("pyarrow", reason="the scale extra is not installed")
pytest.importorskip("moto.server", reason="moto is not installed: make setup")


@pytest.fixture(scope="module")
def _server() -> Iterator[str]:
    """Start the server and give its host and port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(port))
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait()


def _answers(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/moto-api/data.json", timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture
def options(_server: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give what follows an address, and make two buckets."""
    from pyarrow.fs import S3FileSystem

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    server = S3FileSystem(
        endpoint_override=_server,
        scheme="http",
        region="us-east-1",
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )
    for bucket in ("images", "rows"):
        server.create_dir(bucket)
        server.delete_dir_contents(bucket)
    return f"?endpoint_override={_server}&scheme=http&region=us-east-1"


def put(options: str, name: str, data: bytes) -> None:
    find_place(f"s3://images/{name}{options}").write(data)


def test_a_job_from_s3_to_s3(options: str, bundle: Path, tmp_path: Path, gafas: Any) -> None:
    images = sorted(draw_images(tmp_path / "drawn", 30, broken=1).rglob("*.png"))
    for path in images:
        put(options, f"set one/{path.name}", path.read_bytes())
    words = ["predict", f"s3://images/set one{options}", "-m", bundle, "-o", f"s3://rows/run{options}"]
    result = gafas(*words, "--block-size", "8", "--workers", "2")
    assert result.exit_code == 1, result.stderr
    assert "30 images, 1 failed, 30 rows: s3://rows/run" in result.stderr
    assert "endpoint" not in result.stderr
    rows = read_rows(f"s3://rows/run{options}")
    assert [row["path"] for row in rows] == [f"s3://images/set one/{path.name}" for path in images]
    assert [row["status"] for row in rows] == ["error"] + ["ok"] * 29
    refused = gafas(*words, "--block-size", "8")
    assert refused.exit_code == 2
    assert "holds a job already" in refused.stderr
    done = gafas(*words, "--block-size", "8", "--resume")
    assert done.exit_code == 1
    assert "complete already: 30 images" in done.stderr


def test_keys_in_the_address_are_shown_nowhere(options: str, bundle: Path, tmp_path: Path, gafas: Any) -> None:
    (image,) = draw_images(tmp_path / "drawn", 1).rglob("*.png")
    put(options, "one.png", image.read_bytes())
    address = f"s3://key:very%2Fsecret@{{}}{options}"
    words = ["predict", address.format("images"), "-m", bundle, "-o", address.format("rows/run")]
    result = gafas(*words, "--engine", "local", "--workers", "1")
    assert result.exit_code == 0, result.stderr
    assert "1 images, 0 failed, 1 rows: s3://rows/run" in result.stderr
    assert [row["path"] for row in read_rows(f"s3://rows/run{options}")] == ["s3://images/one.png"]
    refused = gafas(*words, "--engine", "local")
    assert "s3://rows/run: holds a job already" in refused.stderr
    assert "secret" not in result.output + result.stderr + refused.output + refused.stderr
    job = find_place(f"s3://rows/run/_gafas_job.json{options}").read()
    assert b"secret" not in job


def test_shards_manifests_and_missing_ones(options: str, bundle: Path, tmp_path: Path, gafas: Any) -> None:
    image = next(draw_images(tmp_path / "drawn", 1).rglob("*.png")).read_bytes()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        information = tarfile.TarInfo("1.png")
        information.size = len(image)
        tar.addfile(information, io.BytesIO(image))
    put(options, "shards/a.tar", archive.getvalue())
    put(options, "list/x.png", image)
    put(options, "list/list.csv", b"path\nx.png\ngone.png\n")
    words = [f"s3://images/{name}{options}" for name in ("shards", "list/list.csv", "none", "list/*.png")]
    result = gafas("predict", *words, "-m", bundle, "-o", tmp_path / "rows", "--engine", "local", "--workers", "1")
    assert result.exit_code == 1, result.stderr
    rows = {row["path"]: row["error"] for row in read_rows(tmp_path / "rows")}
    assert list(rows) == [
        "s3://images/shards/a.tar/1.png",
        "x.png",
        "gone.png",
        "s3://images/none",
        "s3://images/list/x.png",
    ]
    assert rows["s3://images/none"] == "s3://images/none: no such file or folder"
    assert rows["gone.png"].startswith("gone.png: cannot be read")
    assert [error for error in rows.values() if error is None] == [None] * 3


def test_no_such_bucket(options: str, bundle: Path, photos: Path, gafas: Any) -> None:
    result = gafas("predict", photos, "-m", bundle, "-o", f"s3://nobody/run{options}", "--workers", "1", "--resume")
    assert result.exit_code == 2
    assert "s3://nobody/run" in result.stderr
