"""A search without a show, as fast as it goes, from its settings and seed alone.

Stopped or killed at any moment it goes on with `--resume` as if it had not been: what a generation left behind is in
the store, the generator of chance too, and one that was not told is evaluated again.
"""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from installation.errors import InstallationError, SoundFileError, StoreError
from installation.evolution.breeding import Breeder, new_search, resume
from installation.evolution.embedding import Calibration
from installation.evolution.evaluation import Evaluator, GoOn, Local, always
from installation.evolution.kept import Header
from installation.evolution.memory import Memory, memory_for
from installation.evolution.quality import limit
from installation.evolution.settings import Settings
from installation.evolution.store import open_store, read_header, read_store
from installation.instrument import Instrument, cores, open_instrument
from installation.model import digest
from installation.sound.encoder import encode_whole
from installation.sound.files import read, sound_files

Floats = npt.NDArray[np.float32]

DEFAULT_MODEL = "bronze"


@dataclass(frozen=True)
class Order:
    """What the command line asked for besides the settings. `given` are the settings that were named there."""

    model: str | None
    out: Path
    generations: int
    device: str
    given: dict[str, Any]
    sounds: Path | None = None
    cluster: str | None = None
    resume: bool = False


def evolve(order: Order, go_on: GoOn = always, show: Callable[[Breeder], None] | None = None) -> dict[str, Any]:
    """Breed up to `order.generations`; what the run came to. `show` is called after each brood."""
    with ExitStack() as opened:
        breeder = opened.enter_context(_breeding(order))
        search, begun_s, before = breeder.search, time.monotonic(), breeder.search.evaluations
        while go_on() and (search.founding or search.generation < order.generations):
            _check_founding(breeder)
            breeder.generation(go_on)
            if breeder.store_fault:
                raise StoreError(breeder.store_fault)
            if show:
                show(breeder)
        seconds = time.monotonic() - begun_s
        return {
            "out": str(order.out),
            "whole": not search.founding and search.generation >= order.generations,
            "seconds": round(seconds, 3),
            "individuals_per_s": round((search.evaluations - before) / max(seconds, 1e-9), 2),
            **breeder.figures(),
        }


def _check_founding(breeder: Breeder) -> None:
    """A model nothing of which passes the gate would be founded for ever."""
    search = breeder.search
    if search.founding and search.evaluations > 20 * search.container_size and len(search.container) < 2:
        counts = ", ".join(f"{count} {reason}" for reason, count in breeder.rejected.items() if count)
        raise InstallationError(
            f"evolve: of {search.evaluations} founders {len(search.container)} passed the gate ({counts}); "
            "try --init normal, another model, or --quality off"
        )


@contextmanager
def _breeding(order: Order) -> Iterator[Breeder]:
    """The breeder of a new run, or of the one in the store. A file that was killed before its first word holds none."""
    there = read_header(order.out) is not None
    if there and not order.resume:
        raise StoreError(f"{order.out}: there is a run already; go on with --resume, or name another file")
    if order.resume and not there:
        raise StoreError(f"{order.out}: there is no run to resume; begin one without --resume")
    with _resumed(order) if there else _begun(order) as breeder:
        yield breeder


@contextmanager
def _begun(order: Order) -> Iterator[Breeder]:
    settings = _checked(replace(Settings(), **order.given))
    instrument = open_instrument(order.model or DEFAULT_MODEL, order.device)
    excerpts, source = _excerpts(order.sounds, settings, instrument)
    settings = replace(settings, excerpts=source)
    embedding = instrument.calibrated(settings.embedding, settings.steps, settings.seed)
    header = Header(
        instrument.model.name, digest(instrument.model.decoder), instrument.model.latent_dim, settings.steps,
        settings.embedding, settings.seed, embedding.calibration, settings.as_dict(),
    )  # fmt: skip
    with (
        open_store(order.out, header, None, excerpts if settings.init == "dataset" else None) as store,
        _memory(order, settings) as memory,
        _evaluator(order, instrument, settings, embedding.calibration, excerpts) as evaluator,
    ):
        memory.clear()  # of a run that was here before
        search = new_search(
            instrument.space, settings, excerpts=excerpts, founders_at_once=settings.container, memory=memory
        )
        yield Breeder(search, evaluator, store)


