"""Breeding on a decoder of sines, offline and as the process: what it sends, obeys, keeps and survives."""

from __future__ import annotations

import itertools
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from installation.breeder import BreederSetup, Shell, header_for, main, offline
from installation.commands import Play, Pulse, Reset, Said, Set, Stop
from installation.errors import StoreError
from installation.evolution.audition import WARM_STEPS, audition
from installation.evolution.breeding import BATCH, Breeder, calibrate, new_search, resume
from installation.evolution.embedding.texture import Texture
from installation.evolution.genotype import Space
from installation.evolution.quality import REASONS, faults
from installation.evolution.search import Search, Steering
from installation.evolution.store import Store, open_store
from installation.link import Link
from installation.model import load
from installation.sound.decoder import DECODERS
from tests.synthesis import RATE_HZ, SineDecoder

SPACE = Space(np.zeros(4, np.float32), np.ones(4, np.float32))
STEPS = 12


def search(seed: int = 0, container: int = 16, brood: int = 10) -> Search:
    return new_search(SPACE, STEPS, container, brood, seed, archive=30, steering=Steering(neighbours=5))


def breeder(seed: int = 0, store: Store | None = None, decoder: SineDecoder | None = None) -> Breeder:
    decode = audition(decoder or SineDecoder())
    embedding = Texture(RATE_HZ)
    calibrate(embedding, decode, SPACE, STEPS, np.zeros((0, 4), np.float32), seed)
    return Breeder(search(seed), decode, embedding, store)


def lived(subject: Breeder, generations: int) -> list[tuple[int, bytes, float]]:
    born = []
    for _ in range(generations):
        born += [(each.identity, each.latents.tobytes(), each.sparseness) for each in subject.generation()]
    return born


# ---- the gate


def test_the_gate_refuses_each_fault_by_name_and_nothing_else() -> None:
    time_s = np.arange(8000) / RATE_HZ
    good = 0.2 * np.sin(2 * np.pi * 220 * time_s)
    broken, infinite = good.copy(), good.copy()
    broken[5], infinite[9] = np.nan, np.inf
    clicked = good.copy()
    clicked[100] = 1.0
    clips = [
        good,
        broken,
        infinite,
        good * 1e-4,
        np.clip(good * 20, -1, 1),
        good + 0.4,
        good * 0 + 0.5,
        clicked,
        good * 4.9,
    ]
    expected = [None, "not_finite", "not_finite", "silent", "clipped", "offset", "offset", None, None]
    assert faults(np.array(clips, np.float32)) == expected
    assert set(expected) - {None} == set(REASONS)


# ---- the audition


def test_an_audition_starts_from_nothing_each_time_and_cuts_its_warming_off() -> None:
    decoder = SineDecoder(ratio=64)
    decode = audition(decoder)
    latents = np.random.default_rng(0).standard_normal((3, STEPS, 4)).astype(np.float32)
    sound = decode(latents)
    assert sound.shape == (3, STEPS * 64)
    decode(latents[::-1])
    assert np.array_equal(decode(latents), sound)
    warmed = np.concatenate([np.repeat(latents[:, :1], WARM_STEPS, 1), latents], axis=1)
    whole, _ = decoder.decode(warmed, decoder.start(3))
    assert np.array_equal(whole[:, WARM_STEPS * 64 :, 0], sound)


