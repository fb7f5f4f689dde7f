"""Around every answer: security headers, one log line, a count, and an end for bodies that nobody reads."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gafas.server.refusals import ClientGoneError, Refusal, error_response

LOG = logging.getLogger("gafas.server")

_POLICY = "; ".join([
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' blob: data:",
    "media-src 'self' blob:",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
])  # fmt: skip

_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

_METHODS = {"GET", "HEAD", "OPTIONS", "POST"}
"""What is logged by its name; anything else is whatever a client wrote."""

_LINGER = 10.0
"""Seconds in which the rest of a refused body is thrown away, so that its sender gets to read why."""

_LINGER_SILENCE = 2.0
"""Seconds without a byte after which its sender is taken to have read it."""

_LINGER_BYTES = 64 * 2**20
"""Who sends so much more does not listen."""


class Wrapping:
    """The outermost layer of the app.

    Parameters
    ----------
    app : ASGI app
    count : callable
        Told route, status and seconds of each answer.
    """

    def __init__(self, app: ASGIApp, count: Callable[[str, int, float], None]) -> None:
        self._app, self._count = app, count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, receive, send)
        start = time.perf_counter()
        try:
            await self._app(scope, exchange.receive, exchange.send)
        except ClientGoneError:
            exchange.status = 499
        except Exception:
            # The traceback holds our own lines only: requests keep their bytes in variables.
            LOG.exception("failed")
            exchange.status = exchange.status or 500
            if not exchange.started:
                refusal = Refusal(500, "internal_error", "the server failed on this request; its log says why")
                await error_response(refusal)(scope, exchange.receive, exchange.send)
        finally:
            seconds = (exchange.answered or time.perf_counter()) - start
            route = getattr(scope.get("route"), "path", "unmatched")
            self._count(route, exchange.status, seconds)
            # Neither path nor query nor address: they may hold a person's name.
            LOG.info(
                "request",
                extra={"method": scope["method"] if scope["method"] in _METHODS else "other", "route": route,
                       "status": exchange.status, "milliseconds": round(1000 * seconds, 1),
                       "body_bytes": exchange.received},
            )  # fmt: skip


class _Exchange:
    """One request and its answer: counts what comes in, adds headers to what goes out."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive, self._send = receive, send
        headers = dict(scope["headers"])
        length = headers.get(b"content-length", b"0")
        self._unread = b"transfer-encoding" in headers or length not in {b"", b"0"}
        self._private = scope["path"].startswith(("/v1/", "/metrics"))
        self.received = self.status = 0
        self.started = False
        self.answered = 0.0

    async def receive(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self.received += len(message.get("body", b""))
            self._unread = message.get("more_body", False)
        else:
            self._unread = False
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started, self.status, self.answered = True, message["status"], time.perf_counter()
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
            if self._private:
                headers["Cache-Control"] = "no-store"
            if self._unread:
                # Else the server would go on reading a body that may never end.
                headers["Connection"] = "close"
        elif self._unread and not message.get("more_body", False):
            await self._send({**message, "more_body": True})
            await self._linger()
            message = {"type": "http.response.body", "body": b""}
        await self._send(message)

    async def _linger(self) -> None:
        # Closed at once, the connection would be reset before the answer is read.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_LINGER):
                enough = self.received + _LINGER_BYTES
                while self._unread and self.received < enough:
                    await asyncio.wait_for(self.receive(), _LINGER_SILENCE)
