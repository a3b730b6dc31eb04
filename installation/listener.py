"""What is heard now, by name, for those outside the picture: the track followed by the clock."""

from __future__ import annotations

from installation.control.oscquery import Reading
from installation.control.telling import PREFIX
from installation.features import FEATURES
from installation.picture.heard import HEARD, Heard
from installation.track import Track

READINGS = (
    *(Reading(PREFIX + each.name, each.minimum, each.maximum, each.unit, each.sentence) for each in FEATURES),
    Reading(f"{PREFIX}sparseness", 0.0, 1.0, "", "How far from the known what sounds is; usual is 0.5."),
    Reading(f"{PREFIX}age", 0.0, 1.0, "", "n / (n + 10) of the n generations since what sounds was bred."),
    Reading(f"{PREFIX}progress", 0.0, 1.0, "", "How far it has come."),
    Reading(f"{PREFIX}trajectory", 0, 2**31 - 1, "", "Its identity, 0 for none.", whole=True),
    Reading(f"{PREFIX}beats", 0, 2**31 - 1, "", "Beats heard so far.", whole=True),
)
"""What can be read of the sound, by OSC address."""


class Listener:
    """Follows `track`. Values are those that leave the DAC at the moment they are asked for, with no envelope."""

    def __init__(self, track: Track) -> None:
        self._track = track
        self._heard = Heard()
        self._next = track.count
        self._trajectory = self._beats = 0

    def at(self, now_s: float) -> dict[str, float]:
        """Every feature in its own unit, and of the trajectory sounding its sparseness, age, progress and identity."""
        self._next, moments = self._track.since(self._next, now_s)
        if len(moments):
            self._heard.push(moments)
            self._trajectory, self._beats = int(moments[-1]["trajectory"]), int(moments[-1]["beats"])
        self._heard.advance(now_s)
        values = {name: float(self._heard.value(name)) for name in HEARD if name != "trailPhase"}
        return {**values, "trajectory": self._trajectory, "beats": self._beats}
