"""One archive from a server into the user's cache: http or https, tried again, never longer than can be unpacked."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from gafas.datasets.unpack import MAX_BYTES
from gafas.errors import DataError, OutputError

OTHER_WAYS = "pass --from with a folder, an archive or another URL"

_TIMEOUT = 60
"""Seconds without a byte after which a server is given up."""


def cache_folder() -> Path:
    """Return the user's cache folder for data sets; it need not exist."""
    return user_cache_path("gafas") / "data"


def download(url: str, *, retries: int) -> Path:
    """Return the downloaded file, from pooch's cache where it is there already.

    Raises
    ------
    DataError
        The server cannot be reached, refuses, breaks off, or sends more than `MAX_BYTES`.
    OutputError
        The cache cannot be written.
    """
    import pooch  # slow to import, and most commands never download
    import requests

    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{url}: expected http:// or https://; {OTHER_WAYS}")
    # The hash keeps two addresses with the same last part from one cache entry.
    last = re.sub(r"[^A-Za-z0-9._-]", "-", PurePosixPath(urlsplit(url).path).name) or "download"
    name = f"{hashlib.sha256(url.encode()).hexdigest()[:12]}-{last}"
    downloads = pooch.create(
        path=cache_folder() / "downloads",
        base_url="",
        registry={name: None},  # the pixels are verified, so the archive may be packed anew
        urls={name: url},
        retry_if_failed=retries,
    )
    try:
        return Path(downloads.fetch(name, downloader=_transfer))
    except requests.HTTPError as error:
        # requests puts the URL behind the status.
        status = str(error).partition(" for url")[0]
        raise DataError(f"{url}: the server answers {status}; {OTHER_WAYS}") from error
    except requests.RequestException as error:
        raise DataError(f"{url}: cannot be downloaded: {_short(error)}; {OTHER_WAYS}") from error
    except ValueError as error:
        raise DataError(f"{url}: cannot be downloaded: {error}; {OTHER_WAYS}") from error
    except OSError as error:
        raise OutputError(f"{downloads.path}: cannot be written: {error.strerror or error}") from error


def _transfer(url: str, *places: Any) -> None:
    """Download once, as pooch asks for it, with a bar that also counts."""
    import pooch
    from tqdm import tqdm

    class Bar(tqdm):  # type: ignore[misc]
        """Ends a transfer that is longer than any archive that could be unpacked."""

        def __bool__(self) -> bool:
            return True  # pooch asks whether there is a bar

        def update(self, n: float | None = 1) -> bool | None:
            if self.n + (n or 0) > MAX_BYTES:
                raise DataError(f"{url}: sends more than {MAX_BYTES:,} bytes; this is not the data set; {OTHER_WAYS}")
            drawn: bool | None = super().update(n)
            return drawn

    answers: list[Any] = []
    # Nothing is drawn before something arrives.
    with Bar(ncols=79, unit="B", unit_scale=True, delay=0.1) as bar:
        try:
            keep = {"response": lambda answer, **_: answers.append(answer)}
            pooch.HTTPDownloader(progressbar=bar, timeout=_TIMEOUT, hooks=keep)(url, *places)
        finally:
            # Nobody reads the body of a refusal, or what comes after too much; pooch does not close them.
            for answer in answers:
                answer.close()


def _short(error: BaseException) -> str:
    # requests wraps urllib3 wraps the socket; the innermost says it in the fewest words.
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
