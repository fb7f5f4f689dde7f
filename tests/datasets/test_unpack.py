from __future__ import annotations

import gzip
import io
import stat
import struct
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from gafas.datasets.unpack import Budget, unpack
from gafas.errors import DataError


def make_tar(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def make_zip(path: Path, *members: tuple[str, bytes], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_archives(tmp_path: Path, mode: str) -> None:
    archive = make_tar(tmp_path / "a", (member("d", tarfile.DIRTYPE), b""), (member("d/x.pgm"), b"abc"), mode=mode)
    unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "d" / "x.pgm").read_bytes() == b"abc"


def test_zip_archives(tmp_path: Path) -> None:
    unpack(make_zip(tmp_path / "a", ("d/", b""), ("d/x.pgm", b"abc"), ("y", b"")), tmp_path / "out")
    assert (tmp_path / "out" / "d" / "x.pgm").read_bytes() == b"abc"
    assert (tmp_path / "out" / "y").read_bytes() == b""


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:\\evil", "a/b/../../../evil"])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_no_path_leads_outside(tmp_path: Path, name: str, kind: str) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = inner / "a"
    archive = make_tar(path, (member(name), b"x")) if kind == "tar" else make_zip(path, (name, b"x"))
    with pytest.raises(DataError, match="leads out of the folder; refused"):
        unpack(archive, inner / "out" / "deep")
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_no_links_or_devices_in_a_tar(tmp_path: Path, kind: bytes) -> None:
    archive = make_tar(tmp_path / "a", (member("x", kind, "/etc/passwd"), b""))
    with pytest.raises(DataError, match="'x' is a link or a device; refused"):
        unpack(archive, tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("mode", [stat.S_IFLNK | 0o777, stat.S_IFCHR, stat.S_IFIFO])
def test_no_links_or_devices_in_a_zip(tmp_path: Path, mode: int) -> None:
    with pytest.raises(DataError, match="'x' is a link or a device; refused"):
        unpack(make_zip(tmp_path / "a", ("x", b"/etc/passwd"), mode=mode), tmp_path / "out")
    assert not list((tmp_path / "out").iterdir())


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_size_and_number_are_capped(tmp_path: Path, kind: str) -> None:
    zeros = bytes(300_000)
    path = tmp_path / "a"
    archive = make_tar(path, (member("x"), zeros)) if kind == "tar" else make_zip(path, ("x", zeros))
    assert archive.stat().st_size < 2000
    with pytest.raises(DataError, match="unpacks to more than 100,000 bytes"):
        unpack(archive, tmp_path / "out", budget=Budget(max_bytes=100_000))
    assert sum(p.stat().st_size for p in (tmp_path / "out").iterdir()) <= 100_000
    names = [f"x{number}" for number in range(20)]
    many = (
        make_tar(path, *((member(n), b"") for n in names))
        if kind == "tar"
        else make_zip(path, *((n, b"") for n in names))
    )
    with pytest.raises(DataError, match="holds more than 10 members"):
        unpack(many, tmp_path / "out2", budget=Budget(max_members=10))


def test_a_zip_header_that_lies_about_the_size(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "a", ("x", bytes(300_000)))
    data = archive.read_bytes()
    size = struct.pack("<I", 300_000)
    assert data.count(size) == 2
    archive.write_bytes(data.replace(size, struct.pack("<I", 10)))
    with pytest.raises(DataError):
        unpack(archive, tmp_path / "out", budget=Budget(max_bytes=100_000))
    assert (tmp_path / "out" / "x").stat().st_size <= 100_000


def test_a_bomb_in_the_headers_of_a_tar(tmp_path: Path) -> None:
    info = member("x")
    info.pax_headers = {"comment": "a" * 1_000_000}
    with tarfile.open(tmp_path / "a", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info)
    with pytest.raises(DataError, match="unpacks to more than"):
        unpack(tmp_path / "a", tmp_path / "out", budget=Budget(max_bytes=100_000))


def test_two_members_of_one_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two members want the same path"):
        unpack(make_tar(tmp_path / "a", (member("x"), b"1"), (member("x"), b"2")), tmp_path / "out")
    with pytest.raises(DataError, match="two members want the same path"):
        unpack(make_tar(tmp_path / "b", (member("x"), b"1"), (member("x/y"), b"2")), tmp_path / "out2")


def cut(data: bytes) -> bytes:
    return data[: len(data) * 2 // 3]


def flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 8]) + data[middle + 8 :]


@pytest.mark.parametrize("damage", [cut, flip])
@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_damaged_archives(tmp_path: Path, kind: str, damage: Callable[[bytes], bytes]) -> None:
    noise = bytes(number * number % 251 for number in range(50_000))
    path = tmp_path / "a"
    archive = make_tar(path, (member("x"), noise)) if kind == "tar" else make_zip(path, ("x", noise))
    archive.write_bytes(damage(archive.read_bytes()))
    with pytest.raises(DataError, match="damaged or truncated archive"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", r"the file is empty \(0 bytes\)"),
        (b"<html>not found</html>" * 100, "damaged or truncated archive"),
        (gzip.compress(b"just text" * 200, mtime=0), "damaged or truncated archive"),
        (b"PK", "damaged or truncated archive"),
    ],
)
def test_files_that_are_no_archives(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "a.zip").write_bytes(data)
    with pytest.raises(DataError, match=message):
        unpack(tmp_path / "a.zip", tmp_path / "out")


