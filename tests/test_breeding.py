"""Breeding on a decoder of sines: what it evaluates, refuses, keeps, and what people may want of it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.errors import StoreError
from installation.evolution.audition import WARM_STEPS, audition
from installation.evolution.breeding import BANISHED, STEADY, Breeder, calibrate, new_search, prior, resume
from installation.evolution.diagnosis import Diagnosis
from installation.evolution.embedding.mfcc import Mfcc
from installation.evolution.embedding.texture import Texture
from installation.evolution.evaluation import BATCH, Local, batches
from installation.evolution.genotype import Space, reflect
from installation.evolution.kept import Header
from installation.evolution.quality import REASONS, STRAYED, judge, limit, only_finite, strays
from installation.evolution.search import Search
from installation.evolution.settings import Settings
from installation.evolution.sparseness import distances, sparseness
from installation.evolution.steering import Steering
from installation.evolution.store import Store, open_store
from tests.synthesis import RATE_HZ, SineDecoder

SPACE = Space(np.zeros(4, np.float32), np.ones(4, np.float32))
STEPS = 12
NONE = np.zeros((0, 4), np.float32)


def search(seed: int = 0, container: int = 16, brood: int = 10, **turned: Any) -> Search:
    settings = Settings(container=container, brood=brood, steps=STEPS, seed=seed, init="normal", archive=30)
    return new_search(SPACE, settings, steering=replace(Steering(neighbours=5), **turned))


def local(seed: int = 0, decoder: SineDecoder | None = None, threads: int = 1) -> Local:
    decode = audition(decoder or SineDecoder())
    embedding = Texture(RATE_HZ)
    calibrate(embedding, decode, SPACE, STEPS, NONE, seed)
    return Local(decode, embedding, SPACE, threads=threads)


def breeder(seed: int = 0, store: Store | None = None, decoder: SineDecoder | None = None) -> Breeder:
    return Breeder(search(seed), local(seed, decoder), store)


def lived(subject: Breeder, generations: int) -> list[tuple[int, bytes, float]]:
    born = []
    for _ in range(generations):
        born += [(each.identity, each.latents.tobytes(), each.sparseness) for each in subject.generation()]
    return born


def header_of(seed: int) -> Header:
    return Header("sines", "00", 4, STEPS, "texture", seed, local(seed).embedding.calibration)


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
        good,
    ]
    latents = np.zeros((len(clips), STEPS, 4), np.float32)
    latents[-1] = 2.0
    expected = [None, "not_finite", "not_finite", "silent", "clipped", "offset", "offset", None, None]
    judged = judge(np.array(clips, np.float32), latents, SPACE)
    assert judged.reasons == (*expected, "out_of_distribution")
    assert set(judged.reasons) - {None} == set(REASONS)
    assert np.array_equal(judged.quality > 0, judged.accepted) and judged.quality.max() <= 1.0


def test_quality_falls_with_every_step_towards_a_limit_and_is_nothing_beyond() -> None:
    tone = 0.2 * np.sin(2 * np.pi * 220 * np.arange(8000) / RATE_HZ)
    flat = np.zeros((1, STEPS, 4), np.float32)

    def quality(sound: np.ndarray, latents: np.ndarray = flat) -> float:
        return float(judge(sound[None].astype(np.float32), latents, SPACE).quality[0])

    for worse in (
        [quality(tone * gain) for gain in (1.0, 0.1, 0.03, 0.01, 0.001)],
        [quality(tone + offset) for offset in (0.0, 0.02, 0.04, 0.06, 0.2)],
        [quality(tone, flat + stray) for stray in (1.0, 1.2, 1.4, 1.55, 1.7)],
    ):
        assert all(a > b for a, b in pairwise(worse)) and worse[-1] == 0.0
    assert quality(tone) == 1.0


def test_what_is_drawn_from_the_models_own_distribution_has_not_strayed() -> None:
    drawn = np.random.default_rng(0).standard_normal((200, 64, 4)).astype(np.float32)
    assert abs(strays(drawn, SPACE).mean() - 1) < 0.02 and strays(drawn, SPACE).max() < 0.7 * STRAYED
    noise = np.random.default_rng(0).uniform(-3, 3, (200, 64, 4)).astype(np.float32)
    assert strays(noise, SPACE).min() > STRAYED


def test_founders_drawn_from_sound_far_from_the_models_own_may_be_as_far_as_that() -> None:
    far = np.random.default_rng(0).uniform(-3, 3, (300, 4)).astype(np.float32)
    windows = np.lib.stride_tricks.sliding_window_view(far, STEPS, axis=0).transpose(0, 2, 1)
    assert limit(far, STEPS, SPACE) == pytest.approx(1.1 * strays(windows, SPACE).max())
    assert limit(0.1 * far, STEPS, SPACE) == limit(far[:3], STEPS, SPACE) == STRAYED


def test_with_the_gate_off_only_what_is_no_number_is_refused() -> None:
    clips = np.stack([np.zeros(100), np.ones(100), np.full(100, np.nan)]).astype(np.float32)
    judged = only_finite(clips)
    assert judged.reasons == (None, None, "not_finite") and judged.quality.tolist() == [1.0, 1.0, 0.0]


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
    with open_store(tmp_path / "s.db", header_of(3)) as store:
        born = lived(breeder(3, store), 5)
    with open_store(tmp_path / "s.db", header_of(3)) as store:
        gone_on, embedding = search(77), Texture(RATE_HZ, store.embedded().calibration)
        assert resume(gone_on, store)
        born += lived(Breeder(gone_on, Local(audition(SineDecoder()), embedding, SPACE), store), 4)
    assert born == whole


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
    assert subject.evaluator.batches == len(sizes)


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


# ---- evaluation


def test_any_number_of_threads_finds_the_same_to_the_bit() -> None:
    latents = np.random.default_rng(0).standard_normal((29, STEPS, 4)).astype(np.float32)
    alone = local().evaluate(latents)
    with local(threads=3) as several:
        together = several.evaluate(latents)
        assert several.batches == len(batches(latents)) == 4
    assert alone is not None and together is not None
    assert np.array_equal(alone.embeddings, together.embeddings) and np.array_equal(alone.quality, together.quality)
    assert alone.reasons == together.reasons


@pytest.mark.parametrize("threads", [1, 3])
def test_an_evaluation_that_is_told_to_stop_ends_with_nothing(threads: int) -> None:
    with local(threads=threads) as subject:
        assert subject.evaluate(np.zeros((40, STEPS, 4), np.float32), 0, lambda: False) is None
        assert subject.batches <= 1 + threads


# ---- what a model is, for calibration and reference


def test_the_prior_is_half_normal_half_excerpts_and_the_same_for_the_same_seed() -> None:
    excerpts = np.full((50, 4), 0.25, np.float32)
    drawn = prior(10, SPACE, STEPS, excerpts, 3)
    assert drawn.shape == (10, STEPS, 4) and (drawn[5:] == 0.25).all() and (drawn[:5] != 0.25).all()
    assert np.array_equal(drawn, prior(10, SPACE, STEPS, excerpts, 3))
    assert not np.array_equal(drawn, prior(10, SPACE, STEPS, excerpts, 4))


# ---- what people want of it


def living(subject: Breeder) -> list[int]:
    return [each.identity for each in subject.search.container]


def test_more_like_this_makes_it_a_parent_of_half_the_children_for_some_generations(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        subject = Breeder(search(brood=200), local(), store)
        lived(subject, 3)
        wanted = living(subject)[3]
        (played,) = subject.favour(wanted)
        assert played.identity == wanted
        shares = []
        for _ in range(12):
            subject.search.ask()
            parents = [first for first, _ in subject.search.asked.parents]  # type: ignore[union-attr]
            shares.append(parents.count(wanted) / len(parents))
            lived(subject, 1)
        assert min(shares[:10]) > 0.38 and max(shares[10:]) < 0.38


def test_never_again_takes_it_and_what_is_near_it_out_and_keeps_them_out() -> None:
    subject = breeder()
    lived(subject, 6)
    gone = subject.search.container[0]
    radius = 0.5 * subject.search.mean_sparseness
    assert subject.banish(gone.identity) == ()
    assert gone.identity not in living(subject)
    subject.steer(replace(subject.search.steering, mutation_rate=0.0, crossover=0.0))
    lived(subject, 4)
    born = [each for each in subject.search.container if each.identity > gone.identity and each.generation > 5]
    assert all(distances(each.embedding[None], gone.embedding[None])[0, 0] >= radius for each in born)
    subject.search.wishes.favour(gone)  # only clones of it are bred: every one of them is refused
    subject.search.wishes.share = 1.0
    before = subject.rejected[BANISHED]
    lived(subject, 2)
    assert subject.rejected[BANISHED] == before + 20


def test_pinned_it_survives_every_selection_and_a_reset_until_it_is_let_go() -> None:
    subject = breeder()
    lived(subject, 3)
    kept = living(subject)[int(np.argmin(subject.search.sparseness))]
    subject.pin(kept)
    lived(subject, 25)
    assert kept in living(subject)
    subject.reset()
    assert living(subject) == [kept]
    lived(subject, 4)
    assert kept in living(subject) and len(living(subject)) == 16
    subject.unpin(kept)
    with pytest.raises(KeyError):
        subject.unpin(kept)
    lived(subject, 60)
    assert kept not in living(subject)


def test_at_most_half_of_the_places_can_be_pinned() -> None:
    subject = breeder()
    lived(subject, 3)
    for identity in living(subject)[:8]:
        subject.pin(identity)
    with pytest.raises(ValueError, match="allowed are 8 of 16 places"):
        subject.pin(living(subject)[9])


def test_recalled_from_the_store_the_dead_live_again(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        subject = breeder(0, store)
        lived(subject, 20)
        dead = next(life.individual for life in store.lives() if life.left is not None)
        (played,) = subject.recall(dead.identity)
        assert np.array_equal(played.latents, dead.latents)
        assert dead.identity in living(subject) and len(living(subject)) == 16
        assert [each.identity for each in store.container()] == living(subject)
        with pytest.raises(KeyError):
            subject.recall(10**9)


def test_forgotten_the_archive_is_empty_and_the_store_keeps_what_was(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        subject = breeder(0, store)
        lived(subject, 20)
        kept = len(list(store.individuals()))
        assert store.archive()
        subject.forget()
        assert len(subject.search.archive) == 0 and store.archive() == {}
        assert len(list(store.individuals())) == kept


def test_wishes_are_part_of_what_is_resumed(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(2)) as store:
        subject = breeder(2, store)
        lived(subject, 6)
        first, second, third = living(subject)[:3]
        subject.pin(first)
        subject.favour(second)
        subject.banish(third)
        state = subject.search.state()
        again = search(9)
        assert resume(again, store) and again.state() == state
        whole = lived(subject, 4)
    evaluator = Local(audition(SineDecoder()), Texture(RATE_HZ, header_of(2).calibration), SPACE)
    assert lived(Breeder(again, evaluator), 4) == whole


def test_on_another_embedding_the_container_is_heard_again_and_the_archive_forgotten(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        subject = breeder(0, store)
        lived(subject, 12)
        before, other = living(subject), local(5)
        subject.switch(other, "texture", other.embedding.calibration)
        heard = other.evaluate(np.stack([each.latents for each in subject.search.container]))
        assert heard is not None and living(subject) == before
        held = np.stack([each.embedding for each in subject.search.container])
        assert np.array_equal(held, heard.embeddings)
        assert len(subject.search.archive) == 0 and store.archive() == {}
        assert store.embedded().calibration == other.embedding.calibration and store.embedded().number == 2
        assert all(np.array_equal(a.embedding, b) for a, b in zip(store.container(), held, strict=True))
        lived(subject, 12)
        assert len(subject.search.archive) > 0 and set(living(subject)) != set(before)


def test_on_another_embedding_wishes_are_kept(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        subject = breeder(0, store)
        lived(subject, 6)
        gone, wanted, pinned = subject.search.container[:3]
        subject.banish(gone.identity)
        subject.favour(wanted.identity)
        subject.pin(pinned.identity)
        other = Local(audition(SineDecoder()), Mfcc(RATE_HZ), SPACE)
        subject.switch(other, "mfcc", other.embedding.calibration)
        heard = other.evaluate(np.stack([gone.latents, wanted.latents]))
        assert heard is not None
        wishes = subject.search.wishes
        assert wishes.refuse(heard.embeddings).tolist() == [True, False]
        assert np.array_equal(wishes.favoured[0].embedding, heard.embeddings[1])
        lived(subject, 3)
        assert gone.identity not in living(subject) and pinned.identity in living(subject)


def _mfcc(subject: Breeder) -> Local:
    other = Local(audition(SineDecoder()), Mfcc(RATE_HZ), SPACE)
    subject.switch(other, "mfcc", other.embedding.calibration)
    return other


def test_a_favourite_that_left_the_container_survives_another_embedding_and_a_restart(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        subject = breeder(0, store)
        lived(subject, 6)
        wanted = living(subject)[0]
        subject.favour(wanted)
        subject.search.recall(subject.search.living(wanted))
        place = living(subject).index(wanted)
        del subject.search.container[place], subject.search.sparseness[place]
        other = _mfcc(subject)
    with open_store(tmp_path / "s.db", header_of(0)) as store:
        again = search(9)
        assert resume(again, store)
        gone_on = Breeder(again, other, store, store.embedded().number)
        gone_on.pin(wanted)
        lived(gone_on, 3)
        assert {len(each.embedding) for each in again.container} == {other.size} and wanted in living(gone_on)


def test_a_disk_that_is_busy_while_the_embedding_changes_is_caught_up_with(tmp_path: Path) -> None:
    class Busy(Store):
        busy = False

        def embed_anew(self, *given: Any) -> int:
            if self.busy:
                raise StoreError("busy")
            return super().embed_anew(*given)

    with open_store(tmp_path / "s.db", header_of(0)) as opened:
        store = Busy(opened.path, opened._connection, opened.header)
        subject = breeder(0, store)
        lived(subject, 4)
        store.busy = True
        _mfcc(subject)
        assert subject.store_fault == "busy" and store.embedded().name == "texture"
        store.busy = False
        lived(subject, 1)
        assert subject.store_fault is None and store.embedded().name == "mfcc"
        assert {len(each.embedding) for each in store.container()} == {subject.evaluator.size}


def test_right_after_a_switch_a_ban_reaches_as_far_as_the_new_embedding_says() -> None:
    subject = breeder()
    lived(subject, 6)
    _mfcc(subject)
    points = np.stack([each.embedding for each in subject.search.container])
    assert subject.search.mean_sparseness == pytest.approx(sparseness(points, 5).mean())


def test_what_waits_for_a_store_that_can_not_be_written_is_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(Store):
        def save(self, change: Any) -> None:
            raise StoreError("disk full")

    monkeypatch.setattr("installation.evolution.breeding.WAITING", 50)
    with open_store(tmp_path / "s.db", header_of(0)) as opened:
        subject = breeder(0, Full(opened.path, opened._connection, opened.header))
        lived(subject, 40)
        search = subject.search
        needed = {*living(subject), *search.archive.identities}
        assert len(search.newcomers) <= max(50, len(needed)) and needed <= set(search.newcomers)


def test_a_diagnosis_is_said_only_when_it_has_held_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    subject, said = breeder(), []
    names = iter(["a", "", "a", "", *["b"] * STEADY, "", *["b"] * 5])
    monkeypatch.setattr("installation.evolution.breeding.diagnose", lambda *given: Diagnosis(next(names), ""))
    for _ in range(4 + STEADY + 6):
        subject.generation()
        said.append(subject.figures()["diagnosis"])
    assert said == [""] * (1 + 4 + STEADY - 1) + ["b"] * 6  # the first brood of founders is not examined


def test_what_was_heard_from_outside_lives_if_it_is_novel() -> None:
    subject = breeder()
    while subject.search.founding:
        subject.generation()
    known = [each.latents for each in subject.search.container[:2]]
    strange = np.random.default_rng(0).normal(0.0, 1.4, (6, STEPS, 4)).astype(np.float32)
    born = subject.receive(np.concatenate([reflect(strange, SPACE), known]))
    heard = [each for each in subject.search.container if each.operator == "input"]
    assert {each.identity for each in born} == {each.identity for each in heard}
    assert len(heard) >= 3 and not any(each.parents for each in heard)
    assert not any(np.array_equal(each.latents, copy) for each in heard for copy in known)


def test_what_was_heard_from_outside_is_folded_into_the_bounds() -> None:
    subject = search()
    latents = subject.receive(np.full((1, STEPS, 4), 3.5, np.float32))
    assert latents == pytest.approx(2.5)
