"""Recordings as training takes them: WAV files of 16 bits, one channel or several mixed to one."""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np
import numpy.typing as npt

from installation.errors import ModelError

Samples = npt.NDArray[np.float32]
FULL_SCALE = 32_767.0


def read(path: Path, sample_rate_hz: int) -> Samples:
    """The sound of a file, (samples,), -1..1; ModelError if it is not 16 bit at `sample_rate_hz`."""
    try:
        with wave.open(str(path), "rb") as file:
            found = file.getframerate(), 8 * file.getsampwidth()
            channels, stored = file.getnchannels(), file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        raise ModelError(f"{path}: not a WAV file: {error}") from error
    if found != (sample_rate_hz, 16):
        raise ModelError(f"{path}: {found[0]} Hz, {found[1]} bit; asked for are {sample_rate_hz} Hz, 16 bit")
    frames = np.frombuffer(stored, "<i2").reshape(-1, channels)
    mixed: Samples = (frames.mean(1) / FULL_SCALE).astype(np.float32)
    return mixed


def write(path: Path, sound: Samples, sample_rate_hz: int) -> None:
    """Write `sound` (samples,) as a 16-bit mono file; what is beyond -1..1 is clipped."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(np.round(np.clip(sound, -1.0, 1.0) * FULL_SCALE).astype("<i2").tobytes())


def recordings(folder: Path, sample_rate_hz: int) -> list[Samples]:
    """The sounds of all WAV files in a folder and its sub-folders, by name."""
    found = [read(path, sample_rate_hz) for path in sorted(folder.rglob("*.wav"))]
    if not found:
        raise ModelError(f"{folder}: no WAV files in it")
    return found


def few(sound: Path, folder: Path, most: int) -> Path:
    """`folder`, made, with links to at most `most` of the WAV files in `sound`, spread evenly."""
    paths = sorted(sound.rglob("*.wav"))
    if not paths:
        raise ModelError(f"{sound}: no WAV files in it")
    folder.mkdir()
    stride = max(1, len(paths) // most)
    for number, path in enumerate(paths[::stride][:most]):
        (folder / f"{number:03d}.wav").symlink_to(path.resolve())
    return folder
