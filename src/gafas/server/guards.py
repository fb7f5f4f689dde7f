"""Who may call, and how often."""

from __future__ import annotations

import hmac
import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request

from gafas.server.refusals import Refusal

_CLIENTS = 10_000
"""Addresses that are remembered; the one that was quiet longest is forgotten first."""


class KeyGuard:
    """Lets in whoever presents the key, in ``Authorization: Bearer`` or ``X-API-Key``; everybody where there is none.

    Raises
    ------
    Refusal
        401.
    """

    def __init__(self, key: str | None) -> None:
        self._key = None if key is None else key.encode("utf-8", "surrogateescape")

    async def __call__(self, request: Request) -> None:
        """Check one request."""
        if self._key is None:
            return
        # Both are compared in any case, in a time that does not depend on how much of the key is right.
        fits = [hmac.compare_digest(given, self._key) for given in _given(request)]
        if not any(fits):
            raise Refusal(
                401, "unauthorized", "expected the key of this server in Authorization: Bearer KEY or X-API-Key: KEY",
                headers={"WWW-Authenticate": "Bearer"},
            )  # fmt: skip


def _given(request: Request) -> tuple[bytes, bytes]:
    headers = dict(request.scope["headers"])
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    return (token.strip() if scheme.lower() == b"bearer" else b"", headers.get(b"x-api-key", b""))


class RateGuard:
    """A bucket of tokens for each address: `rate` requests at once when it is full, and so many again each minute.

    Raises
    ------
    Refusal
        429.
    """

    def __init__(self, rate: int, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._clock = rate, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def __call__(self, request: Request) -> None:
        """Count one request."""
        if self._rate:
            self.take(_network(request.client.host if request.client else ""))

    def take(self, client: str) -> None:
        """Take one token of a client."""
        now = self._clock()
        tokens, since = self._buckets.pop(client, (float(self._rate), now))
        tokens = min(self._rate, tokens + (now - since) * self._rate / 60)
        self._buckets[client] = (tokens - 1 if tokens >= 1 else tokens, now)
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if tokens < 1:
            wait = math.ceil((1 - tokens) * 60 / self._rate)
            raise Refusal(
                429, "too_many_requests", f"expected at most {self._rate} requests a minute; try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )  # fmt: skip


def _network(host: str) -> str:
    """Return what stands for one client: with IPv6 everybody has at least a /64 of addresses."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else host
