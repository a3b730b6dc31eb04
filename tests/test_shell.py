"""The breeder's shell steered: wishes, choices, budget and the sound's strain, on a decoder of sines and a clock that
only waiting moves."""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from installation.breeder import Shell
from installation.breeder_setup import BreederSetup, movable, steering
from installation.commands import Forget, More, Never, Pin, Play, Reset, Revive, Said, Set, Stop, Strain, Unpin
from installation.evolution.breeding import Breeder
from installation.link import Link
from installation.parameters import EMBEDDINGS, OPERATORS, RECOMBINATIONS, SELECTIONS, Values, declared
from installation.sound.decoder import DECODERS
from tests.synthesis import RATE_HZ, SineDecoder

pytestmark = pytest.mark.alone

STEPS = 12
STEP_MS = 40.0


class Waiting(Link):
    """Waits by turning the clock on; `sent` is all it sent upward, `meanwhile` is called at each wait."""

    def __init__(self, connection: Connection, clock: list[float]) -> None:
        super().__init__(connection, "breeder")
        self.clock = clock
        self.sent: list[Any] = []
        self.meanwhile: Callable[[], None] = lambda: None

    def send(self, message: Any) -> None:
        self.sent.append(message)

    def wait(self, seconds: float) -> None:
        self.clock[0] += seconds
        self.meanwhile()


class Desk:
    """A shell that has founded its container, and the conductor's end of its pipe."""

    def __init__(self, setup: BreederSetup, opened: ExitStack) -> None:
        self.conductor, theirs = multiprocessing.Pipe()
        opened.callback(self.conductor.close)
        opened.callback(theirs.close)
        self.clock = [100.0]
        self.link = Waiting(theirs, self.clock)
        self.shell = Shell(self.link, setup, lambda: self.clock[0])
        self.shell.breeder = self.breeder = self.shell.open(opened)
        while self.breeder.search.founding:
            self.turn()
        self.heard()

    def turn(self, *commands: Any) -> None:
        for command in commands:
            self.conductor.send(command)
        self.shell.turn(self.breeder)

    def heard(self) -> list[Any]:
        """What was sent upward since this was last asked."""
        found, self.link.sent = self.link.sent, []
        return found

    def said(self) -> list[str]:
        return [each.sentence for each in self.heard() if isinstance(each, Said)]

    def first(self) -> list[int]:
        """Identities of what is to be played before all else."""
        plays = [each for each in self.heard() if isinstance(each, Play) and each.first]
        return [each.identity for play in plays for each in play.trajectories]

    @property
    def living(self) -> list[int]:
        return [each.identity for each in self.breeder.search.container]

    def brood(self) -> None:
        """Until one more generation has been bred."""
        generation = self.breeder.search.generation
        while self.breeder.search.generation == generation:
            self.turn()


@pytest.fixture
def opened() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BreederSetup:
    monkeypatch.setitem(DECODERS, ".sines", lambda path, device: SineDecoder())
    folder = tmp_path / "models" / "sines"
    folder.mkdir(parents=True)
    (folder / "decoder.sines").write_text("sines")
    latents = {"mean": [0.0] * 4, "deviation": [1.0] * 4, "low": [-3.0] * 4, "high": [3.0] * 4}
    card = {"name": "sines", "sample_rate_hz": RATE_HZ, "ratio": 256, "latent_dim": 4, "decoder": "decoder.sines"}
    (folder / "card.yaml").write_text(yaml.safe_dump({**card, "latents": latents}))
    values = {"/evolution/interval": 0.1, "/evolution/neighbours": 4}
    store = tmp_path / "s.db"
    return BreederSetup(
        "sines", tmp_path / "models", store=store, seed=5, container=12, brood=16, steps=STEPS, values=values
    )


@pytest.fixture
def desk(setup: BreederSetup, opened: ExitStack) -> Desk:
    return Desk(setup, opened)


# ---- what the parameters say


def test_every_choice_and_switch_reaches_the_search() -> None:
    values = Values(declared(3))
    names = ("operator", OPERATORS), ("recombination", RECOMBINATIONS), ("selection", SELECTIONS)
    for key, choices in names:
        for place, name in enumerate(choices):
            values.set(f"/evolution/{key}", place)
            assert getattr(steering(values), key) == name
    values.set("/evolution/quality", 0.25)
    values.set("/latent/1/evolve", 0.0)
    turned = steering(values)
    assert turned.quality == 0.25 and turned.mask is not None and turned.mask.tolist() == [True, False, True]
    assert movable(Values(declared(0))) is None


def test_a_latent_that_may_not_evolve_stays_what_its_parents_have(desk: Desk) -> None:
    still = [Set(f"/latent/{n}/evolve", 0.0) for n in (0, 2)]
    desk.turn(*still, Set("/evolution/crossover", 0.0), Set("/evolution/mutation_rate", 1.0))
    desk.brood()
    held = {each.latents[:, [0, 2]].tobytes() for each in desk.breeder.search.container}
    before = desk.breeder.search.generation
    desk.brood()
    born = [each for each in desk.breeder.search.container if each.generation > before]
    assert born and all(each.latents[:, [0, 2]].tobytes() in held for each in born)
    assert any(each.latents[:, [1, 3]].tobytes() not in held for each in born)


