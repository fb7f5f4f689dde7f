"""Getting the CMU Face Images: the public archive, another URL, an archive or a folder; then verified.

Nothing gets its final name before every file has been compared with the manifest.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from platformdirs import user_cache_path

from gafas.datasets.unpack import ENDINGS, Budget, unpack
from gafas.datasets.verify import Manifest, Progress, VerificationReport, read_manifest, verify_cmu
from gafas.errors import DataError, OutputError
from gafas.files import require_free, write_folder_beside

URL = "https://archive.ics.uci.edu/static/public/124/cmu+face+images.zip"
"""Holds ``faces.tar.gz``. Licence CC BY 4.0, doi 10.24432/C5JC79."""

_OTHER_WAYS = "pass --from with a folder, an archive or another URL"


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where the data set is now, what was found in it, and whether it was there before."""

    path: Path
    report: VerificationReport
    already_there: bool = False


def cache_folder() -> Path:
    """Return the user's cache folder for data sets; it need not exist."""
    return user_cache_path("gafas") / "data"


def fetch_cmu(
    output: Path | None = None,
    *,
    source: str | None = None,
    overwrite: bool = False,
    manifest: Manifest | None = None,
    progress: Progress | None = None,
    retries: int = 3,
) -> Fetched:
    """Get the CMU Face Images to `output`, complete and verified, or leave everything as it was.

    Parameters
    ----------
    output : Path, optional
        The folder that will hold one folder per person. ``None``: ``cmu_faces`` in the user's cache.
    source : str, optional
        A folder, an archive (zip, tar, tar.gz; also a zip that nests a tar) or a URL. ``None``: the
        public archive.
    overwrite : bool
        Replace what is at `output`. Without it, a complete data set there is left and reported.
    manifest : Manifest, optional
        What to expect; ``None``: the CMU Face Images.
    progress : callable, optional
        Called while verifying with the numbers of files done and in all. Downloads have pooch's bar.
    retries : int
        How often a failed download is tried again.

    Raises
    ------
    DataError
        The source cannot be had, is damaged, unsafe or not the data set.
    OutputError
        `output` holds something else and `overwrite` is false, or it cannot be written.
    """
    expected = read_manifest() if manifest is None else manifest
    output = cache_folder() / "cmu_faces" if output is None else output
    if not overwrite and (there := _already_there(output, expected, progress)):
        return there
    require_free(output, overwrite=overwrite)
    source = URL if source is None else source
    downloaded = _download(source, retries=retries) if _is_url(source) else None
    origin = Path(source) if downloaded is None else downloaded
    try:
        with write_folder_beside(output, overwrite=overwrite) as folder:
            _gather(origin, folder, expected)
            report = verify_cmu(folder, manifest=expected, progress=progress)
            _require(report, source)
    except DataError as error:
        if downloaded is None:
            raise
        # What a server sent wrong must not be taken from the cache the next time.
        downloaded.unlink(missing_ok=True)
        raise DataError(str(error).replace(str(downloaded), source)) from error
    return Fetched(output, report)


def _already_there(output: Path, expected: Manifest, progress: Progress | None) -> Fetched | None:
    with suppress(DataError):
        report = verify_cmu(output, manifest=expected, progress=progress)
        if not report.problems:
            return Fetched(output, report, already_there=True)
    return None


def _is_url(source: str) -> bool:
    return "://" in source


def _download(url: str, *, retries: int) -> Path:
    """Return the downloaded file, from pooch's cache where it is there already."""
    import pooch  # slow to import, and most commands never download
    import requests

    if urlsplit(url).scheme not in ("http", "https"):
        raise DataError(f"{url}: expected http:// or https://; {_OTHER_WAYS}")
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
    downloader = pooch.HTTPDownloader(progressbar=True, timeout=60, hooks={"response": _close_refusal})
    try:
        return Path(downloads.fetch(name, downloader=downloader))
    except requests.HTTPError as error:
        # requests puts the URL behind the status.
        status = str(error).partition(" for url")[0]
        raise DataError(f"{url}: the server answers {status}; {_OTHER_WAYS}") from error
    except requests.RequestException as error:
        raise DataError(f"{url}: cannot be downloaded: {_short(error)}; {_OTHER_WAYS}") from error
    except ValueError as error:
        raise DataError(f"{url}: cannot be downloaded: {error}; {_OTHER_WAYS}") from error
    except OSError as error:
        raise OutputError(f"{downloads.path}: cannot be written: {error.strerror or error}") from error


def _close_refusal(response: Any, **_: Any) -> None:
    # Nobody reads the body of a refusal, and pooch does not close it.
    if response.status_code >= 400:
        response.close()


def _short(error: BaseException) -> str:
    # requests wraps urllib3 wraps the socket; the innermost says it in the fewest words.
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__


def _gather(origin: Path, folder: Path, expected: Manifest) -> None:
    """Put the expected files of a folder or an archive into `folder`."""
    if origin.is_dir():
        _take(origin, folder, expected)
        return
    if not origin.is_file():
        raise DataError(f"{origin}: no such file or folder; {_OTHER_WAYS}")
    unpacked = folder / ".unpacked"
    budget = Budget()
    _read(origin, lambda: unpack(origin, unpacked / "0", budget=budget))
    # UCI's archive nests a tar inside the zip: unpack twice.
    nested = sorted(p for p in unpacked.rglob("*") if p.is_file() and p.name.lower().endswith(ENDINGS))
    for number, archive in enumerate(nested, start=1):
        try:
            unpack(archive, unpacked / str(number), budget=budget)
        except DataError as error:
            raise DataError(f"{origin}: in it, {str(error).removeprefix(f'{unpacked}/0/')}") from error
    try:
        _take(unpacked, folder, expected)
    except DataError as error:
        raise DataError(str(error).replace(str(unpacked), str(origin))) from error
    shutil.rmtree(unpacked)


def _read(origin: Path, act: Callable[[], None]) -> None:
    # An origin that cannot be read is bad data, not a bad output.
    try:
        with origin.open("rb"):
            pass
    except OSError as error:
        raise DataError(f"{origin}: cannot be read: {error.strerror or error}") from error
    act()


def _take(origin: Path, folder: Path, expected: Manifest) -> None:
    root = _find_root(origin, expected)
    if root is None:
        raise DataError(f"{origin}: holds none of the {len(expected):,} expected pictures; {_OTHER_WAYS}")
    for path in expected:
        try:
            data = (root / path).read_bytes()
        except FileNotFoundError:
            continue  # verification lists it
        except OSError as error:
            raise DataError(f"{root / path}: cannot be read: {error.strerror or error}") from error
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)


def _find_root(origin: Path, expected: Manifest) -> Path | None:
    """Return the folder at or below `origin` that has the most of the expected files."""
    folders = [origin, *sorted(path for path in origin.rglob("*") if path.is_dir())]
    persons = {path.split("/")[0] for path in expected}
    scores = {
        folder: sum((folder / path).is_file() for path in expected)
        for folder in folders
        if any((folder / person).is_dir() for person in persons)
    }
    best = max(scores, key=lambda folder: scores[folder], default=None)
    return best if best is not None and scores[best] else None


def _require(report: VerificationReport, source: str) -> None:
    try:
        report.require()
    except DataError as error:
        # The report speaks of the temporary folder, the user of the source.
        text = str(error).replace(f"{report.root}: ", "", 1).rpartition("; get it again")[0]
        raise DataError(f"{source}: not the complete data set: {text}; {_OTHER_WAYS}") from error
