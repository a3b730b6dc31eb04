"""`installation models list · info · trust`: what there is, what it is like here, and what may be loaded at all."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from installation import model, trust
from installation.errors import ModelError
from installation.model import Model
from installation.training.apart import apart
from installation.training.examination import Examination, Opener, examine
from installation.training.remarks import remarks

SCRIPT = trust.SCRIPT
EXTRA = "for .ts files: .venv/bin/pip install -c constraints.txt -e '.[torch]'"


@dataclass(frozen=True)
class Row:
    """A line of `models list`."""

    name: str
    latents: str
    sound: str
    size: str
    files: str
    trusted: str


def add_list_command(commands: Any) -> None:
    """Register `models list`."""
    listing = commands.add_parser("list", help="the models that lie in models/")
    listing.set_defaults(run=_list)


def add_info_command(commands: Any, opener: Opener | None) -> None:
    """Register `models info`; with an `opener` of decoders it plays the model and says what it is like."""
    info = commands.add_parser("info", help="what a model is, how late and how fast, what is wrong with it, what to do")
    info.add_argument("model", nargs="?", help="a name in models/, a model's folder, or a decoder file (default: all)")
    info.add_argument("--device", default="auto", help="auto, cpu or cuda")
    info.set_defaults(run=_info, opener=opener)


def add_trust_command(commands: Any) -> None:
    """Register `models trust`."""
    allow = commands.add_parser("trust", help="let a .ts file be loaded: it is a program, and loading runs it")
    allow.add_argument("files", nargs="*", type=Path, metavar="FILE")
    allow.add_argument("--list", action="store_true", help="what may be loaded: SHA-256 and name")
    allow.add_argument("--forget", metavar="WORD", help="a name on the list, or the beginning of a SHA-256")
    allow.set_defaults(run=_trust)


# list -----------------------------------------------------------------------------------------------------------


def row(found: Model) -> Row:
    """What `models list` says of a model; its files are read to compare them with its card."""
    size = sum(path.stat().st_size for path in found.folder.iterdir() if path.is_file())
    return Row(
        name=found.folder.name,
        latents=f"{found.latent_dim} of {1e3 * found.step_s:.1f} ms",
        sound=f"{found.sample_rate_hz} Hz, ratio {found.ratio}, {('mono', 'stereo')[found.channels - 1]}"
        if found.channels <= 2
        else f"{found.sample_rate_hz} Hz, ratio {found.ratio}, {found.channels} channels",
        size=f"{size / 1e6:.1f} MB",
        files=_files(found),
        trusted=_trusted(found.decoder),
    )


def _files(found: Model) -> str:
    try:
        found.verify()
    except ModelError as error:
        return f"{len(str(error).splitlines())} not what its card says"
    return "as its card says" if found.files else "not on its card"


def _trusted(decoder: Path) -> str:
    """A decoder of data needs no trust; one that is a program does."""
    if not decoder.is_file():
        return "no decoder"
    if decoder.suffix != SCRIPT:
        return "data, no trust needed"
    return "trusted" if model.digest(decoder) in trust.trusted() else "not trusted"


def _list(arguments: argparse.Namespace) -> int:
    titles = Row("model", "latents", "sound", "size", "files", "trust")
    rows = [titles]
    for name in model.names():
        try:
            rows.append(row(model.load(name)))
        except ModelError as error:
            rows.append(Row(name, "?", "?", "?", str(error), "?"))
    table = [tuple(vars(each).values()) for each in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return 0


# info -----------------------------------------------------------------------------------------------------------


def _info(arguments: argparse.Namespace) -> int:
    if arguments.model is not None and Path(arguments.model).is_file():
        _describe(Path(arguments.model), arguments, None)
        return 0
    for name in [arguments.model] if arguments.model else model.names():
        found = model.load(name)
        print((found.folder / model.CARD).read_text("utf-8").rstrip())
        found.verify()
        print(f"files: all {len(found.files)} are what the card says")
        for file in (found.decoder, found.folder / str(found.card.get("torchscript", ""))):
            if file.is_file():
                _describe(file, arguments, found)
    return 0


def _describe(file: Path, arguments: argparse.Namespace, card: Model | None) -> None:
    """Print what playing `file` shows, with latents as its `card` describes them."""
    if arguments.opener is None:
        return
    spread = (None, None) if card is None else (card.mean, card.deviation)
    try:
        found = inspect(arguments.opener, file, arguments.device, *spread)
    except ImportError as error:
        print(f"{file.name}: not played: {error}; {EXTRA}")
        return
    print("\n".join(sentences(file, found)))


def inspect(opener: Opener, file: Path, device: str, mean: Any = None, deviation: Any = None) -> Examination:
    """Play `file` in a process of its own. ModelError if it is not trusted, and then nothing is loaded anywhere."""
    trust.check(file)
    return apart(str(file), examine, opener, file, device, mean, deviation)


def sentences(file: Path, found: Examination) -> list[str]:
    """What is said of a file: what it is, how late, how fast, and what is wrong with it."""
    return [
        f"{file.name}: {found.latent_dim} latents of {found.ratio} samples at {found.sample_rate_hz} Hz, "
        f"{found.channels} channel{'s' * (found.channels != 1)}{_kind(found)}",
        f"  lag: {_lag(found)}",
        "  speed: "
        + "; ".join(
            f"{each.latents} latent{'s' * (each.latents != 1)} in {each.median_ms:.2f} ms, "
            f"{each.factor:.0f} times as fast as they sound"
            for each in found.speeds
        ),
        *(f"  - {remark}" for remark in remarks(found)),
    ]


def _kind(found: Examination) -> str:
    """What a TorchScript export shows itself to be."""
    if not found.traits:
        return ""
    version = "v1" if found.traits["rate_named"] == "sampling_rate" else "v2"
    streams = "streaming" if found.traits["memories"] else "not streaming"
    return f"; TorchScript of {version}'s form, {streams}, with {', '.join(found.traits['methods'])}"


def _lag(found: Examination) -> str:
    if found.first_change is None or found.half_level is None:
        return "none to be found: the sound does not follow the latents"
    return (
        f"a change of latents is first heard after {found.first_change} samples "
        f"({found.milliseconds(found.first_change):.1f} ms), half of it after {found.half_level} "
        f"({found.milliseconds(found.half_level):.1f} ms)"
    )


# trust ----------------------------------------------------------------------------------------------------------


def _trust(arguments: argparse.Namespace) -> int:
    if not (arguments.files or arguments.list or arguments.forget):
        raise ModelError("models trust: which FILE? or --list, or --forget WORD")
    for file in arguments.files:
        trust_file(file)
    if arguments.forget:
        gone = trust.forget(arguments.forget)
        if not gone:
            raise ModelError(f"models trust: nothing on the list is called {arguments.forget!r}; see --list")
        print("\n".join(f"forgotten: {sha256}  {name}" for sha256, name in gone.items()))
    if arguments.list:
        own = trust.listed()
        for sha256, name in trust.trusted().items():
            print(f"{sha256}  {name}  ({'yours' if sha256 in own else 'shipped'})")
    return 0


def trust_file(file: Path) -> None:
    """Put `file` on the list, and say so; ModelError if it is none that needs it."""
    if file.suffix != SCRIPT:
        raise ModelError(
            f"{file}: only {SCRIPT} files need trust, for only they are programs; got {file.suffix or 'none'}"
        )
    try:
        sha256 = model.digest(file)
    except OSError as error:
        raise ModelError(f"{file}: can't be read: {error}") from error
    trust.allow(sha256, file.name)
    print(f"trusted: {sha256}  {file.name}  (in {trust.list_file()})")
