"""Everything gafas raises on purpose.

::

    GafasError
    ├── UsageError            the request itself makes no sense (exit 2)
    ├── OutputError           the output exists, or cannot be written (exit 2)
    ├── MissingExtraError     an optional package is not installed (exit 2)
    ├── ImageError            one image cannot be read
    │   ├── NotAnImageError   its bytes are no picture in a known format
    │   └── TooManyPixelsError  it is larger than was allowed
    ├── VideoError            a film, camera or stream cannot be opened, or breaks off
    ├── DataError             a data set is missing, incomplete or wrong
    ├── WeightsError          backbone weights are missing or wrong
    ├── BundleError           a model bundle is damaged, too new or does not fit
    └── ExportError           an exported model does not agree with the trained one

A message says what, expected, got and the next step. Only ``gafas.cli`` turns these into words
on a terminal and exit codes, only ``gafas.server`` into statuses.
"""


class GafasError(Exception):
    """Base of every error that gafas raises on purpose."""


class UsageError(GafasError):
    """The request contradicts itself or asks for something that does not exist."""


class OutputError(GafasError):
    """The output exists already, or cannot be written."""


class MissingExtraError(GafasError):
    """An optional package is not installed; the message gives its install line."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs: pip install 'gafas[{extra}]'")


class ImageError(GafasError):
    """One image cannot be read as a picture."""


class NotAnImageError(ImageError):
    """The bytes are no picture in a known format."""


class TooManyPixelsError(ImageError):
    """A picture is larger than was allowed; its pixels were not decoded."""


class VideoError(GafasError):
    """A film, camera or stream cannot be opened, holds no pictures, or breaks off."""


class DataError(GafasError):
    """A data set is missing, incomplete or not what its name says."""


class WeightsError(GafasError):
    """Backbone weights are missing or do not fit the architecture."""


class BundleError(GafasError):
    """A model bundle is damaged, too new, incomplete, or does not fit."""


class ExportError(GafasError):
    """An exported model does not agree with the trained one."""
