"""uvicorn's HTTP/1.1 with an end to patience: clients that do not finish a head, or do not read, are cut off."""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 15.0
"""For the first line and the headers; uvicorn itself would wait for ever. Bodies have their own limit."""


READ_SECONDS = 30.0
"""For a client to take what is ready for it, until there is room for more; uvicorn itself would wait for ever."""


class PatientProtocol(H11Protocol):
    """Closes a connection whose next request has begun, or is expected, and does not come, or whose answer is stuck."""

    _deadline: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and wait for the rest if they are not yet a request."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._rest()
        self._breathe()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Begin to wait for a client that reads nothing."""
        super().pause_writing()
        self._breathe()
        # Aborted, as closing would wait for what is not read.
        self._unread = self.loop.call_later(READ_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        """Wait no longer: it has read."""
        super().resume_writing()
        self._breathe()

    def _watch(self) -> None:
        # Only what uvicorn has made a request of is under the app's own limits.
        if self.cycle is not None and not self.cycle.response_complete:
            self._rest()
        elif self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._cut_off)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _breathe(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _cut_off(self) -> None:
        self._deadline = None
        busy = self.cycle is not None and not self.cycle.response_complete
        if not busy and not self.transport.is_closing():
            self.transport.close()
