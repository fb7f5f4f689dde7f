"""What the clients of the soak do: good requests, and all kinds of bad ones, each with the answers it must get.

The good ones come from httpx. The others speak through bare sockets, as no client library sends what they send.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import time
import zlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx
import numpy as np

from gafas.imaging import decode, encode, resize

BUSY = "503"
HUNG_UP, CLOSED = "hung up", "closed"
_DRIP = 0.3
"""Seconds from one byte of a slow sender to its next."""
_PATIENCE = 60.0
"""Seconds without an answer after which a client gives up: no server may be so late."""
_HEAD = "{method} {path} HTTP/1.1\r\nHost: x\r\n{fields}\r\n"

Send = Callable[["Shop"], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of request.

    Attributes
    ----------
    weight : float
        How often it comes, beside the others of its group.
    want : set of str
        Its right answers: statuses, ``closed`` by the server, or ``hung up`` by the client itself.
    """

    group: str
    name: str
    weight: float
    want: frozenset[str]
    send: Send


class Shop:
    """What all clients share: the port and the material.

    Parameters
    ----------
    images : sequence of bytes
        Encoded photographs, small ones.
    most : int
        Bytes of the largest body that the server takes.
    """

    def __init__(self, port: int, images: Sequence[bytes], *, most: int) -> None:
        self.port, self.small, self.most = port, list(images), most
        self.random = random.Random(7)  # noqa: S311  # repeatable, not secret
        first = decode(images[0])
        self.medium = [encode(resize(first, (1254, 1024)), suffix) for suffix in (".png", ".jpg", ".bmp")]
        self.large = encode(resize(first, (4000, 3000)), ".jpg")
        # Fewer pixels than are allowed, in fewer bytes than a picture has: refused, as is the bomb made of it.
        self.hollow = encode(np.zeros((7000, 7000, 3), np.uint8), ".png")
        self.http = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE)

    def image(self) -> bytes:
        """Return one of the small photographs."""
        return self.random.choice(self.small)


async def predict(shop: Shop, data: bytes, query: str = "", *, http: httpx.AsyncClient | None = None) -> str:
    """Send one image as a body."""
    answer = await (http or shop.http).post(
        f"/v1/predict{query}", content=data, headers={"Content-Type": "application/octet-stream"}
    )
    return str(answer.status_code)


async def _form(shop: Shop) -> str:
    files = [("files", (f"{number}.jpg", shop.image())) for number in range(4)]
    return str((await shop.http.post("/v1/predict", files=files)).status_code)


async def _page(shop: Shop) -> str:
    path = shop.random.choice(["/", "/metrics", "/v1/model", "/readyz", "/openapi.json"])
    return str((await shop.http.get(path)).status_code)


def head(path: str = "/v1/predict", *fields: str, method: str = "POST") -> bytes:
    """Return the head of a request."""
    lines = "".join(f"{field}\r\n" for field in fields)
    return _HEAD.format(method=method, path=path, fields=lines).encode()


