"""`installation transfer`: recordings played through a model, file by file, and how much of them came through."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation.errors import InstallationError, ModelError, RenderError
from installation.model import Model, load
from installation.sound.decoder import open_decoder
from installation.sound.encoder import open_encoder
from installation.sound.files import FORMATS, SoundWriter, checked_ending, read_channels, sound_files
from installation.sound.loudness import loudness_correlation
from installation.sound.transfer import LEVEL_DB, Bearings, Clean, Transfer, Transferred, Wishes
from installation.spectrograms import draw, need_drawing
from installation.turning import add_turning, ranged, turned

Floats = npt.NDArray[np.float32]

DEFAULT_MODEL = "bronze"
PICTURE_S = 30.0


@dataclass(frozen=True)
class Job:
    """A file to be played, and where what comes of it goes."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Finding:
    """What came of a file. The figures compare the mixes of the channels; pitch and spectrum (`training/evaluation`)
    are None unless asked for. `noise_found` is false where noise was to be taken out and none was found."""

    file: str
    out: str
    seconds: float
    level_db: float
    latency_samples: int
    loudness_correlation: float
    noise_found: bool
    pitch_agreement: float | None = None
    pitched: int | None = None
    mel_correlation: float | None = None

    def __str__(self) -> str:
        words = f"{self.file} → {self.out}: {self.seconds:.1f} s, loudness correlation {self.loudness_correlation:.3f}"
        if self.pitch_agreement is not None and self.pitched:
            words += f", pitch within 50 cents in {100.0 * self.pitch_agreement:.0f} % of {self.pitched} frames"
        elif self.pitched == 0:
            words += ", no pitch in it"
        if self.mel_correlation is not None:
            words += f", log-mel correlation {self.mel_correlation:.3f}"
        return words if self.noise_found else f"{words}; no noise taken out: no half second of it is noise alone"


