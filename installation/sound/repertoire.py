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
        self._left: set[int] = set()
        """What may sound on for a while, and is not meant any more."""

    def take(self, play: Play, sounding: int) -> None:
        """Remember what the voice is given while the identity `sounding` is heard, 0 for silence."""
        if play.replace:
            self._known.clear()
            self._left = {sounding}
        self._known.update({each.identity: each for each in play.trajectories})
        while len(self._known) > REPERTOIRE:
            self._known.pop(next(iter(self._known)))

    def drop(self, identity: int) -> None:
        """It is not to be played again."""
        self._known.pop(identity, None)
        self._left.add(identity)

    def clear(self) -> None:
        """Another scene: what is known is not of its search."""
        self._known.clear()
        self._left.clear()

    def play(self, part: int = 1) -> Play | None:
        """What a voice that is started again goes on with in this part."""
        return Play(tuple(self._known.values()), replace=True, part=part) if self._known else None

    def meant(self, sounding: int) -> int | Refused:
        """Whom people mean by what is sounding. What was heard when the search's first trajectories came is not one of
        them, nor is what was dropped, however long they are heard; any other that was forgotten here is meant."""
        if sounding == 0:
            return Refused("nothing is sounding")
        if sounding < 0 or not (self._known or self._left):
            return Refused("what is sounding was not bred for this scene")
        if sounding in self._left and sounding not in self._known:
            return Refused(f"what is sounding, {sounding}, is being left")
        return sounding
