"""What a camera is called, and its frames: cameras of this machine by OpenCV, streams by PyAV."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

import numpy as np

from fer_web.errors import CameraError, InvalidValueError
from fer_web.vision.types import Frame

SCHEMES: Final = ("rtsp", "rtsps", "http", "https", "rtmp", "rtmps", "udp", "tcp", "srt")
_PROTOCOLS: Final = "http,https,httpproxy,tcp,tls,udp,rtp,srtp,rtsp,rtmp,rtmps,rtmpt,hls,crypto,srt"
"""What FFmpeg may open. Not files: a playlist from elsewhere could name those of this machine."""

_DEVICE: Final = re.compile(r"\d{1,3}|/dev/video\d{1,3}")


@dataclass(frozen=True)
class CameraSource:
    """A camera of this machine (`is_device`) or an address. `shown` may be told: it has no password."""

    name: str
    shown: str
    is_device: bool


def parse_source(text: str) -> CameraSource:
    """Read a camera's number, device or address. Raises InvalidValueError: it is none."""
    name = text.strip()
    if _DEVICE.fullmatch(name):
        return CameraSource(name, name, is_device=True)
    try:
        parts = urlsplit(name)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme.lower() not in SCHEMES or not host:
        schemes = ", ".join(f"{each}://" for each in SCHEMES)
        raise InvalidValueError(
            f"{name.rpartition('@')[2]!r:.100} is no camera. Give its number such as 0, its device such as "
            f"/dev/video0, or its address: {schemes}."
        )
    host = f"[{host}]" if ":" in host else host
    place = f"{host}:{port}" if port else host
    return CameraSource(name, urlunsplit((parts.scheme, place, parts.path, "", "")), is_device=False)


def open_frames(source: CameraSource, timeout_s: float, max_pixels: int) -> Iterator[Frame]:
    """Frames as they come, uint8 (H, W, 3) in OpenCV's colour order; closes the source when it is closed.

    Args: timeout_s: for the connection, and for each frame.
    Raises: CameraError: it cannot be opened, ended, broke off, or sent nothing for so long.
    """
    return (
        _device_frames(source, max_pixels)
        if source.is_device
        else _stream_frames(source, timeout_s, max_pixels)
    )


def _device_frames(source: CameraSource, max_pixels: int) -> Iterator[Frame]:
    import cv2

    capture = cv2.VideoCapture(int(source.name) if source.name.isdecimal() else source.name)
    try:
        if not capture.isOpened():
            raise CameraError(
                f"{source.shown} cannot be opened: there is no such camera, another program has it, or you "
                "may not use it."
            )
        while True:
            is_read, frame_bgr = capture.read()
            if not is_read or frame_bgr is None:
                raise CameraError(f"{source.shown} gives no more pictures.")
            yield _checked(source, np.asarray(frame_bgr, np.uint8), max_pixels)
    finally:
        capture.release()


def _stream_frames(source: CameraSource, timeout_s: float, max_pixels: int) -> Iterator[Frame]:
    import av

    options = {"protocol_whitelist": _PROTOCOLS}
    if source.name.lower().startswith("rtsp"):
        options["rtsp_transport"] = "tcp"
    try:
        with av.open(
            source.name, container_options=options, timeout=(timeout_s, timeout_s), metadata_errors="replace"
        ) as container:
            stream: Any = container.streams.best("video")
            if stream is None or stream.codec_context is None:
                raise CameraError(f"{source.shown} has no pictures that can be decoded.")
            if stream.codec_context.width * stream.codec_context.height > max_pixels:
                raise _too_large(source, stream.codec_context.height, stream.codec_context.width, max_pixels)
            stream.thread_type = "AUTO"
            for frame in container.decode(stream):
                yield _checked(source, frame.to_ndarray(format="bgr24"), max_pixels)
    except av.FFmpegError as exc:
        raise CameraError(f"{source.shown}: {_reason(exc, timeout_s)}.") from exc
    except (ValueError, MemoryError) as exc:
        raise CameraError(f"{source.shown} cannot be read ({str(exc)[:100]}).") from exc
    raise CameraError(f"{source.shown} ended.")


def _checked(source: CameraSource, frame_bgr: Frame, max_pixels: int) -> Frame:
    height, width = frame_bgr.shape[:2]
    if height * width > max_pixels:
        raise _too_large(source, height, width, max_pixels)
    return frame_bgr


def _too_large(source: CameraSource, height: int, width: int, max_pixels: int) -> CameraError:
    return CameraError(
        f"{source.shown} has frames of {width} x {height} pixels; up to {max_pixels} pixels are analysed. "
        "Set the camera to less, or give --max-video-pixels."
    )


def _reason(exc: Any, timeout_s: float) -> str:
    if type(exc).__name__ in ("ExitError", "TimeoutError"):
        return f"nothing came for {timeout_s:g} s"
    # FFmpeg's own words; the address that it repeats may hold a password.
    return str(exc.strerror or type(exc).__name__).split(":")[0].strip()[:100]
