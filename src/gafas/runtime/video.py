"""Films, cameras and streams to upright frames, one at a time, in bounded memory.

Reads with PyAV (FFmpeg), which is imported when the first film is opened. A frame is what an image is everywhere in
gafas: a ``uint8`` array ``(height, width, 3)``, RGB, upright.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from gafas.errors import MissingExtraError, VideoError
from gafas.imaging import Rgb
from gafas.runtime.cameras import Address, camera_address
from gafas.runtime.sources import FilmSource

if TYPE_CHECKING:
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MAX_FRAME_PIXELS = 2**26
"""The largest frame that is decoded: 8192×8192, twice what is called 8K."""

# Containers of films; every other demuxer stays closed: some, such as playlists, open further files or addresses.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpeg,mpegts,mpegvideo,m4v,h264,hevc,av1,ivf,asf,flv,ogg,mxf,dv,mjpeg,"
    "yuv4mpegpipe,nut,rm,wtv"
)
_NETWORK = "rtsp,rtsps,rtmp,rtmps,rtp,srtp,http,https,httpproxy,tls,tcp,udp,srt,crypto"

_TIMEOUT = 10.0
"""Seconds without an answer from a camera or a stream until it counts as gone."""

_THREADS = 4
"""Of the decoder; each holds a frame of its own."""

_SHORT = 1.0
"""Seconds by which a film may end before its header says without being called cut off."""

TakePacket = Callable[["Packet[Any]"], None]


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrame:
    """One picture of a film.

    Attributes
    ----------
    number : int
        From 0; every frame that can be decoded counts, also those that are left out.
    seconds : float
        Since the beginning of the film, as its own clock says.
    image : uint8 array (height, width, 3), RGB, upright
    """

    number: int
    seconds: float
    image: Rgb


class Film:
    """An open film, camera or stream; to be used in a ``with`` block.

    Attributes
    ----------
    path : str
        As it is reported.
    live : bool
        A camera or a stream: it has no end of its own.
    read : int
        Frames decoded so far.
    seconds : float or None
        Length of a film as far as its header tells.
    """

    def __init__(self, container: InputContainer, path: str, *, live: bool) -> None:
        self.path, self.live, self.read, self.at = path, live, 0, 0.0
        self._container = container
        self._stream = self._choose()
        declared = _declared_seconds(container, self._stream)
        self.seconds = None if live else declared
        # Whether whoever sends it has gone, or crashed, looks alike; a film that is sent says how long it is.
        self._endless = live and declared is None and container.size <= 0
        start, base = self._stream.start_time, self._stream.time_base
        # A camera's clock began when the machine was started.
        self.start = float(start * base) if start is not None and base and not live else None
        self._problem: tuple[int, str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._container.close()

    def _choose(self) -> VideoStream:
        """Return the stream of pictures: not the cover of an album."""
        videos = [s for s in self._container.streams.video if not _is_cover(s)]
        if not videos:
            kinds = sorted({stream.type for stream in self._container.streams})
            raise VideoError(f"{self.path}: expected moving pictures, got {' and '.join(kinds) or 'nothing'} only")
        stream = videos[0]
        if stream.width * stream.height > MAX_FRAME_PIXELS:
            raise VideoError(_too_large(self.path, stream.width, stream.height))
        # Some codecs have a size of their own inside.
        stream.codec_context.options = {"max_pixels": str(MAX_FRAME_PIXELS)}
        stream.thread_type = "AUTO"
        stream.thread_count = min(_THREADS, os.cpu_count() or 1)
        return stream

    @property
    def rate(self) -> float:
        """Frames in a second, on average; 25 where the film does not say."""
        return float(self._stream.average_rate or self._stream.guessed_rate or 25)

    @property
    def audio(self) -> AudioStream | None:
        """The first stream of sound, of a film whose beginning is known."""
        streams = self._container.streams.audio
        return streams[0] if streams and self.start is not None else None

    def frames(self, *, every: int = 1, on_audio: TakePacket | None = None) -> Iterator[FilmFrame]:
        """Yield every `every`-th frame, the first one first.

        Damaged parts are passed over; what can still be decoded is given before the error is raised.

        Parameters
        ----------
        on_audio : callable or None
            Takes the packets of `audio`, among the frames.

        Raises
        ------
        VideoError
            After the last frame that could be had: the film is damaged, cut off, or has no frames.
        """
        for decoded in self._decode(on_audio):
            number, self.read = self.read, self.read + 1
            self.at = self._seconds(decoded, number)
            if number % every == 0:
                yield FilmFrame(number, self.at, self._upright(decoded))
        self._check_end()

    def _decode(self, on_audio: TakePacket | None) -> Iterator[VideoFrame]:
        from av import FFmpegError

        audio = self.audio if on_audio is not None else None
        packets = self._container.demux([self._stream] if audio is None else [self._stream, audio])
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                return
            except FFmpegError as error:
                self._note(error)
                yield from self._try(None)
                return
            if packet.stream.index == self._stream.index:
                yield from self._try(packet)
            elif on_audio is not None and packet.dts is not None:
                on_audio(packet)

    def _try(self, packet: Any) -> list[VideoFrame]:
        from av import FFmpegError

        try:
            # A second flush is an end of file, not an error.
            return self._stream.decode(packet)
        except EOFError:
            return []
        except FFmpegError as error:
            self._note(error)
            return []

    def _note(self, error: Any) -> None:
        if self._problem is None:
            words = "no answer in time" if type(error).__name__ == "ExitError" else error.strerror or str(error)
            self._problem = (self.read, words)

    def _seconds(self, decoded: VideoFrame, number: int) -> float:
        if decoded.pts is None or decoded.time_base is None:
            return number / self.rate
        at = float(decoded.pts * decoded.time_base)
        if self.start is None:
            self.start = at
        return max(0.0, at - self.start)

    def _upright(self, decoded: VideoFrame) -> Rgb:
        if decoded.width * decoded.height > MAX_FRAME_PIXELS:
            raise VideoError(_too_large(self.path, decoded.width, decoded.height))
        pixels = np.asarray(decoded.to_ndarray(format="rgb24"), dtype=np.uint8)
        # FFmpeg gives the turn that is to be made, counter-clockwise in degrees.
        return np.ascontiguousarray(np.rot90(pixels, round(decoded.rotation / 90)))

    def _check_end(self) -> None:
        if self._problem is not None:
            number, reason = self._problem
            what = "broken off" if self.live else "damaged"
            where = f"{what} after frame {number - 1}" if number else f"{what} before its first frame"
            raise VideoError(f"{self.path}: {where}: {reason}; {self.read} frames could be read")
        if self.read == 0:
            raise VideoError(f"{self.path}: expected moving pictures, got a film with 0 frames")
        if self._endless:
            raise VideoError(
                f"{self.path}: ended after frame {self.read - 1}, at {self.at:.2f} s: it has no end of its own, so its "
                "sender stopped or was cut off; start again, or set --max-seconds"
            )
        if self.seconds is not None and self.at + 1 / self.rate < self.seconds - _SHORT:
            raise VideoError(
                f"{self.path}: cut off after frame {self.read - 1}: ends at {self.at:.2f} s, "
                f"expected {self.seconds:.2f} s as its header says; copy it again"
            )


def open_film(film: FilmSource) -> Film:
    """Open what `gafas.runtime.sources.find_films` gave.

    Raises
    ------
    MissingExtraError
        PyAV is not installed.
    VideoError
        It cannot be opened, is no film, or its frames are too large.
    """
    source = film.source
    if source.problem is not None:
        raise VideoError(source.problem)
    try:
        import av
    except ImportError as error:
        raise MissingExtraError("a film, camera or stream", "video") from error
    place = _address(film)
    live = film.kind != "file"
    try:
        container = av.open(place.file, format=place.format, options=place.options, timeout=_TIMEOUT if live else None)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise VideoError(_why_closed(film, place, error)) from error
    try:
        return Film(container, source.path, live=live)
    except BaseException:
        container.close()
        raise


def _address(film: FilmSource) -> Address:
    if film.kind == "camera":
        return camera_address(film.address)
    if film.kind == "stream":
        return Address(film.address, options={"protocol_whitelist": _NETWORK})
    # Named outright, so that no file's name is taken for an address, and none leads to the network.
    return Address(f"file:{film.address}", options={"protocol_whitelist": "file", "format_whitelist": _CONTAINERS})


def _why_closed(film: FilmSource, place: Address, error: Exception) -> str:
    path = film.source.path
    # The address may hold a password.
    words = (getattr(error, "strerror", None) or str(error)).replace(film.address, path)
    if film.kind == "camera":
        return f"camera {path}: cannot be opened ({place.file}): {words}; is it plugged in, allowed and not in use?"
    if film.kind == "stream":
        return f"{path}: cannot be opened: {words}; is the address right and within reach?"
    if Path(path).is_file() and Path(path).stat().st_size == 0:
        return f"{path}: the file is empty (0 bytes)"
    if isinstance(error, PermissionError):
        return f"{path}: cannot be read: {words}"
    return f"{path}: not a film in a known form, or its beginning or end is missing: {words}"


def _too_large(path: str, width: int, height: int) -> str:
    return f"{path}: frames of {width}×{height} pixels, expected at most {MAX_FRAME_PIXELS:,}; make them smaller"


def _is_cover(stream: VideoStream) -> bool:
    from av.stream import Disposition

    return bool(stream.disposition & Disposition.attached_pic)


def _declared_seconds(container: InputContainer, stream: VideoStream) -> float | None:
    """Return how long the pictures should last; ``None`` where no header says so."""
    rate = stream.average_rate
    if "avi" in container.format.name and stream.frames and rate:
        # FFmpeg corrects the duration of AVI files by their size.
        return float(stream.frames / rate)
    if stream.duration is not None and stream.time_base:
        return float(stream.duration * stream.time_base)
    tag = re.fullmatch(r"(\d+):(\d+):(\d+(?:\.\d+)?)", stream.metadata.get("DURATION", ""))
    if tag is not None:
        hours, minutes, seconds = map(float, tag.groups())
        return 3600 * hours + 60 * minutes + seconds
    alone = len(container.streams) == 1
    return container.duration / 1_000_000 if alone and container.duration else None
