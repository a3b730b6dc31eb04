"""What the voice has been given to play, as the conductor remembers it: for a voice that is started again, and for
knowing whom people mean by what is sounding."""

from __future__ import annotations

from installation.commands import Play, Refused, Trajectory
from installation.sound.player import REPERTOIRE


class Repertoire:
    """The trajectories bred for the scene that is on, the last REPERTOIRE of them. Identities are those of one scene's
    search, from 1; what the voice plays until its search has sent any is of nobody, or of the scene before."""

    def __init__(self) -> None:
        self._known: dict[int, Trajectory] = {}
        self._foreign = 0

    def take(self, play: Play, sounding: int) -> None:
        """Remember what the voice is given while the identity `sounding` is heard, 0 for silence."""
        if play.replace:
            self._known.clear()
            self._foreign = sounding
        self._known.update({each.identity: each for each in play.trajectories})
        while len(self._known) > REPERTOIRE:
            self._known.pop(next(iter(self._known)))

    def drop(self, identity: int) -> None:
        """It is not to be played again."""
        self._known.pop(identity, None)

    def clear(self) -> None:
        """Another scene: what is known is not of its search."""
        self._known.clear()

    def play(self) -> Play | None:
        """What a voice that is started again goes on with."""
        return Play(tuple(self._known.values()), replace=True) if self._known else None

    def meant(self, sounding: int) -> int | Refused:
        """Whom people mean by what is sounding. What was heard when the search's first trajectories came is not one of
        them, even if it is held for long; one that is held may have been forgotten here, and is meant all the same."""
        if sounding == 0:
            return Refused("nothing is sounding")
        if sounding < 0 or not self._known or (sounding == self._foreign and sounding not in self._known):
            return Refused("what is sounding was not bred for this scene")
        return sounding
