"""Getting the CMU Face Images: the public archive, another URL, an archive or a folder; then verified.

Nothing gets its final name before every file has been compared with the manifest.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from gafas.datasets.download import OTHER_WAYS, cache_folder, download
from gafas.datasets.unpack import ENDINGS, Budget, unpack
from gafas.datasets.verify import Manifest, Progress, VerificationReport, read_manifest, verify_cmu
from gafas.errors import DataError
from gafas.files import require_free, write_folder_beside

URL = "https://archive.ics.uci.edu/static/public/124/cmu+face+images.zip"
"""Holds ``faces.tar.gz``. Licence CC BY 4.0, doi 10.24432/C5JC79."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """Where the data set is now, what was found in it, and whether it was there before."""

    path: Path
    report: VerificationReport
    already_there: bool = False


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
    downloaded = download(source, retries=retries) if _is_url(source) else None
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


def _gather(origin: Path, folder: Path, expected: Manifest) -> None:
    """Put the expected files of a folder or an archive into `folder`."""
    if origin.is_dir():
        _take(origin, folder, expected)
        return
    if not origin.is_file():
        raise DataError(f"{origin}: no such file or folder; {OTHER_WAYS}")
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
        raise DataError(f"{origin}: holds none of the {len(expected):,} expected pictures; {OTHER_WAYS}")
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
        raise DataError(f"{source}: not the complete data set: {text}; {OTHER_WAYS}") from error