@contextmanager
def _resumed(order: Order) -> Iterator[Breeder]:
    with read_store(order.out) as held:
        header, excerpts = held.header, held.excerpts()
    settings = _settings_of(order, header)
    instrument = open_instrument(order.model or header.model, order.device)
    model = instrument.model
    wanted = replace(header, model=model.name, decoder_sha256=digest(model.decoder), latent_dim=model.latent_dim)
    with open_store(order.out, wanted, keep=None) as store, _memory(order, settings) as memory:
        embedded = store.embedded()
        search = new_search(
            instrument.space, settings, excerpts=excerpts, founders_at_once=settings.container, memory=memory
        )
        if not resume(search, store):
            memory.clear()
        with _evaluator(order, instrument, settings, embedded.calibration, excerpts) as evaluator:
            yield Breeder(search, evaluator, store, embedded.number)


def _settings_of(order: Order, header: Header) -> Settings:
    """The run's own settings; those on the command line may only repeat them."""
    if header.settings is None:
        raise StoreError(f"{order.out}: holds a show, not a run of evolve; allowed are files evolve wrote")
    settings = Settings.of(header.settings)
    if wrong := settings.differences(replace(settings, **order.given)):
        raise StoreError(f"{order.out}: a run goes on with the settings it began with: {'; '.join(wrong)}")
    if order.sounds is not None:
        raise StoreError(f"{order.out}: a run goes on with the sounds it began with; leave {order.sounds} out")
    return settings


def _checked(settings: Settings) -> Settings:
    if wrong := settings.faults():
        raise InstallationError("\n".join(f"evolve: --{fault}" for fault in wrong))
    return settings


def _excerpts(sounds: Path | None, settings: Settings, instrument: Instrument) -> tuple[Floats, str]:
    """What founders are drawn from, and how it is known again; nothing unless they are drawn from a data set."""
    if settings.init != "dataset":
        return np.zeros((0, instrument.model.latent_dim), np.float32), ""
    latents = instrument.excerpts if sounds is None else encoded(sounds, instrument)
    if len(latents) < settings.steps:
        place = sounds or instrument.model.folder
        raise InstallationError(f"{place}: {len(latents)} latents of sound, a trajectory has {settings.steps}")
    return latents, hashlib.sha256(np.ascontiguousarray(latents, "<f4").tobytes()).hexdigest()


def encoded(sounds: Path, instrument: Instrument) -> Floats:
    """The latents of a sound file, or of all in a folder, by the model's own encoder, (steps, latent_dim)."""
    if instrument.encode is None:
        raise InstallationError(f"model {instrument.model.name}: has no encoder; --init dataset PATH needs one")
    rate_hz, ratio = instrument.model.sample_rate_hz, instrument.model.ratio
    found, passed_over = list[Floats](), list[str]()
    for path in tqdm(sound_files(sounds), unit="file", desc="encode", disable=None, leave=False):
        try:
            found.append(encode_whole(read(path, rate_hz), ratio, instrument.encode))
        except SoundFileError as error:
            passed_over.append(str(error))
    if not found:
        raise SoundFileError("\n".join(passed_over))
    for fault in passed_over:
        tqdm.write(f"passed over: {fault}", file=sys.stderr)
    return np.concatenate(found)


def _memory(order: Order, settings: Settings) -> closing[Memory]:
    """What holds the archive's points: a large one in a folder beside the store."""
    return closing(memory_for(settings.archive, order.out.with_name(f"{order.out.name}.neighbours"), cores()))


@contextmanager
def _evaluator(
    order: Order, instrument: Instrument, settings: Settings, calibration: Calibration, excerpts: Floats | None
) -> Iterator[Evaluator]:
    """Here, or on a cluster, the same to the bit."""
    no_excerpts = np.zeros((0, instrument.model.latent_dim), np.float32)
    far = limit(no_excerpts if excerpts is None else excerpts, settings.steps, instrument.space)
    if order.cluster is None:
        embedding = instrument.embedding(settings.embedding, calibration)
        with instrument.evaluator(embedding, settings.quality, far) as local:
            yield local
        return
    from installation.evolution.cluster import Cluster

    folder = str(instrument.model.folder.resolve())
    build = partial(built, folder, order.device, settings.embedding, calibration, settings.quality, far)
    with Cluster(order.cluster, build, order.out.stem, settings.seed, log=tqdm.write) as cluster:
        yield cluster


def built(
    model: str, device: str, embedding: str, calibration: Calibration, gate: bool, strayed_at_most: float
) -> Local:
    """An evaluator on one thread of its own, where a cluster wants one."""
    instrument = open_instrument(model, device, 1)
    return instrument.evaluator(instrument.embedding(embedding, calibration), gate, strayed_at_most)
