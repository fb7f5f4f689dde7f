"""The app under uvicorn: sockets, processes, signals, logs."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from multiprocessing import parent_process
from pathlib import Path
from threading import Thread
from typing import Any

import uvicorn
from fastapi import FastAPI
from prometheus_client.multiprocess import mark_process_dead
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess

from gafas.bundle import load_bundle
from gafas.errors import BundleError, UsageError
from gafas.runtime.predictor import load_predictor
from gafas.server.app import create_app
from gafas.server.metering import shared_counters
from gafas.server.protocol import PatientProtocol
from gafas.server.settings import Settings

LOG = logging.getLogger("gafas.server")

_BACKLOG = 2048

_SILENCE = 30
"""Seconds without an answer to its supervisor after which a worker counts as hung."""

_NOT_STARTED = "the server cannot judge an image, and has not started; the lines above say why"

LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "json": {
            "()": "pythonjsonlogger.json.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
            "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger", "message": "event"},
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json", "stream": "ext://sys.stderr"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {"gafas.server": {"level": "INFO"}, "uvicorn": {"level": "WARNING"}},
}
"""One JSON object a line on standard error. uvicorn's own line for each request would hold its path and query."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Makes the app; can be sent to another process.

    Attributes
    ----------
    bundle : Path
        A bundle, a run folder or the name of a packaged bundle.
    options : mapping
        Of `gafas.runtime.predictor.load_predictor`.
    """

    bundle: Path
    settings: Settings
    options: Mapping[str, Any] = field(default_factory=dict)

    def __call__(self) -> FastAPI:
        """Load the model and return the app around it.

        Raises
        ------
        BundleError
            The bundle is damaged or cannot run.
        """
        supervisor = parent_process()
        if supervisor is not None:
            Thread(target=_end_after, args=(supervisor,), daemon=True).start()
        manifest = load_bundle(self.bundle, verify=False).manifest
        return create_app(load_predictor(self.bundle, **self.options), manifest=manifest, settings=self.settings)


def _end_after(supervisor: Any) -> None:
    """End this worker when its supervisor was killed: it would keep the port that the next one needs."""
    supervisor.join()
    os.kill(os.getpid(), signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """Open the port.

    Raises
    ------
    UsageError
        It is taken, or not ours to open.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, _, _, _, address = found[0]
        opened = socket.create_server(address, family=family, backlog=_BACKLOG)
    except OSError as error:
        raise UsageError(f"{host}:{port}: cannot listen: {error.strerror or error}; choose another --port") from error
    opened.set_inheritable(True)
    # Accepted connections take it over. asyncio sets it only where the socket names its protocol, which this one does
    # not; without it an answer's second part waits 40 ms for the acknowledgement of its first.
    opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return opened


def run(plan: Plan, opened: socket.socket, *, workers: int, proxy: str | None, started: Callable[[], object]) -> None:
    """Serve until SIGTERM or Ctrl-C; what was accepted is finished first.

    Parameters
    ----------
    workers : int
        Processes, each with a model and a queue of its own; more than one have a supervisor.
    proxy : str or None
        Address of a reverse proxy whose ``X-Forwarded-For`` is believed.
    started : callable
        Called when the model is loaded.

    Raises
    ------
    BundleError
        The model cannot judge.
    OutputError
        Several workers have nowhere to count.
    """
    app = plan()
    started()
    config = uvicorn.Config(
        app if workers == 1 else plan,
        factory=workers > 1,
        http=PatientProtocol,
        ws="none",
        log_config=LOGGING,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=proxy is not None,
        forwarded_allow_ips=proxy,
        workers=workers,
        # Its default of 5 s is less than a slow machine takes to import: a worker would be killed before it begins.
        timeout_worker_healthcheck=_SILENCE,
        # A body and then the work on it, and a second for the answers.
        timeout_graceful_shutdown=round(2 * plan.settings.timeout) + 1,
    )
    if workers == 1:
        _run_here(config, opened)
    else:
        del app
        _run_workers(config, opened)


def _run_here(config: uvicorn.Config, opened: socket.socket) -> None:
    server = uvicorn.Server(config)
    try:
        server.run(sockets=[opened])
    except KeyboardInterrupt:
        # uvicorn raises the signal again when everything is finished.
        return
    except SystemExit as ended:
        # Of newer versions; older ones just return.
        if ended.code != STARTUP_FAILURE:
            raise
    if not server.started:
        raise BundleError(_NOT_STARTED)


def _run_workers(config: uvicorn.Config, opened: socket.socket) -> None:
    with shared_counters() as folder:
        supervisor = Supervisor(config, sockets=[opened], counters=folder)
        supervisor.run()
    if any(process.exitcode == STARTUP_FAILURE for process in supervisor.processes):
        raise BundleError(_NOT_STARTED)


class Supervisor(Multiprocess):
    """uvicorn's own, which replaces workers that have died or hang; it says so, and forgets what they held.

    Parameters
    ----------
    counters : Path
        Folder of `gafas.server.metering.shared_counters`.
    """

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], *, counters: Path) -> None:
        super().__init__(config, sockets)
        self._counters = counters

    def keep_subprocess_alive(self) -> None:
        """Look after every worker once."""
        before = list(self.processes)
        super().keep_subprocess_alive()
        for old, new in zip(before, self.processes, strict=True):
            if old is not new:
                LOG.warning("worker replaced", extra={"worker": new.pid, "exit_code": old.exitcode})
                # What is only counted must not end the service.
                with contextlib.suppress(OSError):
                    mark_process_dead(old.pid, str(self._counters))  # type: ignore[no-untyped-call]
