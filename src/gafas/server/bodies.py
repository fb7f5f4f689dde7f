"""Bodies into memory, within limits that hold while they stream in; nothing touches the disk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from fastapi import Request

from gafas.server.refusals import ClientGoneError, Refusal, busy
from gafas.server.settings import MEGABYTE, Settings
from gafas.server.uploads import Upload, UploadParser

MULTIPART = "multipart/form-data"
_ANY_BYTES = "application/octet-stream"


class Shelf:
    """Counts the bytes that all requests hold together. Belongs to the event loop, so it needs no lock."""

    def __init__(self, limit: int, *, on_change: Callable[[int], object] = lambda _: None) -> None:
        self._limit, self._on_change = limit, on_change
        self.held = 0

    @contextmanager
    def place(self) -> Iterator[Place]:
        """Open the place of one request; what it holds is given back at the end."""
        mine = Place(self)
        try:
            yield mine
        finally:
            self.held -= mine.held
            self._on_change(self.held)

    def take(self, count: int) -> None:
        """Hold so many bytes more.

        Raises
        ------
        Refusal
            503: there is no room.
        """
        if self.held + count > self._limit:
            raise busy("no_memory", "other requests fill the memory for uploads")
        self.held += count
        self._on_change(self.held)


class Place:
    """What one request holds."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf, self.held = shelf, 0

    def add(self, count: int) -> None:
        """Hold so many bytes more; see `Shelf.take`."""
        self._shelf.take(count)
        self.held += count


def is_multipart(request: Request) -> bool:
    """Whether the body is a form; else it is one image.

    Raises
    ------
    Refusal
        415: it says that it is neither.
    """
    kind = request.headers.get("content-type", _ANY_BYTES).partition(";")[0].strip().lower()
    if kind == MULTIPART:
        return True
    if kind == _ANY_BYTES or kind.startswith("image/"):
        return False
    raise Refusal(415, "unsupported_content_type", f"expected {MULTIPART}, image/* or {_ANY_BYTES}")


async def read_uploads(request: Request, place: Place, settings: Settings) -> list[Upload]:
    """Read a form with images, or a body that is one image.

    Raises
    ------
    Refusal
        400, 413, 415 or 422 for a body that is not what is taken here; 503 where there is no room for it.
    ClientGoneError
        The body stops in the middle.
    """
    if not is_multipart(request):
        data = bytearray()
        async for chunk in _chunks(request, place, settings.max_image):
            data += chunk
        if not data:
            raise Refusal(400, "empty_body", f"expected an image or {MULTIPART}, got an empty body")
        return [Upload(None, bytes(data))]
    parser = UploadParser(request.headers["content-type"], max_files=settings.max_files, max_image=settings.max_image)
    async for chunk in _chunks(request, place, settings.max_body):
        parser.feed(chunk)
    return parser.finish()


async def _chunks(request: Request, place: Place, limit: int) -> AsyncIterator[bytes]:
    length = request.headers.get("content-length", "0")
    # Refused before it is read, where it is honest; counted in any case.
    received = 0
    if length.isdecimal() and int(length) > limit:
        raise _too_large(limit)
    while True:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientGoneError
        chunk: bytes = message.get("body", b"")
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        place.add(len(chunk))
        if chunk:
            yield chunk
        if not message.get("more_body", False):
            return


def _too_large(limit: int) -> Refusal:
    words = f"expected at most {limit / MEGABYTE:.1f} MB, got more; send less or smaller images"
    return Refusal(413, "too_large", words)