def test_channels_are_averaged() -> None:
    class Stereo(SineDecoder):
        def decode(self, latents: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
            sound, state = super().decode(latents, state)
            return np.concatenate([sound, 0.5 * sound], axis=2), state

    latents = np.zeros((1, 3, 4), np.float32)
    assert np.allclose(audition(Stereo())(latents), 0.75 * audition(SineDecoder())(latents), atol=1e-6)


# ---- breeding, offline


def test_the_same_seed_breeds_the_same_and_another_does_not() -> None:
    first, second, third = (lived(breeder(seed), 8) for seed in (1, 1, 2))
    assert first == second != third and len(first) >= 16


def test_stopped_and_resumed_through_the_store_it_breeds_as_if_it_had_not(tmp_path: Path) -> None:
    whole = lived(breeder(3), 9)
    header = replace(header_of(3), calibration=breeder(3).embedding.calibration)
    with open_store(tmp_path / "s.db", header) as store:
        born = lived(breeder(3, store), 5)
    with open_store(tmp_path / "s.db", header_of(3)) as store:
        again = Breeder(search(77), audition(SineDecoder()), Texture(RATE_HZ, store.header.calibration), store)
        assert resume(again.search, store)
        born += lived(again, 4)
    assert born == whole


def header_of(seed: int) -> Any:
    from installation.evolution.store import Header

    return Header("sines", "00", 4, STEPS, "texture", seed)


def test_only_children_are_decoded_and_in_small_batches() -> None:
    sizes: list[int] = []

    class Counting(SineDecoder):
        def decode(self, latents: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
            sizes.append(len(latents))
            return super().decode(latents, state)

    subject = breeder(0, None, Counting())
    sizes.clear()
    lived(subject, 6)
    assert sum(sizes) == subject.search.evaluations == 16 + 4 * 10 and max(sizes) <= BATCH


def test_what_the_gate_refuses_is_counted_and_never_lives() -> None:
    class Broken(SineDecoder):
        def decode(self, latents: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
            sound, state = super().decode(latents, state)
            sound[latents[:, -1, 0] > 0] = np.nan
            return sound, state

    subject = breeder(0, None, Broken())
    lived(subject, 12)
    assert subject.rejected["not_finite"] > 10 and subject.rejected["silent"] == 0
    assert subject.search.container and all(each.latents[-1, 0] <= 0 for each in subject.search.container)
    assert all(np.isfinite(each.embedding).all() for each in subject.search.container)


def test_a_brood_given_up_leaves_the_container_alone() -> None:
    subject = breeder()
    lived(subject, 3)
    before = subject.search.trajectories(), subject.search.generation
    assert subject.generation(lambda: False) == ()
    after = subject.search.trajectories(), subject.search.generation
    assert [each.identity for each in before[0]] == [each.identity for each in after[0]] and before[1] == after[1]
    assert subject.generation() is not None and subject.search.generation == before[1] + 1


def test_a_store_that_fails_does_not_end_the_search_and_is_caught_up_with(tmp_path: Path) -> None:
    class Full(Store):
        full = False

        def save(self, *all_of_it: Any) -> None:
            if self.full:
                raise StoreError("disk full")
            super().save(*all_of_it)

    with open_store(tmp_path / "s.db", header_of(0)) as opened:
        store = Full(opened.path, opened._connection, opened.header)
        subject = breeder(0, store)
        lived(subject, 3)
        store.full = True
        assert lived(subject, 3) and subject.store_fault == "disk full"
        store.full = False
        lived(subject, 1)
        assert subject.store_fault is None
        assert [each.identity for each in store.container()] == [each.identity for each in subject.search.container]


def test_breeding_makes_the_sounds_less_alike() -> None:
    subject = breeder()
    lived(subject, 2)
    first = subject.search.mean_sparseness
    lived(subject, 25)
    assert subject.search.mean_sparseness > 1.15 * first


# ---- the shell, in this process, on a clock that stands still


def _sines(path: Path, device: str) -> SineDecoder:
    return SineDecoder()


def child(connection: Connection, setup: BreederSetup) -> None:
    """The breeder's main, in a process that knows the decoder of sines."""
    DECODERS[".sines"] = _sines
    main(connection, setup)


@pytest.fixture
def setup(tmp_path: Path) -> BreederSetup:
    folder = tmp_path / "models" / "sines"
    folder.mkdir(parents=True)
    (folder / "decoder.sines").write_text("sines")
    latents = {"mean": [0.0] * 4, "deviation": [1.0] * 4, "low": [-3.0] * 4, "high": [3.0] * 4}
    card = {"name": "sines", "sample_rate_hz": RATE_HZ, "ratio": 256, "latent_dim": 4, "decoder": "decoder.sines"}
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, "latents": latents}))
    return BreederSetup(
        model="sines",
        models=tmp_path / "models",
        store=tmp_path / "s.db",
        seed=5,
        container=12,
        brood=8,
        steps=STEPS,
        archive=20,
        values={"/evolution/interval": 0.1, "/evolution/neighbours": 4},
    )