@pytest.mark.parametrize("kind", ["tar", "zip"])
@pytest.mark.parametrize("names", [("a/X.pgm", "a/x.pgm"), ("caf\u00e9", "cafe\u0301"), ("STRASSE", "stra\u00dfe")])
def test_names_that_are_the_same_elsewhere(tmp_path: Path, names: tuple[str, str], kind: str) -> None:
    path = tmp_path / "a"
    if kind == "tar":
        make_tar(path, *((member(name), b"x") for name in names))
    else:
        make_zip(path, *((name, b"x") for name in names))
    with pytest.raises(DataError, match="are the same file on some systems; refused"):
        unpack(path, tmp_path / "out")


def test_a_tar_that_declares_an_absurd_size(tmp_path: Path) -> None:
    info = member("x")
    info.size = 2**62
    (tmp_path / "a").write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT) + b"few bytes".ljust(512, b"\0")))
    with pytest.raises(DataError, match="damaged or truncated archive"):
        unpack(tmp_path / "a", tmp_path / "out")
    assert sum(path.stat().st_size for path in (tmp_path / "out").iterdir()) < 1024


@pytest.mark.parametrize("pax", [True, False])
def test_a_tar_whose_file_is_mostly_holes(tmp_path: Path, pax: bool) -> None:
    """A few hundred bytes that unpack to 8 TB of zeros, none of which comes out of the stream."""
    if pax:
        info = member("x")
        info.pax_headers = {"GNU.sparse.map": "0,0", "GNU.sparse.size": str(2**43), "GNU.sparse.numblocks": "1"}
        data = info.tobuf(tarfile.PAX_FORMAT)
    else:
        header = bytearray(member("x", tarfile.GNUTYPE_SPARSE).tobuf(tarfile.GNU_FORMAT))
        header[386:483] = b"00000000000\0" * 2 + bytes(72) + b"\0"
        header[483:495] = b"\x80" + (2**43).to_bytes(11, "big")
        header[148:156] = b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        data = bytes(header)
    (tmp_path / "a").write_bytes(gzip.compress(data + bytes(1024)))
    with tarfile.open(tmp_path / "a") as archive:
        assert archive.getmembers()[0].size == 2**43
    with pytest.raises(DataError, match="'x' is a file with holes; refused"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_a_tar_of_headers_without_end(tmp_path: Path) -> None:
    """Each header says that it belongs to the next one; tarfile calls itself for each."""
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 0
    (tmp_path / "a").write_bytes(info.tobuf(tarfile.PAX_FORMAT) * 5_000)
    with pytest.raises(DataError, match="damaged or truncated archive"):
        unpack(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize("wide", [False, True])
def test_a_zip_with_a_directory_without_end(tmp_path: Path, wide: bool) -> None:
    """What zipfile would make objects of, all of them, before it gives the first one."""
    data = make_zip(tmp_path / "a", ("x", b"x")).read_bytes()
    place, end = data.index(b"PK\1\2"), data.index(b"PK\5\6")
    entries = data[place:end] * 1_000_000
    if wide:
        record = struct.pack("<LQHHLLQQQQ", 0x06064B50, 44, 45, 45, 0, 0, 10**6, 10**6, len(entries), place)
        locator = struct.pack("<LLQL", 0x07064B50, 0, place + len(entries), 1)
        last = record + locator + data[end : end + 8] + b"\xff" * 12 + b"\0\0"
    else:
        last = data[end : end + 8] + b"\xff\xff" * 2 + struct.pack("<LLH", len(entries), place, 0)
    (tmp_path / "a").write_bytes(data[:place] + entries + last)
    start = time.thread_time()
    with pytest.raises(DataError, match="holds more than 20,000 members"):
        unpack(tmp_path / "a", tmp_path / "out")
    assert time.thread_time() - start < 1


def test_a_zip_of_as_many_members_as_are_allowed(tmp_path: Path) -> None:
    names = [(f"x{number}", b"") for number in range(50)]
    archive = make_zip(tmp_path / "a", *names)
    unpack(archive, tmp_path / "out", budget=Budget(max_members=50))
    assert len(list((tmp_path / "out").iterdir())) == 50
    with pytest.raises(DataError, match="holds more than 49 members"):
        unpack(archive, tmp_path / "out2", budget=Budget(max_members=49))


@pytest.mark.parametrize("ending", [".zip", ".tar", ".tar.gz"])
def test_an_archive_of_no_bytes(tmp_path: Path, ending: str) -> None:
    (tmp_path / f"a{ending}").touch()
    with pytest.raises(DataError, match=r"the file is empty \(0 bytes\)"):
        unpack(tmp_path / f"a{ending}", tmp_path / "out")


def test_a_zip_whose_member_lies_before_its_beginning(tmp_path: Path) -> None:
    """Found by fuzzing."""
    data = bytearray(make_zip(tmp_path / "a", ("x", b"x")).read_bytes())
    end = data.index(b"PK\5\6")
    # The directory seems to begin later than it does, so that every place shifts below zero.
    data[end + 16 : end + 20] = struct.pack("<L", data.index(b"PK\1\2") + 10)
    (tmp_path / "a").write_bytes(data)
    with pytest.raises(DataError, match="damaged or truncated archive"):
        unpack(tmp_path / "a", tmp_path / "out")


def test_a_zip_whose_member_has_no_name(tmp_path: Path) -> None:
    """Found by fuzzing."""
    archive = make_zip(tmp_path / "a", ("\x01", b"x"))
    archive.write_bytes(archive.read_bytes().replace(b"\x01", b"\0"))
    with pytest.raises(DataError, match="damaged or truncated archive"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", ["tar", "zip"])
def test_a_name_that_no_file_can_have(tmp_path: Path, kind: str) -> None:
    path, name = tmp_path / "a", "x" * 300
    archive = make_tar(path, (member(name), b"x")) if kind == "tar" else make_zip(path, (name, b"x"))
    with pytest.raises(DataError, match="damaged or truncated archive"):
        unpack(archive, tmp_path / "out")
