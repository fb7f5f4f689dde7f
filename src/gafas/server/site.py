"""The web page: files of this package, with the types that browsers insist on, always checked for a newer one."""

from __future__ import annotations

import os
from pathlib import Path

from fastapi import FastAPI, Request
from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

STATIC = Path(__file__).parent / "static"

# Python asks the system, and a slim one has no list: with nosniff a wrong type is a page that does not work.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}


class _Files(StaticFiles):
    """Static files; a browser keeps them, and asks each time whether they have changed (ETag)."""

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers["Cache-Control"] = "no-cache"
        kind = _TYPES.get(Path(full_path).suffix)
        # A 304 has no content.
        if kind is not None and isinstance(response, FileResponse):
            response.headers["Content-Type"] = kind
        return response


def add_site(app: FastAPI, folder: Path = STATIC) -> None:
    """Serve the page at ``/`` and its files below ``/static/``."""
    files = _Files(directory=folder)
    app.mount("/static", files, name="static")
    page = _Files(directory=folder)

    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def index(request: Request) -> Response:
        return await page.get_response("index.html", request.scope)