@pytest.fixture
def shell(setup: BreederSetup, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Shell, Connection, list[float]]]:
    """A shell that has founded its container; the conductor's end of its pipe; its clock."""
    monkeypatch.setitem(DECODERS, ".sines", _sines)
    ours, theirs = multiprocessing.Pipe()
    clock = [100.0]
    with ExitStack() as opened:
        opened.callback(ours.close)
        opened.callback(theirs.close)
        subject = Shell(Link(theirs, "breeder"), setup, lambda: clock[0])
        subject.breeder = subject.open(opened)
        while subject.breeder.search.founding:
            subject.turn(subject.breeder)
        yield subject, ours, clock


def test_a_generation_comes_at_most_once_an_interval_and_not_at_all_at_rest(
    shell: tuple[Shell, Connection, list[float]],
) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    counts = []
    for passed_s, running in ((0.0, 1), (0.05, 1), (0.06, 1), (0.01, 1), (5.0, 0), (5.0, 0), (0.0, 1)):
        clock[0] += passed_s
        conductor.send(Set("/evolution/running", running))
        subject.turn(subject.breeder)
        counts.append(subject.breeder.search.generation)
    assert [count - counts[0] for count in counts] == [0, 0, 1, 1, 1, 1, 2]


def test_a_knob_turned_during_a_brood_is_obeyed_by_the_next(shell: tuple[Shell, Connection, list[float]]) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    breeder, decode = subject.breeder, subject.breeder.decode

    def turning(latents: np.ndarray) -> np.ndarray:
        for address in ("/evolution/mutation_rate", "/evolution/crossover", "/evolution/sigma"):
            conductor.send(Set(address, 0.0))
        conductor.send(Set("/evolution/neighbours", 3))
        conductor.send(Set("/voice/gain", -60.0))
        return decode(latents)

    breeder.decode = turning
    clock[0] += 1.0
    subject.turn(breeder)
    pool = {each.latents.tobytes() for each in breeder.search.container}
    heard: list[np.ndarray] = []
    breeder.decode = lambda latents: heard.append(latents) or decode(latents)  # type: ignore[func-returns-value]
    clock[0] += 1.0
    subject.turn(breeder)
    assert heard and {each.tobytes() for batch in heard for each in batch} <= pool
    assert breeder.search.steering.neighbours == 3


def test_a_value_out_of_range_is_refused_aloud_and_a_stop_ends_a_brood(
    shell: tuple[Shell, Connection, list[float]],
) -> None:
    subject, conductor, clock = shell
    assert subject.breeder is not None
    conductor.send(Set("/evolution/sigma", 99.0))
    conductor.send(Stop())
    generation = subject.breeder.search.generation
    clock[0] += 1.0
    subject.turn(subject.breeder)
    assert subject.breeder.search.generation == generation and subject.link.stopped
    said = []
    while conductor.poll():
        message = conductor.recv()
        said += [message.sentence] if isinstance(message, Said) else []
    assert said == ["/evolution/sigma: 99 is outside 0..3"]


# ---- the process


