"""Sources to blocks, and blocks to images: each kind of source, here and at an address."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gafas.errors import DataError, UsageError
from gafas.scale.blocks import block_from_json, fingerprint
from gafas.scale.listing import list_blocks
from gafas.scale.places import address_of, find_place
from gafas.scale.shards import contents
from gafas.scale.worker import BlockWorker
from tests.scale.jobs import draw_images, make_work

pyarrow = pytest.importorskip("pyarrow", reason="the scale extra is not installed")

Judge = Callable[..., list[tuple[str, str]]]


@pytest.fixture
def judge(bundle: Path, tmp_path: Path) -> Judge:
    """List sources, judge them, and give path and label, or the error, of each row."""
    worker = BlockWorker(make_work(bundle, tmp_path / "rows"))

    def run(*words: object, **options: Any) -> list[tuple[str, str]]:
        blocks = list_blocks([str(word) for word in words], **options)
        answers = [answer for block in blocks for answer in worker.judge(block_from_json(block.to_json()))]
        return [(answer.source.path, answer.error or answer.verdicts[0].label) for answer in answers]

    return run


def write_table(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), path, **options)
    return path


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w") as archive:
        for name, data in members.items():
            information = tarfile.TarInfo(name)
            information.size = len(data)
            archive.addfile(information, io.BytesIO(data))
    return path


def test_files_folders_and_globs(judge: Judge, photos: Path) -> None:
    dark, light, far = (str(photos / name) for name in ("dark.png", "light.png", "far/dark.jpg"))
    expected = [(dark, "sunglasses"), (far, "sunglasses"), (light, "no_sunglasses")]
    assert judge(photos) == expected
    assert judge(photos / "*.png") == [expected[0], expected[2]]
    assert judge(light, dark, block_size=1) == [expected[2], expected[0]]
    missing = str(photos / "missing.png")
    assert judge(missing, dark) == [(missing, f"{missing}: no such file or folder"), expected[0]]


def test_addresses(judge: Judge, photos: Path) -> None:
    (photos / "far" / "a #b é?.png").write_bytes((photos / "light.png").read_bytes())
    (photos / ".hidden").mkdir()
    (photos / ".hidden" / "dark.png").write_bytes(b"")
    base = photos.as_uri()
    assert judge(base) == [
        (f"{base}/dark.png", "sunglasses"),
        (f"file://{photos}/far/a #b é?.png", "no_sunglasses"),
        (f"{base}/far/dark.jpg", "sunglasses"),
        (f"{base}/light.png", "no_sunglasses"),
    ]
    assert judge(f"{base}/*.png") == [(f"{base}/dark.png", "sunglasses"), (f"{base}/light.png", "no_sunglasses")]
    assert [path for path, _ in judge(f"{base}/**/d*")] == [f"{base}/dark.png", f"{base}/far/dark.jpg"]
    assert judge(f"{base}/light.png") == [(f"{base}/light.png", "no_sunglasses")]
    assert judge(f"{base}/none", f"{base}/*.gif") == [
        (f"{base}/none", f"{base}/none: no such file or folder"),
        (f"{base}/*.gif", f"{base}/*.gif: no file matches"),
    ]


def test_a_broken_image_is_one_row(judge: Judge, photos: Path) -> None:
    (photos / "light.png").write_bytes(b"no image")
    (photos / "dark.png").write_bytes(b"")
    rows = dict(judge(photos))
    assert len(rows) == 3
    assert "not a picture in a known format" in rows[str(photos / "light.png")]
    assert "the file is empty" in rows[str(photos / "dark.png")]
    assert rows[str(photos / "far" / "dark.jpg")] == "sunglasses"


@pytest.mark.parametrize("name", ["list.csv", "list.tsv", "list.parquet"])
def test_manifests(judge: Judge, photos: Path, name: str) -> None:
    manifest = photos / name
    paths = ["light.png", str(photos / "dark.png"), (photos / "far" / "dark.jpg").as_uri(), "gone.png"]
    if name.endswith("parquet"):
        write_table(manifest, {"n": [1, 2, 3, 4, 5], "file_name": [*paths, None]}, row_group_size=3)
    else:
        mark = "," if name.endswith("csv") else "\t"
        manifest.write_text(f"n{mark}file_name\n" + "".join(f"1{mark}{path}\n" for path in [*paths, ""]))
    rows = judge(manifest, block_size=2)
    assert rows[:3] == list(zip(paths[:3], ["no_sunglasses", "sunglasses", "sunglasses"], strict=True))
    assert rows[3] == ("gone.png", "gone.png: cannot be read: No such file or directory")
    assert rows[4][1].endswith("names no image")
    assert judge(manifest, column="file_name") == rows


def test_a_manifest_without_a_column_of_paths(photos: Path) -> None:
    (photos / "list.csv").write_text("a,b\n1,2\n")
    with pytest.raises(UsageError, match=r"expected a column path or .*, got a, b; name it with --column"):
        list_blocks([str(photos / "list.csv")])
    table = write_table(photos / "list.parquet", {"a": ["x"], "n": [1]})
    with pytest.raises(UsageError, match=r"expected a column path or .*, got a; name it with --column"):
        list_blocks([str(table)])
    with pytest.raises(UsageError, match="has no column b, only a, n"):
        list_blocks([str(table)], column="b")
    table.write_bytes(b"PAR1 but no more")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        list_blocks([str(table)])


def test_parquet_with_images(judge: Judge, photos: Path) -> None:
    dark, light = ((photos / name).read_bytes() for name in ("dark.png", "light.png"))
    plain = write_table(
        photos / "plain.parquet",
        {"key": [f"k{n}" for n in range(7)], "jpg": [dark, light, dark, b"", light, dark, None]},
        row_group_size=4,
    )
    rows = judge(plain, block_size=3)
    assert [name for name, _ in rows] == [f"k{n}" for n in range(7)]
    assert [said for _, said in rows] == [
        "sunglasses", "no_sunglasses", "sunglasses", "k3: holds no image (0 bytes)", "no_sunglasses", "sunglasses",
        "k6: holds no image (0 bytes)",
    ]  # fmt: skip
    assert [(block.group, block.start, block.count) for block in list_blocks([str(plain)], block_size=3)] == [
        (0, 0, 3), (0, 3, 1), (1, 0, 3),
    ]  # fmt: skip
    nested = write_table(photos / "nested.parquet", {"image": [{"bytes": dark, "path": None}] * 40})
    rows = judge(nested, block_size=15)
    assert rows == [(f"{nested}#{n}", "sunglasses") for n in range(40)]


@pytest.mark.parametrize("name", ["shard.tar", "shard.tar.gz"])
def test_tar_shards(judge: Judge, photos: Path, name: str) -> None:
    dark, light = ((photos / name).read_bytes() for name in ("dark.png", "light.png"))
    shard = write_tar(photos / name, {"1.png": dark, "1.json": b"{}", "a/2.png": light, "._3.png": b"", "4.jpg": b"?"})
    rows = judge(shard, block_size=1)
    assert rows[:2] == [(f"{shard}/1.png", "sunglasses"), (f"{shard}/a/2.png", "no_sunglasses")]
    assert [path for path, _ in rows[2:]] == [f"{shard}/4.jpg"]
    assert judge(shard.as_uri())[0] == (f"{shard.as_uri()}/1.png", "sunglasses")


def test_a_shard_that_breaks_off(judge: Judge, photos: Path) -> None:
    dark = (photos / "dark.png").read_bytes()
    shard = write_tar(photos / "shard.tar", {"1.png": dark, "2.png": bytes(20_000)})
    shard.write_bytes(shard.read_bytes()[:5000])
    rows = judge(shard, photos / "light.png")
    assert rows[0] == (f"{shard}/1.png", "sunglasses")
    assert rows[-1] == (str(photos / "light.png"), "no_sunglasses")
    assert f"{shard}: broken after" in rows[-2][1]
    write_tar(shard, {"1.txt": b""})
    assert "holds no images" in judge(shard)[0][1]


def test_a_folder_without_images_may_hold_shards(judge: Judge, photos: Path, tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    folder.mkdir()
    for name in ("b.tar", "a.tar"):
        write_tar(folder / name, {"1.png": (photos / "dark.png").read_bytes()})
    expected = [f"{folder}/a.tar/1.png", f"{folder}/b.tar/1.png"]
    assert [path for path, _ in judge(folder)] == expected
    assert [path for path, _ in judge(folder / "*.tar")] == expected
    assert [path for path, _ in judge(folder.as_uri())] == [f"file://{path}" for path in expected]


def test_the_same_sources_are_the_same_blocks(tmp_path: Path) -> None:
    images = draw_images(tmp_path / "images", 25)
    blocks = list_blocks([str(images)], block_size=10)
    assert [len(block.items) for block in blocks] == [10, 10, 5]
    assert blocks == list_blocks([str(images)], block_size=10)
    assert len({block.part for block in blocks}) == 3
    (images / "000" / "000003.png").rename(images / "000" / "x.png")
    assert fingerprint(blocks) != fingerprint(list_blocks([str(images)], block_size=10))


def test_names_that_are_no_utf8(judge: Judge, photos: Path) -> None:
    name = str(photos / "dark.png").replace("dark", "d\udce9")
    (photos / "dark.png").rename(name)
    assert (name, "sunglasses") in judge(photos)


def test_a_worker_may_run_in_another_folder(
    bundle: Path, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (photos / "list.csv").write_text("path\nlight.png\n")
    write_tar(photos / "a.tar", {"1.png": (photos / "dark.png").read_bytes()})
    worker = BlockWorker(make_work(bundle, tmp_path / "rows"))
    monkeypatch.chdir(photos)
    blocks = list_blocks(["dark.png", "far", "list.csv", "a.tar", "*.png"])
    monkeypatch.chdir(tmp_path)
    answers = [answer for block in blocks for answer in worker.judge(block)]
    assert [answer.error for answer in answers] == [None] * 6
    names = [answer.source.path for answer in answers]
    assert names == ["dark.png", "far/dark.jpg", "light.png", "a.tar/1.png", "dark.png", "light.png"]


def test_few_images_are_held(tmp_path: Path) -> None:
    images = draw_images(tmp_path / "images", 100)
    (block,) = list_blocks([images.as_uri()])
    stream = contents(block)
    next(stream)
    for path in images.rglob("*.png"):
        path.unlink()
    # What was not fetched ahead is gone: nobody has read all of it.
    assert sum(content.problem is not None for content in stream) > 80


def test_no_image_at_all(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path\n\n")
    with pytest.raises(DataError, match=r"list\.csv: expected at least one image, got none"):
        list_blocks([str(tmp_path / "list.csv")])


def test_unknown_addresses() -> None:
    with pytest.raises(UsageError, match="expected an address such as s3://bucket/folder"):
        list_blocks(["nosuch://host/folder"])
    with pytest.raises(UsageError, match="standard input"):
        list_blocks(["-"])


@pytest.mark.parametrize(
    ("address", "path", "shown"),
    [
        ("s3://bucket/a/b?region=x", "bucket/a/b", "s3://bucket/a/b"),
        ("s3://bucket", "bucket", "s3://bucket"),
        ("s3://key:se%2Fcret@bucket/a/b@c.png?region=x", "bucket/a/b@c.png", "s3://bucket/a/b@c.png"),
        ("gs://anonymous@bucket/what?.png", "bucket/what?.png", "gs://bucket/what?.png"),
        ("hdfs://user@host:8020/a/b?replication=1", "/a/b", "hdfs://host:8020/a/b"),
        ("file:///a/b", "/a/b", "file:///a/b"),
    ],
)
def test_addresses_without_their_keys(address: str, path: str, shown: str) -> None:
    place = find_place(address)
    assert (place.path, place.shown) == (path, shown)
    assert address_of(place) == address
    assert find_place(address_of(place.at(f"{path}/c"))) == place / "c"


def test_no_error_names_a_key() -> None:
    for address in ("nosuch://user:secret@host/folder", "s3://key:secret@bucket/folder?nosuch=1"):
        with pytest.raises(UsageError, match="expected an address such as") as caught:
            _ = find_place(address).filesystem
        assert "secret" not in str(caught.value)
