"""Pictures and sound into a file, by its ending: .mp4 (H.264 and AAC, in step), .png (the last frame), .wav (32 bit).

The same frames and samples give the same bytes. A file is written beside its name and moved there when it is whole.
"""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Protocol

import numpy as np
import numpy.typing as npt

from installation.errors import RenderError
from installation.picture.films.film import Film

Frame = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]


class Writer(Protocol):
    """One kind of file. `frames` and `sound`: whether it keeps them."""

    frames: bool
    sound: bool

    def write_frame(self, rgb: Frame) -> None: ...
    def write_sound(self, block: Samples) -> None: ...
    def close(self) -> None: ...


class Recorder:
    """Records frames of `size` (width, height) px at `fps` and `channels` of sound at `sample_rate_hz` into `path`."""

    def __init__(self, path: Path, size: tuple[int, int], fps: float, sample_rate_hz: int, channels: int) -> None:
        if path.suffix.lower() not in WRITERS:
            raise RenderError(f"{path}: can't write {path.suffix or 'no ending'!r}; allowed are {', '.join(WRITERS)}")
        self.path = path
        self.size = size
        self.fps = fps
        self.sample_rate_hz = sample_rate_hz
        self.channels = channels
        self._part = path.with_name(f"{path.stem}.part{path.suffix}")

    def __enter__(self) -> Recorder:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = WRITERS[self.path.suffix.lower()](self, self._part)
        except OSError as error:
            raise RenderError(f"{self.path}: can't be written: {error}") from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        whole = False
        try:
            self._writer.close()
            whole = kind is None
        finally:
            if whole:
                self._part.replace(self.path)
            else:
                self._part.unlink(missing_ok=True)

    @property
    def wants_frames(self) -> bool:
        """Whether frames are kept; if not, none need be drawn."""
        return self._writer.frames

    @property
    def wants_sound(self) -> bool:
        """Whether sound is kept."""
        return self._writer.sound

    def frame(self, rgb: Frame) -> None:
        """The next picture, (height, width, 3), row 0 on top."""
        if rgb.shape != (self.size[1], self.size[0], 3):
            raise RenderError(f"{self.path}: a frame of shape {rgb.shape}, {(self.size[1], self.size[0], 3)} expected")
        self._writer.write_frame(rgb)

    def sound(self, block: Samples) -> None:
        """The next samples, (samples, channels), -1..1; what is outside is clipped."""
        if block.ndim != 2 or block.shape[1] != self.channels:
            raise RenderError(f"{self.path}: sound of shape {block.shape}, (samples, {self.channels}) expected")
        self._writer.write_sound(np.clip(block, -1.0, 1.0))


def _film(recorder: Recorder, part: Path) -> Film:
    return Film(part, recorder.size, recorder.fps, recorder.sample_rate_hz, recorder.channels)


class _Still:
    """The last frame, by Pillow."""

    frames = True
    sound = False

    def __init__(self, recorder: Recorder, part: Path) -> None:
        self._recorder = recorder
        self._part = part
        self._last: Frame | None = None

    def write_frame(self, rgb: Frame) -> None:
        self._last = rgb

    def write_sound(self, block: Samples) -> None:
        """A picture is silent."""

    def close(self) -> None:
        from PIL import Image

        if self._last is None:
            raise RenderError(f"{self._recorder.path}: no frame was drawn")
        Image.fromarray(self._last).save(self._part, format="PNG")


class _Wave:
    """32-bit PCM: a file to work on, with nothing rounded that can be heard."""

    frames = False
    sound = True

    def __init__(self, recorder: Recorder, part: Path) -> None:
        self._file = wave.open(str(part), "wb")  # noqa: SIM115 (closed by close)
        self._file.setnchannels(recorder.channels)
        self._file.setsampwidth(4)
        self._file.setframerate(recorder.sample_rate_hz)

    def write_frame(self, rgb: Frame) -> None:
        """A sound is unseen."""

    def write_sound(self, block: Samples) -> None:
        self._file.writeframes(np.rint(block.astype(np.float64) * 2_147_483_647.0).astype("<i4").tobytes())

    def close(self) -> None:
        self._file.close()


WRITERS: dict[str, Callable[[Recorder, Path], Writer]] = {".mp4": _film, ".png": _Still, ".wav": _Wave}
"""What can be written, by ending."""
