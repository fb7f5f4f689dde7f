"""Why a request is not served, in one shape: ``{"error": {"code", "message"}}``."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

_BUSY = {"Retry-After": "1"}


class Refusal(Exception):  # noqa: N818  # a refusal is an answer, not a fault
    """A request that gets an error as its answer.

    Attributes
    ----------
    status : int
        HTTP's.
    code : str
        For programs; one word.
    message : str
        For people: what, expected, got, next step. Never holds what the client sent but for numbers and options.
    """

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message
        self.headers = dict(headers or {})


class ClientGoneError(Exception):
    """The client has closed the connection: nobody waits for the answer."""


def busy(code: str, message: str) -> Refusal:
    """Return the refusal of a server that has too much to do at the moment."""
    return Refusal(503, code, f"{message}; try again in a second", headers=_BUSY)


def error_response(refusal: Refusal) -> JSONResponse:
    """Return the answer."""
    body = {"error": {"code": refusal.code, "message": refusal.message}}
    return JSONResponse(body, refusal.status, headers=refusal.headers)


def add_handlers(app: FastAPI) -> None:
    """Give every error of an app the same shape, also those of FastAPI and Starlette."""

    @app.exception_handler(Refusal)
    async def refused(_: Request, error: Refusal) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        words = "; ".join(_validation_words(problem) for problem in error.errors())
        return error_response(Refusal(422, "invalid_parameter", words))

    @app.exception_handler(HTTPException)
    async def failed(_: Request, error: HTTPException) -> JSONResponse:
        phrase = HTTPStatus(error.status_code).phrase
        code = phrase.lower().replace(" ", "_")
        return error_response(Refusal(error.status_code, code, f"{phrase}; see /openapi.json", headers=error.headers))

    @app.exception_handler(ClientGoneError)
    async def gone(_: Request, __: ClientGoneError) -> JSONResponse:
        # Nobody reads it; the number, which nginx made known for this case, is for logs and metrics.
        return error_response(Refusal(499, "client_gone", "the client closed the connection"))


def _validation_words(problem: Mapping[str, object]) -> str:
    place = problem.get("loc")
    name = place[-1] if isinstance(place, tuple) and place else "request"
    return f"{name}: {problem.get('msg')}"