def add_transfer_command(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register `transfer`."""
    command = commands.add_parser("transfer", help="play recordings through a model")
    command.add_argument("sources", type=Path, nargs="+", metavar="IN", help="sound files of any format, or folders")
    command.add_argument("--model", default=DEFAULT_MODEL, help=f"a name in models/ or a folder ({DEFAULT_MODEL})")
    command.add_argument(
        "--out", type=Path, required=True, metavar="OUT", help=f"a folder; for one file also FILE{'|'.join(FORMATS)}"
    )
    formats = tuple(ending[1:] for ending in FORMATS)
    command.add_argument("--format", choices=formats, default="wav", help="of files in a folder (default: wav)")
    add_turning(command)
    command.add_argument("--mix", type=ranged(0.0, 1.0), default=1.0, help="recording (0) to model (1, the default)")
    command.add_argument(
        "--tame", type=ranged(0.0, 1.0), default=0.0, help="how firmly latents are kept within the card's range (0)"
    )
    command.add_argument("--mono", action="store_true", help="mix the channels (default: each is played for itself)")
    command.add_argument("--model-level", action="store_true", help="leave the model's own loudness")
    command.add_argument(
        "--denoise", choices=("before", "after", "both"), help="take noise out of the recording, or of what is made"
    )
    command.add_argument(
        "--denoise-strength", type=ranged(0.0, 1.0), default=1.0, metavar="SHARE", help="how much of it (default: 1)"
    )
    command.add_argument("--plot", action="store_true", help="draw before and after, beside each file (PNG)")
    command.add_argument("--report", action="store_true", help="also compare pitch and spectrum")
    command.add_argument("--json", action="store_true", help="print what was found as JSON")
    command.add_argument("--device", default="auto", help="auto, cpu or cuda")
    command.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.plot:
        need_drawing()
    model = load(arguments.model)
    transfer, faults = _transfer(model, arguments), Faults()
    jobs = planned(arguments.sources, arguments.out, f".{arguments.format}", faults.tell)
    found = []
    for job in tqdm(jobs, unit="file", desc="transfer", disable=None, leave=False):
        try:
            found.append(_play(job, transfer, model.sample_rate_hz, arguments))
        except InstallationError as error:
            faults.tell(str(error))
        else:
            if not arguments.json:
                tqdm.write(str(found[-1]))
    if arguments.json:
        print(json.dumps([asdict(each) for each in found], indent=2))
    return 1 if faults.count else 0


class Faults:
    """What went wrong with single files, said at once; the others go on."""

    def __init__(self) -> None:
        self.count = 0

    def tell(self, words: str) -> None:
        """One more."""
        self.count += 1
        tqdm.write(f"installation: {words}", sys.stderr)


def planned(sources: list[Path], out: Path, ending: str, complain: Callable[[str], None]) -> list[Job]:
    """Each file of `sources` and where it goes: to `out` if that names a file, else into it, folders as they are.
    No two go to one place, and none to where a recording lies."""
    pairs = list(_found(sources, complain))
    if out.suffix and not out.is_dir():
        checked_ending(out)
        if len(pairs) > 1:
            raise RenderError(f"{out}: one file can't take what comes of {len(pairs)}; name a folder")
        jobs = [Job(source, out) for source, _ in pairs]
    else:
        taken: set[Path] = set()
        jobs = [Job(source, _free(out / place, ending, taken)) for source, place in pairs]
    recordings = {source.resolve() for source, _ in pairs}
    for job in jobs:
        if job.target.resolve() in recordings:
            raise RenderError(
                f"{job.target}: is one of the recordings, which are not written over; choose another --out"
            )
    return jobs


def _found(sources: list[Path], complain: Callable[[str], None]) -> Iterator[tuple[Path, Path]]:
    """Every file, and its place in a folder."""
    for source in sources:
        try:
            for file in sound_files(source):
                yield file, file.relative_to(source) if source.is_dir() else Path(file.name)
        except InstallationError as error:
            complain(str(error))


def _free(place: Path, ending: str, taken: set[Path]) -> Path:
    """`place` with `ending` in place of its own, or after it, or with a number, if others go there."""
    candidates = [place.with_suffix(ending), place.with_name(place.name + ending)]
    number = 2
    while candidates[0] in taken:
        candidates = candidates[1:] or [place.with_name(f"{place.name}-{number}{ending}")]
        number += 1
    taken.add(candidates[0])
    return candidates[0]


def _transfer(model: Model, arguments: argparse.Namespace) -> Transfer:
    if model.encoder is None:
        raise ModelError(f"{model.name}: has no encoder, so nothing can be played through it")
    when, level = arguments.denoise, model.card.get("level_db")
    clean = _cleaner(model.sample_rate_hz, arguments.denoise_strength) if when else None
    wishes = Wishes(
        turn=turned(model, arguments.bias, arguments.scale),
        mix=arguments.mix,
        tame=arguments.tame,
        mono=arguments.mono,
        loudness=not arguments.model_level,
        before=clean if when in ("before", "both") else None,
        after=clean if when in ("after", "both") else None,
    )
    bearings = Bearings(
        mean=model.mean,
        deviation=model.deviation,
        low=model.low,
        high=model.high,
        level_db=LEVEL_DB if level is None else float(level),
        latency=None if model.card.get("latency_samples") is None else model.latency,
    )
    encode = open_encoder(model.encoder, arguments.device)
    return Transfer(encode, open_decoder(model.decoder, arguments.device), bearings, wishes)


def _cleaner(sample_rate_hz: int, strength: float) -> Clean:
    from installation.sound.denoising import denoised, need_denoising

    need_denoising()
    return partial(denoised, sample_rate_hz=sample_rate_hz, strength=strength)


def _play(job: Job, transfer: Transfer, sample_rate_hz: int, arguments: argparse.Namespace) -> Finding:
    """One file, from beginning to end."""
    sound = read_channels(job.source, sample_rate_hz)
    made = transfer(sound)
    with SoundWriter(job.target, sample_rate_hz, made.sound.shape[1]) as writer:
        for begin in range(0, len(made.sound), 1 << 16):
            writer.write(made.sound[begin : begin + (1 << 16)])
    before, after = (each.mean(axis=1, dtype=np.float32) for each in (sound, made.sound))
    if arguments.plot:
        most = round(PICTURE_S * sample_rate_hz)
        panels = {job.source.name: before[:most], f"through {arguments.model}": after[:most]}
        draw(job.target.with_suffix(".png"), job.target.name, panels, sample_rate_hz)
    found = partial(_finding, job, made, before, after, sample_rate_hz)
    return found(**_compared(before, after, sample_rate_hz)) if arguments.report else found()


def _finding(job: Job, made: Transferred, before: Floats, after: Floats, rate_hz: int, **compared: Any) -> Finding:
    return Finding(
        str(job.source),
        str(job.target),
        round(len(before) / rate_hz, 3),
        round(made.level_db, 1),
        made.latency,
        round(loudness_correlation(before, after, rate_hz), 4),
        made.noise_found,
        **compared,
    )


def _compared(before: Floats, after: Floats, sample_rate_hz: int) -> dict[str, Any]:
    from installation.training.evaluation import mel_correlation, pitch_agreement

    agreement, pitched = pitch_agreement(before, after, sample_rate_hz)
    likeness = mel_correlation(before, after, sample_rate_hz) if len(before) > 2048 else None
    return {
        "pitch_agreement": round(agreement, 4),
        "pitched": pitched,
        "mel_correlation": None if likeness is None else round(likeness, 4),
    }
