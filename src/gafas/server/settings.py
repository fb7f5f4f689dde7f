"""What a server allows. Frozen, and safe to print: the key is left out."""

from __future__ import annotations

from dataclasses import dataclass, field

from gafas.errors import UsageError

MEGABYTE = 2**20


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Limits and doors of a server.

    Attributes
    ----------
    max_body : int
        Bytes of a request's body.
    max_image : int
        Bytes of one image.
    max_pixels : int
        Pixels of one image, read from its header before anything is decoded.
    max_files : int
        Images of one request.
    queue : int
        Images of all requests that wait or are worked on.
    memory : int
        Bytes of all bodies that are held at the same time.
    pixel_memory : int
        Bytes for pictures that are decoded at the same time; a single larger one goes alone.
    timeout : float
        Seconds that a request may take: its body, and then the work on it, each.
    rate : int
        Requests a minute from one address; 0 is no limit.
    threads : int
        Images worked on at the same time.
    api_key : str or None
        What callers must present; ``None`` lets everybody in.
    cors : tuple of str
        Origins whose pages may call, or ``*``.

    Raises
    ------
    UsageError
        A limit is out of range, or one makes another impossible.
    """

    max_body: int = 32 * MEGABYTE
    max_image: int = 16 * MEGABYTE
    max_pixels: int = 50_000_000
    max_files: int = 16
    queue: int = 64
    memory: int = 256 * MEGABYTE
    pixel_memory: int = 512 * MEGABYTE
    timeout: float = 30.0
    rate: int = 600
    threads: int = 1
    api_key: str | None = field(default=None, repr=False)
    cors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("max_body", "max_image", "max_pixels", "max_files", "queue", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}: expected at least 1, got {getattr(self, name)}")
        if self.timeout <= 0 or self.rate < 0:
            raise UsageError(f"expected a timeout above 0 and a rate of 0 or more, got {self.timeout}, {self.rate}")
        if self.max_files > self.queue:
            raise UsageError(f"expected a queue for the images of one request ({self.max_files}), got {self.queue}")
        if self.max_body > self.memory:
            raise UsageError(f"expected memory for one body ({self.max_body} bytes), got {self.memory}")