async def speak(shop: Shop, *pieces: bytes, drip: bytes = b"", endless: bool = False) -> str:
    """Send pieces over a connection of its own and return the status, or `CLOSED`.

    Parameters
    ----------
    drip : bytes
        Sent byte by byte after the pieces, until an answer comes.
    endless : bool
        Send the last piece again and again, until an answer comes.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    answer = asyncio.ensure_future(_status(reader))
    try:
        with contextlib.suppress(ConnectionError):
            for piece in pieces:
                writer.write(piece)
                await writer.drain()
            for number in range(len(drip)):
                if (await asyncio.wait([answer], timeout=_DRIP))[0]:
                    break
                writer.write(drip[number : number + 1])
            while endless and not answer.done():
                writer.write(pieces[-1])
                await writer.drain()
        return await asyncio.wait_for(answer, _PATIENCE)
    finally:
        answer.cancel()
        writer.transport.abort()


async def _status(reader: asyncio.StreamReader) -> str:
    line = b""
    with contextlib.suppress(ConnectionError):
        line = await reader.readline()
        await reader.read()
    return line.split()[1].decode() if line else CLOSED


def _closing(*fields: str, data: bytes, path: str = "/v1/predict") -> bytes:
    return head(path, "Connection: close", f"Content-Length: {len(data)}", *fields) + data


async def _broken(shop: Shop) -> str:
    data = bytearray(shop.image())
    if shop.random.random() < 0.5:
        return await speak(shop, _closing(data=bytes(data[: len(data) // 2])))
    # Damage among the pixels is decoded as it is, damage in a table is not.
    for _ in range(20):
        data[shop.random.randrange(20, 600)] = shop.random.randrange(256)
    return await speak(shop, _closing(data=bytes(data)))


async def _no_image(shop: Shop) -> str:
    return await speak(shop, _closing(data=shop.random.randbytes(shop.random.randrange(1, 20_000))))


def _multipart(shop: Shop, *, field: str = "files", count: int = 1, end: bool = True) -> bytes:
    part = f'--cut\r\nContent-Disposition: form-data; name="{field}"; filename="a.jpg"\r\n\r\n'.encode()
    body = b"\r\n".join([part + shop.image()] * count)
    return body + (b"\r\n--cut--\r\n" if end else b"")


_FORM = "Content-Type: multipart/form-data; boundary=cut"


async def _truncated(shop: Shop) -> str:
    body = _multipart(shop, end=False)
    return await speak(shop, _closing(_FORM, data=body[: shop.random.randrange(1, len(body))]))


async def _wrong_form(shop: Shop) -> str:
    forms = [_multipart(shop, field="picture"), _multipart(shop, count=17), b"--other\r\n\r\n", b""]
    return await speak(shop, _closing(_FORM, data=shop.random.choice(forms)))


async def _wrong_type(shop: Shop) -> str:
    kind = shop.random.choice(["text/html", "application/json", "multipart/mixed", "é", "a" * 4000])
    return await speak(shop, _closing(f"Content-Type: {kind}", data=shop.image()))


async def _too_large(shop: Shop) -> str:
    return await speak(shop, head("/v1/predict", f"Content-Length: {shop.most + 1}"), b"x" * 10_000)


async def _endless(shop: Shop) -> str:
    begun, more = _multipart(shop, end=False), b"x" * 65536
    pieces = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in (begun, more)]
    return await speak(shop, head("/v1/predict", _FORM, "Transfer-Encoding: chunked"), *pieces, endless=True)


async def _bomb(shop: Shop) -> str:
    data = bytearray(shop.hollow)
    data[16:24] = struct.pack(">II", 100_000, 100_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return await speak(shop, _closing(data=bytes(data)))


async def _absurd(shop: Shop) -> str:
    close = "Connection: close"
    heads = [
        head("/v1/predict", close, "X: " + "x" * 100_000),
        head("/v1/predict", close, *[f"X-{number}: y" for number in range(500)], method="GET"),
        head("/" + "../" * 5000, close, method="GET"),
        head("/static/..%2f..%2fetc/passwd", close, method="GET"),
        head("/%00%ff?%zz=%", close, method="GET"),
        head("/v1/predict?threshold=nan&region=moon&x=" + "y" * 3000, close, method="POST"),
        head("/v1/predict", close, method="BREW"),
        head("/v1/predict", "Content-Length: -1"),
        head("/v1/predict", "Content-Length: 5", "Content-Length: 6") + b"hello",
        head("/v1/predict", "Content-Length: 99999999999999999999"),
        head("/v1/predict", "Transfer-Encoding: gzip, chunked") + b"zz\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x00" * 5000 + b"\r\n\r\n",
    ]
    return await speak(shop, shop.random.choice(heads))


async def _hang_up(shop: Shop) -> str:
    """Go away in the middle of the body, or before the answer; half of the time with a reset."""
    _, writer = await asyncio.open_connection("127.0.0.1", shop.port)
    data = _closing(data=shop.image())
    with contextlib.suppress(ConnectionError):
        writer.write(data if shop.random.random() < 0.5 else data[: len(data) // 2])
        await writer.drain()
        await asyncio.sleep(shop.random.random() / 20)
    if shop.random.random() < 0.5:
        connection: socket.socket = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return HUNG_UP


async def _drip_body(shop: Shop) -> str:
    return await speak(shop, head("/v1/predict", "Content-Length: 5000"), drip=b"x" * 5000)


async def _drip_form(shop: Shop) -> str:
    return await speak(shop, head("/v1/predict", _FORM, "Content-Length: 5000"), drip=_multipart(shop)[:5000])


async def _drip_head(shop: Shop) -> str:
    return await speak(shop, b"POST /v1/predict HTTP/1.1\r\nX: ", drip=b"x" * 5000)


async def _silent(shop: Shop) -> str:
    return await speak(shop)


async def _deaf(shop: Shop) -> str:
    """Ask for more and more, and read nothing; the server must be the first to lose patience."""
    reader, writer = await asyncio.open_connection("127.0.0.1", shop.port, limit=1024)
    writer.transport.pause_reading()  # type: ignore[attr-defined]  # it can: TCP
    request, start = head("/openapi.json", method="GET"), time.monotonic()
    try:
        while time.monotonic() - start < 2 * _PATIENCE:
            writer.write(request * 20)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(writer.drain(), 1)
            await asyncio.sleep(0.1)
    except ConnectionError:
        return CLOSED
    finally:
        del reader
        writer.transport.abort()
    return "held"


def kinds() -> list[Kind]:
    """Return all kinds, the good ones first."""

    def kind(group: str, name: str, weight: float, want: str, send: Send) -> Kind:
        return Kind(group, name, weight, frozenset(want.split(", ")), send)

    good = "200, 503"
    refused = "400, 404, 405, 413, 422, 501, closed"
    return [
        kind("good", "photograph, 178×218", 70, good, lambda shop: predict(shop, shop.image())),
        kind("good", "four in a form", 10, good, _form),
        kind("good", "1.3 megapixels", 8, good, lambda shop: predict(shop, shop.random.choice(shop.medium))),
        kind("good", "12 megapixels", 1, good, lambda shop: predict(shop, shop.large)),
        kind("good", "with explanation", 2, good, lambda shop: predict(shop, shop.image(), "?explain=true")),
        kind("good", "page, metrics, model", 9, "200", _page),
        kind("bad", "broken image", 20, "200, 415, 422, 413, 503", _broken),
        kind("bad", "no image", 15, "415, 422, 503", _no_image),
        kind("bad", "form cut off", 15, "400, 422, 503", _truncated),
        kind("bad", "wrong form", 10, "400, 413, 422, 503", _wrong_form),
        kind("bad", "wrong content type", 10, "415, 503", _wrong_type),
        kind("bad", "length too large", 5, "413, 503", _too_large),
        kind("bad", "body without end", 1, "408, 413, 503", _endless),
        kind("bad", "bomb of 10,000 megapixels", 10, "413, 503", _bomb),
        kind("bad", "49 megapixels of nothing", 0.5, "413, 503", lambda shop: predict(shop, shop.hollow)),
        kind("bad", "absurd head or path", 20, refused, _absurd),
        kind("bad", "hangs up", 20, HUNG_UP, _hang_up),
        kind("slow", "body byte by byte", 4, "408, 503", _drip_body),
        kind("slow", "form byte by byte", 3, "408, 503", _drip_form),
        kind("slow", "head byte by byte", 3, CLOSED, _drip_head),
        kind("slow", "says nothing", 2, CLOSED, _silent),
        kind("slow", "reads nothing", 2, CLOSED, _deaf),
    ]
