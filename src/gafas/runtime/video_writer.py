"""Annotated frames to a film: H.264 where this PyAV can write it, with the film's own times and its sound.

The file takes its name when it is finished; until then it lies beside, so that no broken film bears the name.
"""

from __future__ import annotations

from collections import deque
from contextlib import ExitStack, suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import numpy as np

from gafas.errors import OutputError
from gafas.files import write_beside
from gafas.imaging import Rgb
from gafas.runtime.video import Film

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import OutputContainer
    from av.packet import Packet
    from av.video.stream import VideoStream

CONTAINERS = frozenset({".mp4", ".m4v", ".mov", ".mkv"})
"""Endings that are kept; a film of any other becomes an ``.mp4``."""

_CLOCK = Fraction(1, 60_000)
"""Of the frames' times: exact for 24, 25, 30, 50, 60 and 29.97 frames a second; MPEG-4 bears no finer than 1/65,535."""

_BT709 = 1
"""FFmpeg's number of the colours of high definition, which players expect."""

_HELD = 2000
"""Packets of sound that may come before the first frame."""

_BITS = 0.2
"""For each pixel, where the encoder has no measure of quality."""


def film_name(path: Path) -> Path:
    """Return the name of a film's annotated copy: its own, or ending in ``.mp4``."""
    return path if path.suffix.lower() in CONTAINERS else path.with_suffix(".mp4")


class FilmWriter:
    """Writes one film; to be used in a ``with`` block, whose good end gives the file its name.

    Without any frame there is no file.

    Parameters
    ----------
    path : Path
        Its ending is one of `CONTAINERS`.
    film : Film
        Whose frame rate and sound are taken.
    """

    def __init__(self, path: Path, film: Film) -> None:
        self.path = path
        self._film = film
        self._stack = ExitStack()
        self._container: OutputContainer | None = None
        self._video: VideoStream | None = None
        self._audio: AudioStream | None = None
        self._early: deque[Packet[AudioStream]] = deque(maxlen=_HELD)
        self._last = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Also a film that cannot be finished leaves no file behind.
        with self._stack:
            if error is not None:
                self._abandon()
                self._stack.__exit__(kind, error, trace)
            else:
                self._finish()

    def write(self, image: Rgb, seconds: float) -> None:
        """Add a frame.

        Parameters
        ----------
        image : uint8 array (height, width, 3), RGB
            The first one settles the film's size; others are stretched to it.
        seconds : float
            Since the beginning of the film.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        from av import FFmpegError, VideoFrame

        try:
            if self._video is None or self._container is None:
                self._container, self._video = self._open(image)
            frame = VideoFrame.from_ndarray(_even(image), format="rgb24").reformat(
                self._video.width, self._video.height, "yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG"
            )
            # Two frames at the same time cannot be written.
            self._last = max(self._last + 1, round(seconds / _CLOCK))
            frame.pts, frame.time_base = self._last, _CLOCK
            self._container.mux(self._video.encode(frame))
            while self._early:
                self.take_audio(self._early.popleft())
        except FFmpegError as error:
            raise OutputError(f"{self.path}: not written: {error.strerror or error}") from error

    def take_audio(self, packet: Packet[AudioStream]) -> None:
        """Copy a packet of the film's sound, as far as the container can hold it."""
        if self._container is None:
            self._early.append(packet)
        elif self._audio is not None and packet.time_base:
            shift = round((self._film.start or 0) / packet.time_base)
            packet.pts = None if packet.pts is None else packet.pts - shift
            packet.dts = None if packet.dts is None else packet.dts - shift
            packet.stream = self._audio
            self._container.mux(packet)

    def _open(self, image: Rgb) -> tuple[OutputContainer, VideoStream]:
        import av

        temporary = self._stack.enter_context(write_beside(self.path))
        container = av.open(str(temporary), "w")
        self._container = container
        height, width = _even(image).shape[:2]
        name = _encoder()
        rate = Fraction(self._film.rate).limit_denominator(1001)
        video: VideoStream = container.add_stream(  # type: ignore[assignment]  # a video encoder's is one
            name, rate=rate, options={"crf": "20", "preset": "veryfast"} if name != "mpeg4" else {}
        )
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        context = video.codec_context
        context.time_base = _CLOCK
        context.colorspace = context.color_primaries = context.color_trc = _BT709
        if name == "mpeg4":
            context.bit_rate = int(max(500_000, _BITS * width * height * self._film.rate))
        sound = self._film.audio
        if sound is not None and sound.codec_context.name in container.supported_codecs:
            self._audio = container.add_stream_from_template(sound)
        return container, video

    def _finish(self) -> None:
        from av import FFmpegError

        if self._container is None or self._video is None:
            return
        try:
            self._container.mux(self._video.encode(None))
            self._container.close()
        except FFmpegError as error:
            self._abandon()
            raise OutputError(f"{self.path}: not written: {error.strerror or error}") from error

    def _abandon(self) -> None:
        from av import FFmpegError

        if self._container is not None:
            with suppress(FFmpegError, OSError):
                self._container.close()


def _encoder() -> str:
    import av
    from av.codec.codec import UnknownCodecError

    try:
        av.Codec("libx264", "w")
    except UnknownCodecError:
        return "mpeg4"
    return "libx264"


def _even(image: Rgb) -> Rgb:
    """Return an image of even sides, as halved colours need them: the last row or column is repeated."""
    height, width = image.shape[:2]
    if height % 2 == 0 and width % 2 == 0:
        return np.ascontiguousarray(image)
    return np.pad(image, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
