"""The picture given to other programs: Syphon on macOS, Spout on Windows, NDI over the network. Each is an extra, and
its library is imported only when it is asked for."""

from __future__ import annotations

import sys
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from installation.errors import InstallationError
from installation.picture.films.readback import Readback

Pixels = npt.NDArray[np.uint8]
"""(height, width, 4): red, green, blue, 255; row 0 on top; contiguous."""


class Sharing(Protocol):
    """One way to give pictures away. Opened once, on the thread that draws, while its context is current; what it can't
    do it says as an InstallationError."""

    def open(self, name: str, size: tuple[int, int], fps: float) -> None:
        """Be seen as `name` by whoever looks, with pictures of `size` (width, height) px, about `fps` a second."""

    def send(self, pixels: Pixels) -> None:
        """The next picture. It is copied, and nobody waits until somebody has it."""

    def close(self) -> None:
        """Be seen no more."""


class Syphon:
    """To other programs on this Mac, by the graphics card (syphon-python, Metal)."""

    def open(self, name: str, size: tuple[int, int], fps: float) -> None:
        _only_on("syphon", "darwin", "macOS")
        try:
            import syphon
            from syphon.utils.numpy import copy_image_to_mtl_texture
            from syphon.utils.raw import create_mtl_texture
        except ImportError as error:
            raise _missing("syphon", error) from error
        self._copy = copy_image_to_mtl_texture
        self._server: Any = syphon.SyphonMetalServer(name)
        self._texture: Any = create_mtl_texture(self._server.device, *size)

    def send(self, pixels: Pixels) -> None:
        self._copy(pixels, self._texture)
        self._server.publish_frame_texture(self._texture)

    def close(self) -> None:
        self._server.stop()


class Spout:
    """To other programs on this Windows machine, by the graphics card (SpoutGL)."""

    RGBA = 0x1908
    """GL_RGBA (OpenGL registry)."""

    def open(self, name: str, size: tuple[int, int], fps: float) -> None:
        _only_on("spout", "win32", "Windows")
        try:
            import SpoutGL
        except ImportError as error:
            raise _missing("spout", error) from error
        self._size = size
        self._sender: Any = SpoutGL.SpoutSender()
        self._sender.setSenderName(name)

    def send(self, pixels: Pixels) -> None:
        if not self._sender.sendImage(pixels, *self._size, self.RGBA, False, 0):
            raise InstallationError("spout: the driver does not take the picture")

    def close(self) -> None:
        self._sender.releaseSender()


class Ndi:
    """To other machines, over the network (ndi-python, with the NDI library in it). It compresses on threads of its
    own, and reads the picture it was given until it has the next: so there are two."""

    def open(self, name: str, size: tuple[int, int], fps: float) -> None:
        try:
            import NDIlib
        except ImportError as error:
            raise _missing("ndi", error) from error
        if not NDIlib.initialize():
            raise InstallationError("ndi: its library does not run on this processor")
        self._ndi = NDIlib
        wanted = NDIlib.SendCreate()
        wanted.ndi_name, wanted.clock_video, wanted.clock_audio = name, False, False
        self._sender: Any = NDIlib.send_create(wanted)
        if self._sender is None:
            NDIlib.destroy()
            raise InstallationError(f"ndi: it can't be sent as {name!r}; is that name taken on this machine?")
        self._pages = [self._page(size, fps) for _ in range(2)]

    def _page(self, size: tuple[int, int], fps: float) -> tuple[Pixels, Any]:
        pixels = np.zeros((size[1], size[0], 4), np.uint8)
        frame = self._ndi.VideoFrameV2()
        frame.data, frame.FourCC = pixels, self._ndi.FOURCC_VIDEO_TYPE_RGBX
        frame.frame_rate_N, frame.frame_rate_D = round(fps * 1000), 1000
        return pixels, frame

    def send(self, pixels: Pixels) -> None:
        self._pages.reverse()
        page, frame = self._pages[0]
        np.copyto(page, pixels)
        self._ndi.send_send_video_async_v2(self._sender, frame)

    def close(self) -> None:
        self._ndi.send_destroy(self._sender)
        self._ndi.destroy()


SHARINGS: dict[str, type[Sharing]] = {"syphon": Syphon, "spout": Spout, "ndi": Ndi}
"""Every way to share, by the name a scene knows it by."""


class Shared:
    """Shares each frame by `sharing`, which is open, two frames after it was drawn: nothing waits for the card."""

    def __init__(self, context: Any, size: tuple[int, int], sharing: Sharing) -> None:
        self._sharing = sharing
        self._readback = Readback(context, size)
        self._raw = np.zeros((size[1], size[0], 4), np.uint8)
        self._pixels = np.zeros_like(self._raw)
        self.sent = 0
        self.fault: str | None = None
        """Why the last frame was not taken."""

    def share(self, texture: Any) -> None:
        """The frame that was drawn."""
        self._readback.ask(texture, self.sent)
        if self._readback.ready is None:
            return
        self._readback.take(self._raw)
        np.copyto(self._pixels, self._raw[::-1])
        self._pixels[:, :, 3] = 255
        try:
            self._sharing.send(self._pixels)
        except Exception as error:  # a library's own, of any kind: the show goes on without whoever looks
            self.fault = str(error) or type(error).__name__
        else:
            self.sent, self.fault = self.sent + 1, None

    def close(self) -> None:
        """Share no more."""
        self._sharing.close()
        self._readback.release()


def opened(way: str, context: Any, name: str, size: tuple[int, int], fps: float) -> Shared:
    """What is drawn in a moderngl `context`, shared as `name` in one `way` of SHARINGS; InstallationError says why it
    can't be."""
    sharing = SHARINGS[way]()
    sharing.open(name, size, fps)
    return Shared(context, size, sharing)


def _only_on(way: str, platform: str, called: str) -> None:
    if sys.platform != platform:
        raise InstallationError(f"{way}: only on {called}; this is {sys.platform}")


def _missing(way: str, error: ImportError) -> InstallationError:
    return InstallationError(f"{way}: {error}; install it with: pip install 'installation[{way}]'")
