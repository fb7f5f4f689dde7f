"""Where the data is: what was given, else ``$GAFAS_DATA``, else the user's cache; and reading it."""

from __future__ import annotations

import os
from pathlib import Path

from gafas.datasets.cmu import read_cmu
from gafas.datasets.download import cache_folder
from gafas.datasets.folder import (
    LEFT_OUT,
    NEGATIVE,
    POSITIVE,
    TREE,
    Classes,
    is_tree,
    read_folder,
    read_tree,
)
from gafas.datasets.listing import BAD, list_pictures
from gafas.datasets.synthetic import Progress, cached_synthetic
from gafas.errors import DataError
from gafas.values import Dataset

ENVIRONMENT = "GAFAS_DATA"
SYNTHETIC = "synthetic"
"""The word that stands for a drawn data set where a path is asked for."""

CMU = "cmu_faces"

_WAYS = "pass --data DIR, get it with: gafas data fetch, or try without: --data synthetic"


def find_data(name: str = CMU, given: str | None = None) -> Path:
    """Return the folder of a data set.

    Parameters
    ----------
    name : str
        The folder's usual name, such as ``cmu_faces``.
    given : str, optional
        A path, which then decides; or the name of a folder in ``$GAFAS_DATA``.
        ``None``: ``$GAFAS_DATA/name``, ``$GAFAS_DATA`` itself where it is a data set, the user's cache.

    Raises
    ------
    DataError
        It is at none of these places; the message names the ways to get it.
    """
    roots = _environment()
    if given is not None:
        if given and Path(given).exists():
            return _inner(Path(given), name)
        for root in roots:
            if given and Path(given).name == given and (root / given).is_dir():
                return root / given
        raise DataError(f"{given or repr(given)}: no such file or folder; {_WAYS}")
    for root in roots:
        inner = _inner(root, name)
        if inner != root or _looks_like_data(root):
            return inner
    cached = cache_folder() / name
    if cached.is_dir():
        return cached
    looked = f"${ENVIRONMENT} ({roots[0]}) and {cached}" if roots else f"{cached}; ${ENVIRONMENT} is not set"
    raise DataError(f"{name}: not found in {looked}; {_WAYS}")


def load_dataset(
    given: str | None = None,
    *,
    skip_unknown: bool = False,
    classes: Classes | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Dataset:
    """Find and read a data set: a CMU tree, a folder of class folders, or the notebook's tree.

    Parameters
    ----------
    given : str, optional
        As for `find_data`; the word ``synthetic`` draws a data set into the user's cache, once.
    skip_unknown : bool
        In a CMU tree: leave pictures with unknown names out and list them in ``skipped``.
    classes : mapping of label to folder names, optional
        Read `given` as class folders with these names.
    seed : int
        Of the drawn data set.
    progress : callable, optional
        Called while drawing with the numbers of photographs done and in all.

    Raises
    ------
    DataError
        Missing, empty, of unknown names, or without one of the classes.
    OutputError
        The drawn data set cannot be written.
    """
    if given == SYNTHETIC and not Path(SYNTHETIC).is_dir():
        return read_cmu(cached_synthetic(seed=seed, progress=progress))
    root = find_data(CMU, given)
    if classes is not None:
        return read_folder(root, classes=classes)
    if is_tree(root):
        return read_tree(root)
    if _is_cmu(root):
        return read_cmu(root, skip_unknown=skip_unknown)
    return read_folder(root)


def _environment() -> list[Path]:
    value = os.environ.get(ENVIRONMENT)
    if not value:
        return []
    if not Path(value).is_dir():
        raise DataError(f"${ENVIRONMENT}: {value} is no folder; correct or unset it, or {_WAYS}")
    return [Path(value)]


def _inner(root: Path, name: str) -> Path:
    if any((root / folder).is_dir() for folder in POSITIVE | NEGATIVE | set(TREE.values())):
        return root
    # `faces` is what UCI's archive calls it.
    for inner in (name, "faces"):
        if (root / inner).is_dir():
            return root / inner
    return root


def _looks_like_data(root: Path) -> bool:
    if is_tree(root):
        return True
    try:
        first = {path.split("/")[0] for path in list_pictures(root)}
    except DataError:
        return False
    return bool(first & (POSITIVE | NEGATIVE)) or _is_cmu(root)


def _is_cmu(root: Path) -> bool:
    """Tell whether `root` is meant as the CMU tree: PGM files in folders that name no class."""
    pictures = list_pictures(root) if root.is_dir() else []
    first = {path.split("/")[0] for path in pictures if "/" in path}
    if first & (POSITIVE | NEGATIVE | LEFT_OUT | set(TREE.values())):
        return False
    return any(path.lower().endswith((".pgm", BAD)) for path in pictures)
