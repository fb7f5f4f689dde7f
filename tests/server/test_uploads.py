"""Multipart bodies, in pieces of any size, whole or broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gafas.server.refusals import Refusal
from gafas.server.uploads import Upload, UploadParser

TYPE = "multipart/form-data; boundary=cut"


def part(data: bytes, *, name: str = "files", filename: str | None = "a.jpg") -> bytes:
    words = f'form-data; name="{name}"' + (f'; filename="{filename}"' if filename is not None else "")
    head = f"--cut\r\nContent-Disposition: {words}\r\nContent-Type: image/jpeg\r\n\r\n"
    return head.encode() + data + b"\r\n"


def parse(
    body: bytes, *, step: int = 7, content_type: str = TYPE, max_files: int = 4, max_image: int = 100
) -> list[Upload]:
    parser = UploadParser(content_type, max_files=max_files, max_image=max_image)
    for start in range(0, len(body), step):
        parser.feed(body[start : start + step])
    return parser.finish()


@settings(max_examples=60, deadline=None)
@given(images=st.lists(st.binary(max_size=60), min_size=1, max_size=4), step=st.integers(1, 50))
def test_images_come_out_as_they_went_in(images: list[bytes], step: int) -> None:
    body = b"".join(part(image, filename=f"{n}.jpg") for n, image in enumerate(images)) + b"--cut--\r\n"
    assert parse(body, step=step) == [Upload(f"{n}.jpg", image) for n, image in enumerate(images)]


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=300), step=st.integers(1, 50))
def test_garbage_is_refused_and_nothing_else_happens(body: bytes, step: int) -> None:
    with pytest.raises(Refusal):
        parse(body, step=step)


def test_names_are_those_of_the_client() -> None:
    body = part(b"1", filename="Ñandú 😎.jpg") + part(b"2", filename=None) + part(b"3", filename="x" * 999) + b"--cut--"
    names = [upload.name for upload in parse(body)]
    assert names == ["Ñandú 😎.jpg", None, "x" * 255]


def test_a_name_that_is_no_text_is_repaired() -> None:
    body = part(b"1", filename="NAME").replace(b"NAME", b"\xff\xfe.jpg") + b"--cut--"
    (upload,) = parse(body)
    assert upload.name is not None
    upload.name.encode("utf-8")


def test_an_image_that_is_too_large_is_skipped_and_the_next_one_read() -> None:
    body = part(b"x" * 101, filename="large") + part(b"x" * 100, filename="fits") + b"--cut--"
    assert parse(body) == [Upload("large", None), Upload("fits", b"x" * 100)]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_multipart"),
        (part(b"1"), 400, "bad_multipart"),
        (b"--cut--\r\n", 422, "no_files"),
        (part(b"1", name="file") + b"--cut--", 422, "unknown_field"),
        (part(b"1", filename=None).replace(b"; name", b"; nome") + b"--cut--", 422, "unknown_field"),
        (5 * part(b"1") + b"--cut--", 413, "too_many_files"),
        (b"--cut\r\n" + b"X-Long: " + b"x" * 100_000 + b"\r\n\r\n1\r\n--cut--", 400, "bad_multipart"),
        (b"--cut\r\n" + b"X: 1\r\n" * 5000 + b"\r\n1\r\n--cut--", 400, "bad_multipart"),
    ],
    ids=["empty", "no end", "no part", "other field", "no field", "too many", "long header", "many headers"],
)
def test_bad_forms(body: bytes, status: int, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(body, step=1000)
    assert (refused.value.status, refused.value.code) == (status, code)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary=" + "b" * 2000])
def test_bad_boundaries(content_type: str) -> None:
    with pytest.raises(Refusal) as refused:
        parse(b"", content_type=content_type)
    assert refused.value.status == 400
