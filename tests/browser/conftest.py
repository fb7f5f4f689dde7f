"""A real server with the shipped model, and a real browser that must not complain."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.pictures import write_pictures, write_video

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

KEY = "correct horse"

WAIT = 60_000
"""Milliseconds for what a test waits for: a busy machine may take that long."""


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Drawn pictures; see `write_pictures`."""
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@contextmanager
def serving(*words: str, key: str | None = None) -> Iterator[str]:
    """Run ``gafas serve`` on a free port; gives its address."""
    environment = {name: value for name, value in os.environ.items() if name not in ("GAFAS_API_KEY", "GAFAS_MODEL")}
    if key is not None:
        environment["GAFAS_API_KEY"] = key
    command = [sys.executable, "-m", "gafas", "serve", "--port", "0", "--threads", "1", *words]
    # Into a file: nobody reads the log, and a full pipe would stop the server.
    with TemporaryDirectory() as folder, Path(folder, "log").open("w+", encoding="utf-8") as log:
        process = subprocess.Popen(command, stderr=log, env=environment)
        try:
            yield _address(process, Path(log.name))
        finally:
            process.terminate()
            process.wait(30)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    while True:
        ended = process.poll() is not None
        said = log.read_text(encoding="utf-8")
        if found := re.search(r"at (http://\S+)", said):
            return found[1]
        assert not ended, f"gafas serve did not start: {said}"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a server that takes pictures of 1 MB and 2 megapixels."""
    pytest.importorskip("fastapi", reason="the serve extra is not installed")
    with serving("--max-image", "1", "--max-megapixels", "2", "--rate", "0") as address:
        yield address


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Chromium, whose camera shows a drawn person with sunglasses.

    For one file only: Playwright's event loop runs as long as it does, and asynchronous tests need one of their own.
    """
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: apt-get install chromium")
    video = write_video(tmp_path_factory.mktemp("camera") / "face.mjpeg")
    flags = ["--no-sandbox", "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={video}"]
    sync_api.expect.set_options(timeout=WAIT)
    with sync_api.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield chromium
        chromium.close()


class Pages:
    """Opens pages, and hears what they complain of."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.complaints: list[str] = []
        self.allowed: list[str] = []
        """Parts of complaints that the test provokes."""

    def open(self, address: str, **options: Any) -> Page:
        """Open a page in a context of its own: nothing is remembered from other tests."""
        context = self._browser.new_context(
            **{"locale": "en-GB", "viewport": {"width": 1200, "height": 900}, **options}
        )
        self._contexts.append(context)
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._hear)
        page.goto(address)
        page.get_by_role("heading", level=1).wait_for()
        return page

    def close(self) -> None:
        """Close everything, and fail where a page complained."""
        for context in self._contexts:
            context.close()
        left = [text for text in self.complaints if not any(part in text for part in self.allowed)]
        assert not left, left

    def _hear(self, message: ConsoleMessage) -> None:
        # Refusals by the Content-Security-Policy come as errors too.
        if message.type in ("error", "warning"):
            self.complaints.append(message.text)


@pytest.fixture
def pages(browser: Browser) -> Iterator[Pages]:
    """Opens pages. A JavaScript error or a refusal by the Content-Security-Policy fails the test."""
    opened = Pages(browser)
    yield opened
    opened.close()


@pytest.fixture
def page(pages: Pages, server: str) -> Page:
    """The page, just opened, in English."""
    return pages.open(server)


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where screenshots go: $GAFAS_SCREENSHOTS, else pytest's temporary folder."""
    named = os.environ.get("GAFAS_SCREENSHOTS")
    folder = Path(named) if named else tmp_path_factory.mktemp("screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