def test_a_parameter_of_another_model_is_not_the_breeder_s_affair(desk: Desk) -> None:
    desk.turn(Set("/latent/40/evolve", 0.0), Set("/evolution/operator", 99.0))
    assert desk.said() == [f"/evolution/operator: 99 is outside 0..6: {', '.join(OPERATORS)}"]


# ---- wishes


def test_wishes_are_carried_out_before_the_next_brood(desk: Desk) -> None:
    more, never, pin = desk.living[:3]
    desk.turn(More(more), Never(never), Pin(pin))
    assert desk.first() == [more, pin]
    assert never not in desk.living and desk.breeder.search.wishes.pinned == {pin}
    for _ in range(10):
        desk.brood()
    assert pin in desk.living and never not in desk.living
    desk.turn(Unpin(pin))
    assert desk.breeder.search.wishes.pinned == set()


def test_what_is_gone_is_recalled_from_the_store(desk: Desk) -> None:
    founders = set(desk.living)
    while founders <= set(desk.living):
        desk.brood()
    gone = min(founders - set(desk.living))
    desk.heard()
    desk.turn(Set("/evolution/running", 0.0), Revive(gone))
    assert gone in desk.living and desk.first() == [gone]


def test_forgetting_empties_the_archive(desk: Desk) -> None:
    while not len(desk.breeder.search.archive):
        desk.brood()
    desk.turn(Set("/evolution/running", 0.0), Forget())
    assert len(desk.breeder.search.archive) == 0


def test_what_cannot_be_granted_is_said_and_the_search_goes_on(desk: Desk) -> None:
    desk.turn(More(10**6), Never(10**6), Pin(10**6), Unpin(desk.living[0]), Revive(10**6), More(None))
    *unknown, nobody = desk.said()
    assert unknown == [
        f"{wish}: the search knows none such"
        for wish in ("more 1000000", "never 1000000", "pin 1000000", f"unpin {desk.living[0]}", "revive 1000000")
    ]
    assert nobody == "more None: names no trajectory"
    desk.turn(*[Pin(identity) for identity in desk.living])
    assert len(desk.said()) == len(desk.living) - len(desk.breeder.search.wishes.pinned) > 0
    desk.brood()


def test_a_wish_in_a_brood_is_carried_out_between_two_batches_and_the_brood_goes_on(desk: Desk) -> None:
    banished, batches = desk.living[0], []
    evaluator: Any = desk.breeder.evaluator
    hear = evaluator.hear

    def meanwhile(latents: np.ndarray) -> Any:
        batches.append(banished in desk.living)
        if len(batches) == 1:
            desk.conductor.send(Never(banished))
        return hear(latents)

    evaluator.hear = meanwhile
    desk.brood()
    assert batches == [True, False, False, False] and banished not in desk.living
    assert desk.breeder.search.evaluations == 12 + 16


def test_after_a_reset_the_player_still_knows_what_is_pinned(desk: Desk) -> None:
    kept = desk.living[0]
    desk.turn(Pin(kept))
    desk.turn(Reset())
    while desk.breeder.search.founding:
        desk.turn()
    plays = [each for each in desk.heard() if isinstance(each, Play)]
    first = next(play for play in plays if play.replace)
    assert kept in {each.identity for each in first.trajectories}


# ---- what novelty is measured on


def test_another_embedding_is_switched_to_and_kept(desk: Desk, setup: BreederSetup, opened: ExitStack) -> None:
    desk.turn(Set("/evolution/embedding", EMBEDDINGS.index("mfcc")))
    assert desk.said() == ["novelty is measured on mfcc now"]
    size = len(desk.breeder.search.container[0].embedding)
    assert size == desk.breeder.evaluator.size != 124
    desk.brood()
    desk.link.stopped = True
    opened.close()
    with ExitStack() as again:
        resumed = Desk(setup, again)  # the scene's own choice, texture, holds from the first turn on
        resumed.turn()
        assert resumed.breeder.evaluator.size == 124
        assert {len(each.embedding) for each in resumed.breeder.search.container} == {124}


def test_an_embedding_that_can_t_be_had_is_said_and_turned_back(desk: Desk) -> None:
    desk.turn(Set("/evolution/embedding", EMBEDDINGS.index("rave")))
    heard = desk.heard()
    assert [each for each in heard if isinstance(each, Set)] == [Set("/evolution/embedding", 0.0)]
    (said,) = [each.sentence for each in heard if isinstance(each, Said)]
    assert said.endswith("Novelty is measured on texture, not on rave")
    desk.turn()
    assert desk.said() == []
    desk.brood()


