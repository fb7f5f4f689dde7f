"""The ASGI app: routes, and how a request goes through them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse, Response

from gafas import __version__
from gafas.bundle import Manifest
from gafas.imaging import encode
from gafas.runtime.backends import can_explain
from gafas.runtime.predictor import Predictor, resolve_region
from gafas.server import documents
from gafas.server.bodies import Shelf, is_multipart, read_uploads
from gafas.server.engine import Engine
from gafas.server.facts import facts_of
from gafas.server.guards import KeyGuard, RateGuard
from gafas.server.looking import Judged, Looker, Wish
from gafas.server.metering import CONTENT_TYPE, Meters
from gafas.server.refusals import ClientGoneError, Refusal, add_handlers, busy
from gafas.server.results import STATUSES, Outcome, answer_of, too_large
from gafas.server.settings import Settings
from gafas.server.site import add_site
from gafas.server.uploads import Upload
from gafas.server.wrapping import Wrapping


def create_app(predictor: Predictor, *, manifest: Manifest | None = None, settings: Settings | None = None) -> FastAPI:
    """Return the app around a predictor.

    Parameters
    ----------
    predictor : Predictor
        Its backend and detector must bear calls from several threads, as all of gafas's do.
    manifest : Manifest or None
        Of its bundle, for ``GET /v1/model``.
    settings : Settings or None
        ``None`` takes the defaults.
    """
    settings = settings or Settings()
    service = Service(predictor, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await service.open()
        yield
        service.close()

    # The documents' page would load its scripts from another server.
    app = FastAPI(title="gafas", version=__version__, description="Who wears sunglasses in images.",
                  docs_url=None, redoc_url=None, lifespan=lifespan)  # fmt: skip
    add_handlers(app)
    app.include_router(_guarded_routes(service, facts_of(predictor, manifest, settings)))
    app.include_router(_health_routes(service))
    add_site(app)
    documents.add_examples(app)
    if settings.cors:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.cors, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"], expose_headers=["Retry-After"],
        )  # fmt: skip
    app.add_middleware(Wrapping, count=service.meters.count_request)
    return app


class Service:
    """What the routes share: one a process."""

    def __init__(self, predictor: Predictor, settings: Settings) -> None:
        self.predictor, self.settings = predictor, settings
        self.meters = Meters()
        self.shelf = Shelf(settings.memory, on_change=self.meters.show_held)
        self._looker = Looker(predictor, max_pixels=settings.max_pixels, pixel_memory=settings.pixel_memory)
        self.engine = Engine(
            predictor, self._looker, threads=settings.threads, queue=settings.queue,
            on_batch=self.meters.count_batch, on_pending=self.meters.show_pending,
        )  # fmt: skip
        self.ready = False

    async def open(self) -> None:
        """Judge a blank image: opens every graph, and fails now if one cannot run."""
        blank = encode(np.full((64, 64, 3), 127, np.uint8), ".png")
        # An engine of its own: what no client sent is not counted.
        trial = Engine(self.predictor, self._looker, threads=1, queue=1)
        try:
            for region in self.predictor.regions:
                await trial.judge([blank], Wish(region))
        finally:
            trial.close()
        self.ready = True

    def close(self) -> None:
        """Let go of the threads."""
        self.ready = False
        self.engine.close()

    def wish(self, query: documents.Query) -> Wish:
        """Return what a query asks for.

        Raises
        ------
        Refusal
            422: this model cannot do it.
        """
        region = resolve_region(query.region, trained_on=self.predictor.region)
        if region not in self.predictor.regions:
            raise Refusal(422, "no_detector", "region: this server looks for no faces; expected auto or whole")
        if query.schema_ != "native" and not self.predictor.knows_eyeglasses:
            raise Refusal(
                422, "schema_unknown_to_model",
                f"schema: {query.schema_} needs a model that knows eyeglasses, and {self.predictor.name} does not; "
                "expected native",
            )  # fmt: skip
        if query.explain and not can_explain(self.predictor.backend):
            words = f"explain: {self.predictor.name} does not say where its evidence lies; leave it out"
            raise Refusal(422, "no_explanations", words)
        return Wish(region, explain=query.explain and query.schema_ == "native")

    async def predict(self, request: Request, query: documents.Query) -> JSONResponse:
        """Answer ``POST /v1/predict``."""
        wish = self.wish(query)
        # Refused before the body is sent, where there would be no room for it anyway.
        self.engine.check_room()
        with self.shelf.place() as place:
            try:
                async with asyncio.timeout(self.settings.timeout):
                    uploads = await read_uploads(request, place, self.settings)
            except TimeoutError:
                message = f"expected the whole body within {self.settings.timeout:g} s; send less or faster"
                raise Refusal(408, "body_timeout", message) from None
            try:
                async with asyncio.timeout(self.settings.timeout):
                    outcomes = await unless_gone(request, self._judge(uploads, wish))
            except TimeoutError:
                raise busy("work_timeout", f"not done within {self.settings.timeout:g} s") from None
        self.meters.count_outcomes(outcomes)
        answer = answer_of(self.predictor, outcomes, threshold=query.threshold, schema=query.schema_)
        failure = None if is_multipart(request) else outcomes[0].failure
        return JSONResponse(answer, 200 if failure is None else STATUSES[failure.code])

    async def _judge(self, uploads: list[Upload], wish: Wish) -> list[Outcome]:
        images = [upload.data for upload in uploads if upload.data is not None]
        judged = iter(await self.engine.judge(images, wish))
        return [self._outcome(upload, judged) for upload in uploads]

    def _outcome(self, upload: Upload, judged: Any) -> Outcome:
        if upload.data is None:
            return too_large(upload.name, self.settings.max_image)
        found: Judged = next(judged)
        return Outcome(upload.name, found)


async def unless_gone(request: Request, work: Coroutine[Any, Any, list[Outcome]]) -> list[Outcome]:
    """Wait for work as long as somebody waits for its result.

    Raises
    ------
    ClientGoneError
        The connection was closed; the work is cancelled.
    """
    task = asyncio.ensure_future(work)
    gone = asyncio.ensure_future(_until_gone(request))
    try:
        await asyncio.wait({task, gone}, return_when=asyncio.FIRST_COMPLETED)
        if not task.done():
            raise ClientGoneError
        return task.result()
    finally:
        task.cancel()
        gone.cancel()
        await asyncio.gather(task, gone, return_exceptions=True)


async def _until_gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


class MetricsPage(Response):
    """Text in the form of Prometheus."""

    media_type = CONTENT_TYPE


def _guarded_routes(service: Service, facts: dict[str, Any]) -> APIRouter:
    guards = [Depends(RateGuard(service.settings.rate)), Depends(KeyGuard(service.settings.api_key))]
    router = APIRouter(dependencies=guards)

    @router.post("/v1/predict", responses=documents.predict_responses(), openapi_extra=documents.PREDICT_BODY)
    async def predict(request: Request, query: Annotated[documents.Query, Query()]) -> Response:
        """Say for each face of each image whether sunglasses are worn; say why an image cannot be read."""
        return await service.predict(request, query)

    @router.get("/v1/model", response_model=documents.ModelAnswer, responses=documents.refusals(401, 429))
    async def model() -> Response:
        """Describe the model, its figures, and what this server takes."""
        return JSONResponse(facts)

    @router.get("/metrics", responses=documents.refusals(401, 429), response_class=MetricsPage)
    async def metrics() -> Response:
        """Give counters to Prometheus."""
        return MetricsPage(service.meters.page())

    return router


def _health_routes(service: Service) -> APIRouter:
    router = APIRouter()

    @router.head("/healthz", include_in_schema=False)
    @router.get("/healthz", response_model=documents.StatusAnswer)
    async def healthz() -> Response:
        """Say that the process answers."""
        return JSONResponse({"status": "ok"})

    @router.head("/readyz", include_in_schema=False)
    @router.get("/readyz", responses=documents.refusals(503))
    async def readyz() -> documents.StatusAnswer:
        """Say whether the model is loaded and has judged an image."""
        if not service.ready:
            raise busy("not_ready", "the model is not ready")
        return documents.StatusAnswer(status="ready")

    return router
