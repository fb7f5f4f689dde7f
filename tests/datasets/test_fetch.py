"""Fetching, with a real server on this machine."""

from __future__ import annotations

import errno
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pooch
import pytest

from gafas.datasets import download, fetch
from gafas.datasets.fetch import fetch_cmu
from gafas.datasets.unpack import Budget
from gafas.datasets.verify import Manifest, make_manifest
from gafas.errors import DataError, OutputError

pytestmark = pytest.mark.usefixtures("no_data")


class Server(ThreadingHTTPServer):
    def __init__(self, body: bytes) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.body = body
        self.failures = 0
        self.requests = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests += 1
        if self.path.startswith("/missing"):
            self.send_error(404)
            return
        fails = self.path.startswith("/truncated") or self.server.requests <= self.server.failures
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body[: len(self.server.body) // 2] if fails else self.server.body)

    def log_message(self, *arguments: object) -> None:
        pass


@pytest.fixture(scope="module")
def manifest(synthetic_root: Path) -> Manifest:
    return make_manifest(synthetic_root)


@pytest.fixture(scope="module")
def archives(synthetic_root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The drawn data set as tar.gz, as zip, and as UCI packs it: two tars inside a zip."""
    folder = tmp_path_factory.mktemp("archives")
    with tarfile.open(folder / "faces.tar.gz", "w:gz") as tar:
        tar.add(synthetic_root, "faces")
    with tarfile.open(folder / "faces_4.tar.gz", "w:gz") as tar:
        for path in sorted(synthetic_root.glob("*/*_4.pgm")):
            tar.add(path, f"faces_4/{path.parent.name}/{path.name}")
    shutil.make_archive(str(folder / "flat"), "zip", synthetic_root)
    with zipfile.ZipFile(folder / "nested.zip", "w") as nested:
        nested.writestr("faces.data.html", "<html>")
        nested.write(folder / "faces_4.tar.gz", "faces_4.tar.gz")
        nested.write(folder / "faces.tar.gz", "faces.tar.gz")
    return {"tar": folder / "faces.tar.gz", "zip": folder / "flat.zip", "nested": folder / "nested.zip"}


@pytest.fixture
def server(archives: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setattr(pooch.core.time, "sleep", lambda seconds: None)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server(archives["nested"].read_bytes()) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("form", ["tar", "zip", "nested", "folder", "parent"])
def test_from_folders_and_archives(
    tmp_path: Path, archives: dict[str, Path], synthetic_root: Path, manifest: Manifest, form: str
) -> None:
    source = {"folder": synthetic_root, "parent": synthetic_root.parent, **archives}[form]
    fetched = fetch_cmu(tmp_path / "out", source=str(source), manifest=manifest)
    assert files_below(tmp_path / "out") == sorted(manifest)
    assert fetched.path == tmp_path / "out"
    assert not fetched.already_there
    assert not fetched.report.problems
    assert [path.name for path in tmp_path.iterdir() if path.name != "cache"] == ["out"]


def test_from_a_server_to_the_cache_and_only_once(server: Server, manifest: Manifest, no_data: Path) -> None:
    fetched = fetch_cmu(source=f"{server.url}/a+b.zip?x=1", manifest=manifest)
    assert fetched.path == no_data / "data" / "cmu_faces"
    assert files_below(fetched.path) == sorted(manifest)
    assert fetch_cmu(source=f"{server.url}/a+b.zip?x=1", manifest=manifest).already_there
    fetch_cmu(source=f"{server.url}/a+b.zip?x=1", manifest=manifest, overwrite=True)
    assert server.requests == 1


def test_a_server_that_fails_once(server: Server, manifest: Manifest, tmp_path: Path) -> None:
    server.failures = 1
    fetch_cmu(tmp_path / "out", source=f"{server.url}/a.zip", manifest=manifest)
    assert server.requests == 2


def test_a_missing_page(server: Server, manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"/missing\.zip: the server answers 404 .*; pass --from") as caught:
        fetch_cmu(tmp_path / "out", source=f"{server.url}/missing.zip", manifest=manifest, retries=1)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_transfer_that_always_breaks_off(server: Server, manifest: Manifest, tmp_path: Path, no_data: Path) -> None:
    with pytest.raises(DataError, match=r"/truncated\.zip: cannot be downloaded: .*; pass --from"):
        fetch_cmu(tmp_path / "out", source=f"{server.url}/truncated.zip", manifest=manifest, retries=2)
    assert server.requests == 3
    assert not (tmp_path / "out").exists()
    assert files_below(no_data) == []


def test_a_server_that_is_not_there(server: Server, manifest: Manifest, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"cannot be downloaded: .*refused"):
        fetch_cmu(tmp_path / "out", source="http://127.0.0.1:9/a.zip", manifest=manifest, retries=0)
    with pytest.raises(DataError, match="expected http:// or https://"):
        fetch_cmu(tmp_path / "out", source="ftp://127.0.0.1/a.zip", manifest=manifest)


def test_a_wrong_download_is_not_kept(server: Server, manifest: Manifest, tmp_path: Path, no_data: Path) -> None:
    right = server.body
    server.body = b"<html>try later</html>" * 100
    with pytest.raises(DataError, match=f"{server.url}/a.zip: damaged or truncated archive"):
        fetch_cmu(tmp_path / "out", source=f"{server.url}/a.zip", manifest=manifest)
    assert files_below(no_data) == []
    server.body = right
    fetch_cmu(tmp_path / "out", source=f"{server.url}/a.zip", manifest=manifest)


def test_incomplete_and_changed_sources(synthetic_root: Path, manifest: Manifest, tmp_path: Path) -> None:
    source = shutil.copytree(synthetic_root, tmp_path / "faces")
    gone, changed = sorted(source.glob("*/*_2.pgm"))[:2]
    gone.unlink()
    changed.write_bytes(b"P5 1 1 255 a")
    with pytest.raises(DataError) as caught:
        fetch_cmu(tmp_path / "out", source=str(source), manifest=manifest)
    message = str(caught.value)
    assert message.startswith(f"{source}: not the complete data set: {len(manifest) - 2} of {len(manifest)} files")
    assert "1 changed, 1 missing; first: " in message
    assert ".writing-" not in message
    assert not (tmp_path / "out").exists()


def test_sources_that_are_something_else(manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: holds none of the \d+ expected pictures"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "empty"), manifest=manifest)
    with pytest.raises(DataError, match="nowhere: no such file or folder"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "nowhere"), manifest=manifest)
    (tmp_path / "a.txt").write_text("hello")
    with pytest.raises(DataError, match=r"a\.txt: damaged or truncated archive"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "a.txt"), manifest=manifest)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("deep/inner.tar.gz", b"\x1f\x8bbroken")
    with pytest.raises(DataError, match=r"b\.zip: in it, deep/inner\.tar\.gz: damaged or truncated archive"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "b.zip"), manifest=manifest)
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as archive:
        archive.writestr("readme.txt", "nothing")
    with pytest.raises(DataError, match=r"c\.zip: holds none"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "c.zip"), manifest=manifest)


@pytest.mark.parametrize("inner", ["tar.gz", "zip"])
def test_a_bomb_in_an_archive_in_an_archive(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, inner: str
) -> None:
    """Both archives spend one budget, and a third one inside is not opened."""
    monkeypatch.setattr(fetch, "Budget", partial(Budget, max_bytes=300_000))
    (tmp_path / "zeros").write_bytes(bytes(400_000))
    if inner == "zip":
        with zipfile.ZipFile(tmp_path / "inner.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(tmp_path / "zeros", "zeros")
    else:
        with tarfile.open(tmp_path / "inner.tar.gz", "w:gz") as tar:
            tar.add(tmp_path / "zeros", "zeros")
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as outer:
        outer.write(tmp_path / f"inner.{inner}", f"inner.{inner}")
    with pytest.raises(DataError, match=rf"a\.zip: in it, inner\.{inner}: unpacks to more than 300,000 bytes"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "a.zip"), manifest=manifest)
    (tmp_path / "zeros").unlink()
    with zipfile.ZipFile(tmp_path / "b.zip", "w", zipfile.ZIP_DEFLATED) as outermost:
        outermost.write(tmp_path / "a.zip", "a.zip")
    with pytest.raises(DataError, match=r"b\.zip: holds none of"):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "b.zip"), manifest=manifest)
    assert not (tmp_path / "out").exists()


def test_a_server_that_sends_without_end(
    server: Server, manifest: Manifest, tmp_path: Path, no_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "MAX_BYTES", 10_000)
    server.body = bytes(1_000_000)
    with pytest.raises(
        DataError, match=r"/a\.zip: sends more than 10,000 bytes; this is not the data set; pass --from"
    ):
        fetch_cmu(tmp_path / "out", source=f"{server.url}/a.zip", manifest=manifest)
    assert server.requests == 1
    assert files_below(no_data) == []


def test_output_that_exists(synthetic_root: Path, manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="exists already; pass --overwrite"):
        fetch_cmu(tmp_path / "out", source=str(synthetic_root), manifest=manifest)
    with pytest.raises(DataError):
        fetch_cmu(tmp_path / "out", source=str(tmp_path / "nowhere"), manifest=manifest, overwrite=True)
    assert (tmp_path / "out" / "letter.txt").read_text() == "dear"
    fetch_cmu(tmp_path / "out", source=str(synthetic_root), manifest=manifest, overwrite=True)
    assert files_below(tmp_path / "out") == sorted(manifest)


def test_output_that_cannot_be_written(synthetic_root: Path, manifest: Manifest, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        fetch_cmu(tmp_path / "file" / "out", source=str(synthetic_root), manifest=manifest)
    with pytest.raises(OutputError):
        fetch_cmu(Path("/proc/out"), source=str(synthetic_root), manifest=manifest)


def test_a_disk_that_fills_up_half_way(
    synthetic_root: Path, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, written = Path.write_bytes, []

    def full(path: Path, data: bytes) -> int:
        written.append(path)
        if len(written) > 50:
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left on device"):
        fetch_cmu(tmp_path / "out", source=str(synthetic_root), manifest=manifest)
    assert files_below(tmp_path) == []


@pytest.mark.real_data
def test_the_real_data_set(cmu_root: Path, tmp_path: Path) -> None:
    fetched = fetch_cmu(tmp_path / "out", source=str(cmu_root))
    assert fetched.report.right == 1888