class Conversation:
    """The conductor's end: what was heard from the child, by kind."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.plays: list[Play] = []
        self.pulses: list[Pulse] = []
        self.said: list[str] = []

    def listen(self, enough: Any, seconds: float = 30.0) -> None:
        until_s = time.monotonic() + seconds
        while not enough():
            assert time.monotonic() < until_s, f"not heard in {seconds} s; said: {self.said}"
            if self.connection.poll(0.05):
                self._take(self.connection.recv())

    def _take(self, message: Any) -> None:
        if isinstance(message, Play):
            self.plays.append(message)
        elif isinstance(message, Pulse):
            self.pulses.append(message)
        elif isinstance(message, Said):
            self.said.append(message.sentence)

    @property
    def generations(self) -> int:
        return int(self.pulses[-1].figures.get("generations", 0)) if self.pulses else 0


@contextmanager
def running(setup: BreederSetup) -> Iterator[tuple[Conversation, Any]]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=child, args=(theirs, setup), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Conversation(ours), process
    finally:
        process.kill()
        process.join()
        ours.close()


def stop(heard: Conversation, process: Any) -> None:
    heard.connection.send(Stop())
    process.join(5)
    assert process.exitcode == 0


def test_the_process_founds_breeds_obeys_stops_and_resumes_at_once(setup: BreederSetup) -> None:
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations >= 5)
        assert heard.plays[0].replace and not any(play.replace for play in heard.plays[1:])
        born = [each.identity for play in heard.plays for each in play.trajectories]
        assert len(born) == len(set(born)) >= 12 and born == sorted(born)
        assert all(each.latents.shape == (STEPS, 4) for play in heard.plays for each in play.trajectories)

        heard.connection.send(Set("/evolution/running", 0.0))
        at = len(heard.pulses)
        heard.listen(lambda: len(heard.pulses) >= at + 3)
        generations = heard.generations
        heard.listen(lambda: len(heard.pulses) >= at + 6)
        assert heard.generations == generations
        progress = [pulse.progress for pulse in heard.pulses]
        assert all(a < b for a, b in itertools.pairwise(progress))

        heard.connection.send(Reset())
        heard.connection.send(Set("/evolution/running", 1.0))
        plays = len(heard.plays)
        heard.listen(lambda: len(heard.plays) > plays)
        assert heard.plays[plays].replace
        stop(heard, process)
        figures = heard.pulses[-1].figures
        assert {"generations", "evaluations", "mean_sparseness", "rejected"} <= set(figures)

    model = load("sines", setup.models)
    with open_store(setup.store, header_for(setup, model)) as store:  # type: ignore[arg-type]
        container = [each.identity for each in store.container()]
    with running(replace(setup, values={"/evolution/running": 0.0})) as (heard, process):
        heard.listen(lambda: heard.plays)
        assert heard.plays[0].replace
        assert [each.identity for each in heard.plays[0].trajectories] == container
        stop(heard, process)


def test_killed_it_goes_on_from_its_last_generation(setup: BreederSetup) -> None:
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations >= 4)
        generations = heard.generations
        process.kill()
        process.join()
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations > generations)
        assert len(heard.plays[0].trajectories) == 12
        stop(heard, process)


def test_a_store_of_another_shape_is_moved_aside_and_said(setup: BreederSetup) -> None:
    assert setup.store is not None
    open_store(setup.store, replace(header_for(setup, load("sines", setup.models)), steps=99)).close()
    with running(setup) as (heard, process):
        heard.listen(lambda: heard.generations >= 1)
        assert any("steps is 99, wanted 12" in each and "s.1.db" in each for each in heard.said)
        stop(heard, process)
    assert (setup.store.parent / "s.1.db").exists() and setup.store.exists()


def test_a_disk_that_says_no_is_said_and_the_show_goes_on(setup: BreederSetup, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with running(replace(setup, store=tmp_path / "file" / "s.db")) as (heard, process):
        heard.listen(lambda: heard.generations >= 3)
        assert any("Nothing is kept" in each for each in heard.said)
        stop(heard, process)


def test_a_missing_model_is_said_in_one_sentence_and_ends_it(setup: BreederSetup) -> None:
    with running(replace(setup, model="glass")) as (heard, process):
        heard.listen(lambda: heard.said)
        process.join(10)
        assert process.exitcode == 1 and "no model 'glass'" in heard.said[0] and "Traceback" not in heard.said[0]


def test_offline_is_deterministic_and_the_same_as_the_setup_says(setup: BreederSetup) -> None:
    model = load("sines", setup.models)
    lives = [lived(offline(setup, model, SineDecoder()), 4) for _ in range(2)]
    assert lives[0] == lives[1] and len(lives[0]) >= 12
