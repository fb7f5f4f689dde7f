"""Cameras by their number: what FFmpeg calls them on each system. Opens nothing but Windows' list of cameras.

Source: FFmpeg Devices Documentation, sections v4l2, avfoundation and dshow.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from gafas.errors import VideoError


@dataclass(frozen=True, slots=True)
class Address:
    """What `av.open` needs for a source.

    Attributes
    ----------
    file : str
        Name of a device, a file with its protocol, or a stream's address.
    format : str or None
        The device's kind; ``None`` lets FFmpeg see for itself.
    options : dict of str
        For the demuxer.
    """

    file: str
    format: str | None = None
    options: dict[str, str] = field(default_factory=dict)


def camera_address(word: str, *, platform: str = sys.platform) -> Address:
    """Return the address of a camera.

    Parameters
    ----------
    word : str
        Its number from 0, or on Linux its device, such as ``/dev/video0``.

    Raises
    ------
    VideoError
        There is no camera of that number (Windows), or numbers of cameras mean nothing on this system.
    """
    if platform.startswith("linux"):
        return Address(word if word.startswith("/") else f"/dev/video{word}", "v4l2")
    if word.startswith("/"):
        raise VideoError(f"{word}: expected a camera's number on this system, such as 0")
    if platform == "darwin":
        # Without it FFmpeg asks for 29.97 frames a second, which Apple's cameras refuse. No microphone.
        return Address(f"{word}:none", "avfoundation", {"framerate": "30"})
    if platform == "win32":
        names = _windows_cameras()
        if int(word) >= len(names):
            raise VideoError(f"camera {word}: expected one of {len(names)} cameras, counted from 0; is it plugged in?")
        return Address(f"video={names[int(word)]}", "dshow")
    raise VideoError(f"camera {word}: cameras are known on Linux, macOS and Windows, got {platform}")


def _windows_cameras() -> list[str]:
    import av

    try:
        found = av.enumerate_input_devices("dshow")
    except (av.FFmpegError, ValueError) as error:
        raise VideoError(f"cameras cannot be listed: {error}") from error
    return [device.name for device in found if "video" in device.media_types]
