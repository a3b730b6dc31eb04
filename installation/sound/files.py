"""Sound files of any format, as mono samples. The only home of PyAV on this side."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import SoundFileError

Floats = npt.NDArray[np.float32]


def read(path: Path, sample_rate_hz: int) -> Floats:
    """The first sound stream of `path`, channels averaged, at `sample_rate_hz`, (samples,). SoundFileError if the file
    holds no sound that can be read."""
    import av

    try:
        with av.open(str(path)) as container:
            if not container.streams.audio:
                raise SoundFileError(f"{path}: holds no sound")
            resampler = av.AudioResampler("fltp", None, sample_rate_hz)
            frames = [
                made.to_ndarray().mean(axis=0)
                for frame in [*container.decode(container.streams.audio[0]), None]
                for made in resampler.resample(frame)
            ]
    except (av.FFmpegError, OSError, ValueError) as error:
        raise SoundFileError(f"{path}: can't be read: {error}") from error
    if not frames:
        raise SoundFileError(f"{path}: holds no sound")
    return np.concatenate(frames).astype(np.float32)


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
