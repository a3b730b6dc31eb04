"""One film: H.264 and AAC in an MP4, by PyAV. Presentation times are counted, frames / fps and samples / rate, so
picture and sound stay in step however they come.

A film is written in one of two manners: OFFLINE, as small as can be and the same bytes twice, or LIVE, as fast as can
be and to be played up to its last second or two even if whoever wrote it was killed.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from installation.errors import RenderError

Pixels = npt.NDArray[np.uint8]
Samples = npt.NDArray[np.float32]

SOUND_HZ = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000, 64000, 88200, 96000)
"""The rates AAC has (ISO/IEC 14496-3, table 1.16); sound of another is resampled to PLAIN_HZ."""
PLAIN_HZ = 48_000
SOUND_BIT_RATE = 192_000
BT709 = STUDIO_RANGE = 1
"""How the film's colours are written, and the film says so (ITU-T H.273, tables 2 to 4): unsaid, a player guesses by
the picture's height, and greens and reds come out otherwise."""


@dataclass(frozen=True)
class Manner:
    """How a film is written: x264's options, whether a key frame comes each second, the file's options."""

    encoder: dict[str, str]
    file: dict[str, str]
    key_each_second: bool = False


OFFLINE = Manner(
    # Without x264's macroblock tree, whose sums came out otherwise in one film of two hundred (measured; 0 of 1500 so).
    {"crf": "16", "preset": "medium", "mbtree": "0"},
    # bitexact: no date and no library version in the file.
    {"movflags": "+faststart", "fflags": "+bitexact"},
)
LIVE = Manner(
    {"crf": "18", "preset": "veryfast"},
    # Fragments while it is written, each on the disk when it is whole; an ordinary film once it is closed.
    {"movflags": "+hybrid_fragmented+delay_moov", "flush_packets": "1"},
    key_each_second=True,
)


def prepare() -> None:
    """Load what a film is written with, which takes a while the first time."""
    import av.video.reformatter  # noqa: F401


class Film:
    """A film of `size` (width, height) px, both even, at `fps`, with `channels` of sound at `sample_rate_hz`, in the
    file `path`. OSError where it can't be written."""

    frames = True
    sound = True

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        fps: float,
        sample_rate_hz: int,
        channels: int,
        manner: Manner = OFFLINE,
    ) -> None:
        import av
        from av.video.reformatter import ColorRange, Colorspace

        if size[0] % 2 or size[1] % 2:
            raise RenderError(f"{path}: H.264 needs an even width and height, got {size}")
        self._av = av
        self._colours = {"dst_colorspace": Colorspace.ITU709, "dst_color_range": ColorRange.MPEG}
        self._film = av.open(str(path), "w", format="mp4", options=manner.file)
        self._picture: Any = self._picture_stream(size, Fraction(fps).limit_denominator(1001), manner)
        self._layout = "mono" if channels == 1 else "stereo" if channels == 2 else f"{channels}c"
        self._given_hz = sample_rate_hz
        self._rate_hz = sample_rate_hz if sample_rate_hz in SOUND_HZ else PLAIN_HZ
        self._resampler: Any = None
        if self._rate_hz != sample_rate_hz:
            self._resampler = av.AudioResampler(format="fltp", layout=self._layout, rate=self._rate_hz)
        self._sound: Any = self._film.add_stream("aac", rate=self._rate_hz, layout=self._layout)
        self._sound.bit_rate = SOUND_BIT_RATE
        for stream in (self._picture, self._sound):
            stream.codec_context.flags |= av.codec.context.Flags.bitexact
        self._last: Any = None
        self._frames = self._samples = 0

    def _picture_stream(self, size: tuple[int, int], rate: Fraction, manner: Manner) -> Any:
        stream: Any = self._film.add_stream("libx264", rate=rate, options=dict(manner.encoder))
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = 1 / rate
        stream.codec_context.thread_count = 2
        stream.codec_context.colorspace = stream.codec_context.color_primaries = stream.codec_context.color_trc = BT709
        stream.codec_context.color_range = STUDIO_RANGE
        if manner.key_each_second:
            stream.codec_context.gop_size = max(1, round(rate))
        return stream

    def write_frame(self, pixels: Pixels) -> None:
        """The next picture, (height, width, 3 or 4), row 0 on top; a fourth channel is not looked at."""
        kind = "rgb24" if pixels.shape[2] == 3 else "rgba"
        # Converted here, with the range said: left to the encoder about one film in thirty came out with other bytes.
        given = self._av.VideoFrame.from_ndarray(np.ascontiguousarray(pixels), format=kind)
        self._last = given.reformat(format="yuv420p", **self._colours)
        self._write()

    def repeat(self, count: int) -> None:
        """The last picture so many times more."""
        for _ in range(count):
            self._write()

    def _write(self) -> None:
        self._last.pts = self._frames
        self._last.time_base = self._picture.codec_context.time_base
        self._frames += 1
        self._film.mux(self._picture.encode(self._last))

    def write_sound(self, block: Samples) -> None:
        """The next samples, (samples, channels), -1..1."""
        if not len(block):
            return
        planes = np.ascontiguousarray(block.T, np.float32)
        frame = self._av.AudioFrame.from_ndarray(planes, format="fltp", layout=self._layout)
        frame.sample_rate = self._given_hz
        frame.pts = self._samples
        frame.time_base = Fraction(1, self._given_hz)
        self._samples += len(block)
        for each in (frame,) if self._resampler is None else self._resampler.resample(frame):
            self._film.mux(self._sound.encode(each))

    def close(self) -> None:
        """Write what is still held, and end the file."""
        try:
            if self._frames:
                self._film.mux(self._picture.encode(None))
            if self._samples:
                for each in self._resampler.resample(None) if self._resampler else ():
                    self._film.mux(self._sound.encode(each))
                self._film.mux(self._sound.encode(None))
        finally:
            self._film.close()
