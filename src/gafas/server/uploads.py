"""A multipart body, taken apart as it comes in. In memory only: Starlette's own parser would write to disk."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gafas.server.refusals import Refusal

FIELD = "files"
"""The form field that holds images; it may come several times."""

_LONGEST_NAME = 255


@dataclass(frozen=True, slots=True)
class Upload:
    """One image as it was sent.

    Attributes
    ----------
    name : str or None
        As the client calls it; only ever given back to the client.
    data : bytes or None
        ``None`` where it was larger than allowed.
    """

    name: str | None
    data: bytes | None


class UploadParser:
    """Collects the images of a multipart body.

    Parameters
    ----------
    content_type : str
        The request's, with its boundary.
    max_files : int
        More are refused as soon as the next one begins.
    max_image : int
        Bytes of one image; a larger one is skipped, the others are read.

    Raises
    ------
    Refusal
        400 for a body that is not multipart, 413 for too many files, 422 for other fields.
    """

    def __init__(self, content_type: str, *, max_files: int, max_image: int) -> None:
        _, options = parse_options_header(content_type)
        boundary = options.get(b"boundary")
        if not boundary:
            raise Refusal(400, "bad_multipart", "expected a boundary in the content type, got none")
        self._max_files, self._max_image = max_files, max_image
        self._uploads: list[Upload] = []
        self._header, self._value = b"", b""
        self._disposition = b""
        self._name: str | None = None
        self._data: bytearray | None = None
        self._ended = False
        callbacks = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end",
                     "headers_finished", "end")  # fmt: skip
        try:
            self._parser = MultipartParser(boundary, {f"on_{name}": getattr(self, f"_{name}") for name in callbacks})  # type: ignore[arg-type]
        except FormParserError as error:
            raise Refusal(400, "bad_multipart", f"the boundary cannot be used: {error}") from error

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        try:
            self._parser.write(chunk)
        except FormParserError as error:
            raise Refusal(400, "bad_multipart", "the body is not the multipart form that its header says") from error

    def finish(self) -> list[Upload]:
        """Return the images in their order, at least one."""
        if not self._ended:
            raise Refusal(400, "bad_multipart", "the body ends before its last boundary")
        if not self._uploads:
            raise Refusal(422, "no_files", f"expected images in the form field {FIELD}, got none")
        return self._uploads

    def _part_begin(self) -> None:
        if len(self._uploads) >= self._max_files:
            words = f"expected at most {self._max_files} files, got more; send several requests"
            raise Refusal(413, "too_many_files", words)
        self._disposition, self._name, self._data = b"", None, bytearray()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        if options.get(b"name") != FIELD.encode():
            raise Refusal(422, "unknown_field", f"expected the form field {FIELD}, got another; see /openapi.json")
        name = options.get(b"filename")
        self._name = name.decode("utf-8", "replace")[:_LONGEST_NAME] if name else None

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        if self._data is None:
            return
        if len(self._data) + end - start > self._max_image:
            self._data = None
        else:
            self._data += data[start:end]

    def _part_end(self) -> None:
        self._uploads.append(Upload(self._name, None if self._data is None else bytes(self._data)))
        self._data = None

    def _end(self) -> None:
        self._ended = True
