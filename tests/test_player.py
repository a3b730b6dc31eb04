"""The player: one path without a break."""

from __future__ import annotations

import numpy as np

from installation.commands import Trajectory
from installation.sound.player import REPERTOIRE, Player, Turn
from tests.parts import walk


def trajectory(identity: int, steps: int = 16, sparseness: float = 0.0) -> Trajectory:
    return Trajectory(identity, walk(steps, 4, identity) + identity, sparseness)


def test_at_rate_one_without_glide_every_step_is_played_as_it_is() -> None:
    first, second = trajectory(1), trajectory(2)
    player = Player(first, np.random.default_rng(0))
    player.offer((second,))
    path = np.stack([player.latent(1.0, 0.0, False)[0] for _ in range(32)])
    assert np.array_equal(path[:16], first.latents)
    assert np.array_equal(path[16:32], second.latents)


def test_a_glide_never_steps_further_than_its_share() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(9),))
    path = np.stack([player.latent(1.0, 20.0, False)[0] for _ in range(60)])
    steps = np.abs(np.diff(path, axis=0)).max(axis=1)
    jump = np.abs(trajectory(9).latents[0] - trajectory(1).latents[-1]).max()
    assert steps[14:37].max() < 1.6 * jump / 20.0 + 0.1
    assert np.array_equal(path[-10:], trajectory(9).latents[4:14]) or steps.max() < jump


def test_slower_reading_goes_the_same_way() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    path = np.stack([player.latent(0.5, 0.0, False)[0] for _ in range(31)])
    assert np.allclose(path[::2], trajectory(1).latents[:16])
    assert np.allclose(path[1::2], (trajectory(1).latents[:-1] + trajectory(1).latents[1:]) / 2.0)


def test_the_most_novel_of_the_new_is_played_first() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(2, sparseness=0.1), trajectory(3, sparseness=0.9), trajectory(4, sparseness=0.5)))
    played = [player.latent(1.0, 0.0, False)[1].trajectory for _ in range(16 * 4)]
    assert [played[index] for index in (0, 16, 32, 48)] == [1, 3, 4, 2]


def test_with_nothing_new_it_goes_on_for_ever_through_all_it_knows() -> None:
    player = Player(trajectory(0), np.random.default_rng(0))
    player.offer(tuple(trajectory(n) for n in range(1, 13)), replace=True)
    heard = {player.latent(1.0, 0.0, False)[1].trajectory for _ in range(16 * 200)}
    assert heard == set(range(13))


def test_alone_it_repeats_itself() -> None:
    player = Player(trajectory(5), np.random.default_rng(0))
    path = np.stack([player.latent(1.0, 0.0, False)[0] for _ in range(48)])
    assert np.array_equal(path[16:32], path[32:48])


def test_hold_stays_and_letting_go_glides() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    for _ in range(5):
        before, _ = player.latent(1.0, 4.0, False)
    held = [player.latent(1.0, 4.0, True)[0] for _ in range(10)]
    assert all(np.array_equal(before, each) for each in held)
    after, _ = player.latent(1.0, 4.0, False)
    assert np.abs(after - before).max() < np.abs(trajectory(1).latents[5] - before).max() + 1e-6


def test_the_repertoire_is_bounded() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    for begin in range(0, 2000, 50):
        player.offer(tuple(trajectory(n, 4) for n in range(begin, begin + 50)))
    assert len(player._known) == REPERTOIRE
    assert len(player._fresh) <= REPERTOIRE


def played(player: Player, count: int, hold: bool = False) -> list[int]:
    return [player.latent(1.0, 0.0, hold)[1].trajectory for _ in range(count)]


def test_what_is_asked_for_is_played_before_all_that_waits_in_its_order() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(2, sparseness=0.9), trajectory(3, sparseness=0.8)))
    player.offer((trajectory(4), trajectory(5)), first=True)
    player.offer((trajectory(6),), first=True)
    assert played(player, 16 * 6)[::16] == [1, 6, 4, 5, 2, 3]


def test_what_is_dropped_is_left_at_once_and_never_played_again() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer(tuple(trajectory(n) for n in range(1, 5)), replace=True)
    player.offer((trajectory(3), trajectory(9)))
    assert played(player, 4) == [1] * 4
    before = player.here
    player.drop((1, 3))
    after, sounding = player.latent(1.0, 12.0, False)
    assert sounding.trajectory == 9
    assert np.abs(after - before).max() < np.abs(trajectory(9).latents[0] - before).max() / 4.0
    assert set(played(player, 16 * 60)) == {2, 4, 9}


def test_dropped_with_nothing_else_to_play_it_goes_on_until_something_comes() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(1),), replace=True)
    player.drop((1,))
    assert played(player, 40) == [1] * 40
    player.offer((trajectory(2),))
    assert played(player, 40) == [2] * 40


def test_while_held_what_is_dropped_is_held_and_left_when_let_go() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(2),))
    played(player, 3)
    player.drop((1,))
    assert played(player, 5, hold=True) == [1] * 5
    assert played(player, 5) == [2] * 5


def test_dropping_what_does_not_sound_changes_nothing_that_does() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(2), trajectory(3)))
    player.drop((2, 77))
    assert played(player, 32) == [1] * 16 + [3] * 16


def test_what_was_dropped_and_is_recalled_is_played() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    player.offer((trajectory(2),))
    player.drop((1,))
    player.offer((trajectory(1),), first=True)
    path = np.stack([player.latent(1.0, 0.0, False)[0] for _ in range(32)])
    assert np.array_equal(path[:16], trajectory(1).latents)
    assert np.array_equal(path[16:], trajectory(2).latents)


def test_turned_latents() -> None:
    mean, deviation = np.array([1.0, -1.0], np.float32), np.array([2.0, 0.5], np.float32)
    path = np.array([[3.0, 0.0]], np.float32)
    assert np.array_equal(Turn.none(2).apply(path, mean, deviation), path)
    turn = Turn(
        np.array([1.0, 0.0], np.float32),
        np.array([0.5, 2.0], np.float32),
        np.array([False, True]),
        np.array([9.0, 7.0], np.float32),
    )
    assert np.allclose(turn.apply(path, mean, deviation), [[1.0 + 1.0 + 2.0, 7.0]])


def test_the_newest_generation_is_played_before_what_waits_from_older_ones() -> None:
    player = Player(trajectory(1), np.random.default_rng(0))
    for generation in range(1, 4):
        player.offer(tuple(Trajectory(10 * generation + n, walk(16, 4), n / 10, generation) for n in range(3)))
    played = [player.latent(1.0, 0.0, False)[1].trajectory for _ in range(16 * 4)]
    assert [played[index] for index in (16, 32, 48)] == [32, 31, 30]
