"""What the fuzzer begins with: good inputs of each target, so that it need not invent a PNG."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from dataclasses import asdict

import numpy as np

from gafas.bundle import MANIFEST, Manifest, shipped_bundle
from gafas.imaging import FORMATS
from tests.hostile.seeds import make_seeds

DICTIONARY = {
    "image": (b"IHDR", b"IDAT", b"tRNS", b"acTL", b"eXIf", b"\xff\xd8", b"\xff\xda", b"\xff\xc2", b"Exif\0\0II*\0",
              b"GIF89a", b"WEBPVP8X", b"ftypavif", b"P2 ", b"P6 1 1 255\n", b"II+\0"),
    "manifest": (b'"format_version"', b'"threshold"', b'"files"', b'"../x"', b"1e999", b"NaN", b"[[[[", b'"\\ud800"'),
    "name": (b"an2i/", b"an2i_left_angry_open", b"_sunglasses", b"_4", b".pgm", b".bad", b"://", b"@", b"/dev/video"),
    "split": (b'"train"', b'"validation"', b'"test"', b"null", b"[]"),
    "archive": (b"PK\5\6", b"PK\1\2", b"PK\3\4", b"ustar", b"../x", b"PK\6\6", b"PK\6\7"),
}  # fmt: skip


def seeds_of(target: str) -> list[bytes]:
    """Return good inputs."""
    if target == "image":
        good = make_seeds(np.random.default_rng(0))
        return [seed.data for seed in good if seed.kind in (*FORMATS, "MPO") and len(seed.data) < 20_000]
    if target == "manifest":
        plain = asdict(Manifest(name="a", architecture="b", input_size=(8, 8)))
        return [json.dumps(plain).encode(), (shipped_bundle() / MANIFEST).read_bytes()[:8_000]]
    if target == "name":
        names = ("an2i/an2i_left_angry_open.pgm", "an2i_up_sad_sunglasses_4.bad", "rtsp://a:b@c/d", "/dev/video0", "0")
        return [name.encode() for name in names]
    if target == "split":
        return [json.dumps({"by": "file", "train": ["a/b.pgm"], "validation": [], "test": ["c/d.pgm"]}).encode()]
    return _archives()


def _archives() -> list[bytes]:
    made = []
    for mode in ("w", "w:gz"):
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode=mode) as tar:
            for name in ("a", "d/b"):
                info = tarfile.TarInfo(name)
                info.size = 3
                tar.addfile(info, io.BytesIO(b"abc"))
        made.append(buffer.getvalue())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", b"abc")
        archive.writestr("d/b", b"abc" * 50)
    return [*made, buffer.getvalue()]
