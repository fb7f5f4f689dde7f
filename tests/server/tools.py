"""Predictors that need no model, pictures of given brightness, and a client inside the process."""

from __future__ import annotations

import io
import threading
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np
from fastapi import FastAPI
from PIL import Image

from gafas.imaging import Rgb, encode
from gafas.runtime.backends import Evidence, Probabilities
from gafas.runtime.predictor import Predictor
from gafas.server.app import create_app
from gafas.server.settings import Settings
from gafas.values import FaceBox


@dataclass
class Darkness:
    """P(sunglasses) is darkness, P(eyeglasses) a tenth; notes the batches, and waits while `go` is not set."""

    outputs: int = 2
    input_size: tuple[int, int] = (8, 8)
    batches: list[int] = field(default_factory=list)
    go: threading.Event = field(default_factory=threading.Event)
    fails: bool = False

    explains: bool = False

    def __post_init__(self) -> None:
        self.go.set()

    def evidence(self, images: Rgb) -> Evidence:
        """The left half speaks for sunglasses, the right half, half as strongly, against."""
        assert self.explains
        left, right = np.ones((len(images), 2, 1, 2)), np.full((len(images), 2, 1, 2), -0.5)
        return np.concatenate([left, right], axis=2).astype(np.float32)

    def probabilities(self, images: Rgb) -> Probabilities:
        self.batches.append(len(images))
        assert self.go.wait(30)
        if self.fails:
            raise RuntimeError("the graph broke on secret.jpg")
        dark = 1 - images.reshape(len(images), -1).mean(axis=1) / 255
        return np.stack([dark, 0.1 * dark], axis=1)[:, : self.outputs].astype(np.float32)


class Halves:
    """Finds two faces in pictures wider than high, none in others."""

    def detect(self, image: Rgb) -> tuple[FaceBox, ...]:
        height, width = image.shape[:2]
        if width <= height:
            return ()
        marks = ((1.0, 1.0),) * 5
        return (FaceBox(0, 0, width // 2, height, 0.9, marks), FaceBox(width // 2, 0, width, height, 0.8, marks))


def make_predictor(backend: Darkness | None = None, *, detector: bool = True, outputs: int = 2) -> Predictor:
    backend = backend or Darkness(outputs=outputs)
    return Predictor(
        backend,
        threshold=0.6,
        eyeglasses_threshold=0.7 if outputs == 2 else None,
        outputs=("sunglasses", "eyeglasses")[:outputs],
        region="face" if detector else "whole",
        detector=Halves() if detector else None,
        name="darkness",
    )


def picture(brightness: int = 10, size: tuple[int, int] = (20, 10), suffix: str = ".png") -> bytes:
    return encode(np.full((*size, 3), brightness, np.uint8), suffix)


def bomb(width: int, height: int) -> bytes:
    """A PNG whose header says much and whose few bytes hold nothing."""
    buffer = io.BytesIO()
    Image.new("1", (1, 1)).save(buffer, "PNG")
    data = bytearray(buffer.getvalue())
    data[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    data[29:33] = zlib.crc32(data[12:29]).to_bytes(4, "big")
    return bytes(data)


@asynccontextmanager
async def client_of(app: FastAPI, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client inside the process; the app is opened and closed as a server would."""
    transport = httpx.ASGITransport(app, **options)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        yield client


@asynccontextmanager
async def serving(predictor: Predictor | None = None, **settings: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app of these settings; no rate limit unless asked for."""
    app = create_app(predictor or make_predictor(), settings=Settings(**{"rate": 0, **settings}))
    async with client_of(app) as client:
        yield client


def files(*images: tuple[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    return [("files", image) for image in images]
