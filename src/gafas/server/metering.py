"""Counters of a server for Prometheus. In a registry of their own: one process may hold several apps."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gafas.server.results import Outcome

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Meters:
    """Counts requests, images and faces; no label holds anything that a client chose."""

    def __init__(self, *, pending: Callable[[], float], held: Callable[[], float]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter("gafas_requests", "Requests answered.", ("route", "status"), registry=self._registry)
        self._seconds = Histogram(
            "gafas_request_seconds",
            "From the end of a request's head to the start of its answer.",
            ("route",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._images = Counter(
            "gafas_images", "Images answered: ok or the code of the error.", ("result",), registry=self._registry
        )
        self._faces = Counter("gafas_faces", "Regions judged.", ("region", "label"), registry=self._registry)
        self._batch = Histogram(
            "gafas_batch_regions", "Regions classified together.", buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self._registry,
        )  # fmt: skip
        queue = Gauge("gafas_pending_images", "Images that wait or are worked on.", registry=self._registry)
        queue.set_function(pending)
        memory = Gauge("gafas_held_bytes", "Bytes of bodies in memory.", registry=self._registry)
        memory.set_function(held)

    def count_request(self, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is the pattern, never the path."""
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_batch(self, regions: int) -> None:
        """Count one run of the classifier."""
        self._batch.observe(regions)

    def count_outcomes(self, outcomes: Iterable[Outcome]) -> None:
        """Count the images of one answer."""
        for outcome in outcomes:
            self._images.labels("ok" if outcome.failure is None else outcome.failure.code).inc()
            for verdict in outcome.judged.verdicts:
                self._faces.labels(verdict.region, verdict.label).inc()

    def page(self) -> bytes:
        """Return the text that Prometheus reads."""
        return generate_latest(self._registry)