def test_another_wanted_while_one_can_t_be_had_is_not_turned_back(desk: Desk) -> None:
    instrument: Any = desk.shell.instrument
    calibrated = instrument.calibrated

    def slow(name: str, *rest: Any) -> Any:
        if name == "rave":
            desk.conductor.send(Set("/evolution/embedding", EMBEDDINGS.index("mfcc")))
        return calibrated(name, *rest)

    object.__setattr__(instrument, "calibrated", slow)
    desk.turn(Set("/evolution/embedding", EMBEDDINGS.index("rave")))
    desk.turn()
    assert not [each for each in desk.heard() if isinstance(each, Set)]
    assert desk.shell.values.name("/evolution/embedding") == "mfcc"
    assert desk.breeder.evaluator.size == len(desk.breeder.search.container[0].embedding) != 124


def test_what_lived_under_another_embedding_is_recalled_with_points_of_this_one(desk: Desk) -> None:
    founders = set(desk.living)
    while founders <= set(desk.living):
        desk.brood()
    gone = min(founders - set(desk.living))
    desk.turn(Set("/evolution/embedding", EMBEDDINGS.index("mfcc")))
    desk.turn(Set("/evolution/running", 0.0), Revive(gone))
    assert gone in desk.living
    assert {len(each.embedding) for each in desk.breeder.search.container} == {desk.breeder.evaluator.size}


def test_a_scene_s_embedding_that_can_t_be_had_gives_way_to_the_one_that_needs_nothing(
    setup: BreederSetup, opened: ExitStack
) -> None:
    setup.values["/evolution/embedding"] = EMBEDDINGS.index("rave")
    desk = Desk(setup, opened)
    assert desk.breeder.evaluator.size == 124 and desk.shell.values.name("/evolution/embedding") == "texture"
    desk.brood()


def test_a_reset_while_the_first_sounds_are_measured_does_not_leave_that_undone(
    setup: BreederSetup, opened: ExitStack
) -> None:
    found = []
    for number, sent in enumerate(((), (Reset(),))):
        conductor, theirs = multiprocessing.Pipe()
        opened.callback(conductor.close)
        opened.callback(theirs.close)
        for command in sent:
            conductor.send(command)
        shell = Shell(Waiting(theirs, [0.0]), setup, lambda: 0.0)
        stores = ExitStack()
        breeder = shell.open(stores)
        found.append(calibration(breeder))
        stores.close()
        assert setup.store is not None
        setup.store.rename(setup.store.with_name(f"{number}.db"))
    assert found[0] == found[1] != {}


def calibration(breeder: Breeder) -> dict[str, Any]:
    evaluator: Any = breeder.evaluator
    return dict(evaluator.embedding.calibration)


# ---- the budget


def evaluations(desk: Desk, seconds: float) -> int:
    """How many in so many seconds of the desk's clock, evaluating taking none."""
    before, until_s = desk.shell.breeder.search.evaluations, desk.clock[0] + seconds  # type: ignore[union-attr]
    while desk.clock[0] < until_s:
        desk.turn()
        desk.clock[0] += 0.01
    return desk.breeder.search.evaluations - before


@pytest.mark.parametrize(("limit", "seconds"), [(0.5, 200.0), (3.0, 60.0), (25.0, 20.0)])
def test_no_more_is_evaluated_a_second_than_the_budget_allows(desk: Desk, limit: float, seconds: float) -> None:
    desk.turn(Set("/evolution/budget", limit))
    found = evaluations(desk, seconds)
    assert 0.95 * limit * seconds - 2 * 16 <= found <= limit * seconds + 16


def test_all_the_way_up_the_budget_is_no_limit(desk: Desk) -> None:
    desk.turn(Set("/evolution/budget", 1000.0), Set("/evolution/interval", 0.1))
    assert desk.shell.budget.limit == math.inf
    assert evaluations(desk, 10.0) > 500


def test_while_the_sound_is_strained_it_waits_and_obeys_and_afterwards_goes_on(desk: Desk) -> None:
    desk.turn(Strain(0.9 * STEP_MS, STEP_MS))
    assert evaluations(desk, 60.0) == 0
    assert desk.shell._figures()["budget"] == "paused" and desk.shell._figures()["evaluations_a_second"] == 0.0
    more = desk.living[0]
    desk.heard()
    desk.turn(More(more))
    assert desk.first() == [more]
    for _ in range(30):
        desk.turn(Strain(0.1 * STEP_MS, STEP_MS))
    assert desk.shell._figures()["budget"] == "free"
    assert evaluations(desk, 10.0) > 100


def test_strained_within_a_brood_it_waits_between_two_batches_and_pulses_until_stopped(desk: Desk) -> None:
    banished, waits = desk.living[0], [0]
    evaluator: Any = desk.breeder.evaluator
    hear = evaluator.hear

    def straining(latents: np.ndarray) -> Any:
        desk.conductor.send(Strain(0.9 * STEP_MS, STEP_MS))
        return hear(latents)

    def meanwhile() -> None:
        waits[0] += 1
        if waits[0] == 20:
            desk.conductor.send(Never(banished))
        if waits[0] == 40:
            assert banished not in desk.living
            desk.conductor.send(Stop())

    evaluator.hear = straining
    generation, turns = desk.breeder.search.generation, desk.shell.turns
    while not desk.link.stopped:
        desk.turn()
        desk.link.meanwhile = meanwhile
    assert waits[0] == 40 and desk.shell.turns - turns >= 40
    assert desk.breeder.search.generation == generation
