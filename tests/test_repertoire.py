"""What the conductor remembers of what is played, and whom people mean by what is sounding."""

from __future__ import annotations

import numpy as np

from installation.commands import Play, Refused, Trajectory
from installation.sound.player import REPERTOIRE, Player
from installation.sound.repertoire import Repertoire


def trajectories(*identities: int) -> tuple[Trajectory, ...]:
    return tuple(Trajectory(identity, np.full((4, 2), identity, np.float32)) for identity in identities)


def known(repertoire: Repertoire) -> list[int]:
    play = repertoire.play()
    return [each.identity for each in play.trajectories] if play else []


def test_a_voice_started_again_goes_on_with_what_the_one_before_knew() -> None:
    repertoire, player = Repertoire(), Player(trajectories(-1)[0], np.random.default_rng(0))
    assert repertoire.play() is None
    plays = [Play(trajectories(*range(n, n + 50)), replace=n == 200) for n in range(1, 1000, 50)]
    plays.append(Play(trajectories(960, 961), first=True))
    for play in plays:
        repertoire.take(play, 0)
        player.offer(play.trajectories, play.replace, play.first)
    repertoire.drop(990)
    player.drop((990,))
    repertoire.drop(123456)
    assert set(known(repertoire)) == set(player._known) and 990 not in known(repertoire)
    assert REPERTOIRE - 3 <= len(known(repertoire)) <= REPERTOIRE
    again = repertoire.play()
    assert again is not None and again.replace


def test_who_sounds_is_meant_even_if_forgotten_here() -> None:
    repertoire = Repertoire()
    repertoire.take(Play(trajectories(3, 4), replace=True), -2)
    assert repertoire.meant(3) == 3
    for begin in range(10, 1000, 50):
        repertoire.take(Play(trajectories(*range(begin, begin + 50))), 3)
    assert 3 not in known(repertoire) and repertoire.meant(3) == 3


def test_who_is_dropped_is_not_meant_while_it_fades_but_is_when_it_is_back() -> None:
    repertoire = Repertoire()
    repertoire.take(Play(trajectories(3), replace=True), 0)
    repertoire.drop(3)
    assert repertoire.meant(3) == Refused("what is sounding, 3, is being left")
    repertoire.take(Play(trajectories(3), first=True), 3)
    assert repertoire.meant(3) == 3


def test_silence_and_what_the_voice_drew_itself_are_nobody() -> None:
    repertoire = Repertoire()
    repertoire.take(Play(trajectories(3), replace=True), 0)
    assert repertoire.meant(0) == Refused("nothing is sounding")
    assert repertoire.meant(-1) == Refused("what is sounding was not bred for this scene")


def test_after_a_change_of_scene_what_sounds_still_is_of_another_search() -> None:
    repertoire = Repertoire()
    repertoire.take(Play(trajectories(3, 9), replace=True), 0)
    repertoire.clear()
    assert isinstance(repertoire.meant(9), Refused) and repertoire.play() is None
    repertoire.take(Play(trajectories(1, 2), replace=True), 9)
    assert isinstance(repertoire.meant(9), Refused)
    assert repertoire.meant(2) == 2
