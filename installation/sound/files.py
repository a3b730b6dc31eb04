"""Sound files: read in any format, written as .wav, .flac or .mp3. The only home of PyAV on this side."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import RenderError, SoundFileError

Floats = npt.NDArray[np.float32]

LAYOUTS = {1: "mono", 2: "stereo", 4: "quad", 6: "5.1", 8: "7.1"}
FULL_SCALE_24 = 2**23 - 1


def read(path: Path, sample_rate_hz: int) -> Floats:
    """The first sound stream of `path`, channels averaged, at `sample_rate_hz`, (samples,). SoundFileError if the file
    holds no sound that can be read."""
    mono: Floats = read_channels(path, sample_rate_hz).mean(axis=1, dtype=np.float32)
    return mono


def read_channels(path: Path, sample_rate_hz: int) -> Floats:
    """The first sound stream of `path` at `sample_rate_hz`, (samples, channels). SoundFileError as in `read`."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SoundFileError(f"{path}: holds no sound")
            resampler = av.AudioResampler("fltp", None, sample_rate_hz)
            frames = [
                made.to_ndarray().T
                for frame in [*container.decode(container.streams.audio[0]), None]
                for made in resampler.resample(frame)
            ]
        if not frames:
            raise SoundFileError(f"{path}: holds no sound")
        return np.ascontiguousarray(np.concatenate(frames), np.float32)
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SoundFileError(f"{path}: can't be read: {error}") from error


def sound_files(path: Path) -> list[Path]:
    """`path` itself if it is a file, else every file in it and its folders that is not hidden, in order.
    SoundFileError if there is none."""
    if path.is_file():
        return [path]
    found = sorted(
        each
        for each in path.rglob("*")
        if each.is_file() and not any(part.startswith(".") for part in each.relative_to(path).parts)
    )
    if not found:
        raise SoundFileError(f"{path}: no such file or folder, or nothing in it")
    return found


@dataclass(frozen=True)
class Format:
    """How a kind of file is written: FFmpeg's codec, its samples (`s32`: 24 bits, in the upper ones) and options."""

    codec: str
    samples: str
    options: dict[str, str]


FORMATS = {
    ".wav": Format("pcm_s24le", "s32", {"rf64": "auto"}),
    ".flac": Format("flac", "s32", {}),
    ".mp3": Format("libmp3lame", "fltp", {}),
}
"""By ending. WAV and FLAC have 24 bits; a WAV of more than 4 GB becomes RF64."""
MP3_BITS_S = 256_000


def checked_ending(path: Path) -> str:
    """The ending of a file to be written, in small letters; RenderError if nothing is written by it."""
    ending = path.suffix.lower()
    if ending not in FORMATS:
        raise RenderError(f"{path}: can't write {ending or 'no ending'!r}; allowed are {', '.join(FORMATS)}")
    return ending


class SoundWriter:
    """Writes `channels` of sound at `sample_rate_hz` to `path` as it comes: beside it at first, and moved there when it
    is whole. What was there before stays until then, and if writing ends in an error."""

    def __init__(self, path: Path, sample_rate_hz: int, channels: int) -> None:
        self.path, self.sample_rate_hz, self.channels = path, sample_rate_hz, channels
        self._format = FORMATS[checked_ending(path)]
        self._part = path.with_name(f"{path.stem}.part{path.suffix}")
        self._layout = LAYOUTS.get(channels, f"{channels}c")
        self._samples = 0

    def __enter__(self) -> SoundWriter:
        import av

        self._av = av
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RenderError(f"{self.path}: can't be written: {error}") from error
        try:
            options = {"fflags": "+bitexact", **self._format.options}
            self._file: Any = av.open(str(self._part), "w", options=options)
            self._open_stream()
        except (av.FFmpegError, OSError, ValueError) as error:
            self._leave(False)
            raise RenderError(f"{self.path}: can't be written: {error}") from error
        return self

    def _open_stream(self) -> None:
        self._stream: Any = self._file.add_stream(self._format.codec, rate=self.sample_rate_hz, layout=self._layout)
        self._stream.format = self._format.samples
        self._stream.codec_context.flags |= self._av.codec.context.Flags.bitexact
        if self._format.codec == "libmp3lame":
            self._stream.bit_rate = MP3_BITS_S
        self._stream.codec_context.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._mux(None)
        except RenderError:
            kind = RenderError
            raise
        finally:
            self._leave(kind is None)

    def _leave(self, whole: bool) -> None:
        try:
            if hasattr(self, "_file"):
                self._file.close()
            if whole:
                self._part.replace(self.path)
        except (self._av.FFmpegError, OSError) as error:
            whole = False
            raise RenderError(f"{self.path}: can't be written: {error}") from error
        finally:
            if not whole:
                self._part.unlink(missing_ok=True)

    def write(self, sound: Floats) -> None:
        """The next samples, (samples, channels), -1..1; what is outside is clipped."""
        if sound.ndim != 2 or sound.shape[1] != self.channels:
            raise RenderError(f"{self.path}: sound of shape {sound.shape}, (samples, {self.channels}) expected")
        if not len(sound):
            return
        clipped = np.clip(sound, -1.0, 1.0)
        if self._format.samples == "fltp":
            planes: Any = np.ascontiguousarray(clipped.T, np.float32)
        else:
            planes = (np.round(clipped.astype(np.float64) * FULL_SCALE_24).astype(np.int32) << 8).reshape(1, -1)
        frame = self._av.AudioFrame.from_ndarray(planes, format=self._format.samples, layout=self._layout)
        frame.sample_rate = self.sample_rate_hz
        frame.pts, frame.time_base = self._samples, Fraction(1, self.sample_rate_hz)
        self._samples += len(sound)
        self._mux(frame)

    def _mux(self, frame: Any) -> None:
        try:
            self._file.mux(self._stream.encode(frame))
        except (self._av.FFmpegError, OSError, ValueError) as error:
            raise RenderError(f"{self.path}: can't be written: {error}") from error
