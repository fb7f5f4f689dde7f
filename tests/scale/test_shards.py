"""Shards and files that hold more than any picture are not read to their end."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="the scale extra is not installed")

from gafas.scale.blocks import Item
from gafas.scale.shards import _read, _read_tar


def test_a_file_far_too_large_for_its_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)
    content = _read(Item(str(path), str(path)))
    assert content.data == b""
    assert content.problem == (f"{path}: more than 67,108,864 bytes for 0 pixels; expected a picture, save it anew")


def test_a_shard_whose_image_is_mostly_holes(tmp_path: Path) -> None:
    info = tarfile.TarInfo("a.png")
    info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**43), "GNU.sparse.numblocks": "1"}
    path = tmp_path / "a.tar"
    path.write_bytes(info.tobuf(tarfile.PAX_FORMAT) + bytes(1024))
    (content,) = _read_tar(Item(str(path), str(path)))
    assert content.problem == f"{path}/a.png: has holes, or more than 536,870,912 bytes; refused"
