"""What control may ask of the show, and what the processes tell each other. Immutable, picklable, nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Set:
    """Turn the parameter at `address` to `value`, in its natural unit."""

    address: str
    value: float


@dataclass(frozen=True)
class Ramp:
    """Take the parameter at `address` to `value` in `seconds`."""

    address: str
    value: float
    seconds: float


@dataclass(frozen=True)
class Recall:
    """Change to the scene of this name (its file's stem)."""

    scene: str


@dataclass(frozen=True)
class Next:
    """Change to the next scene of the show."""


@dataclass(frozen=True)
class Panic:
    """Silence at once, every parameter back to the scene's value, the decoder from a clean state."""


@dataclass(frozen=True)
class Ping:
    """Answer whoever asks that the show is alive."""


@dataclass(frozen=True)
class Reset:
    """Forget the container and breed anew; the store keeps what was."""


@dataclass(frozen=True)
class Forget:
    """Empty the archive: what the search has left behind may be found again; the store keeps what was."""


@dataclass(frozen=True)
class More:
    """More like the trajectory of this identity; None means the one that is sounding, here and below."""

    identity: int | None = None


@dataclass(frozen=True)
class Never:
    """Never again this trajectory, nor any too like it."""

    identity: int | None = None


@dataclass(frozen=True)
class Pin:
    """Keep this trajectory alive, whatever comes."""

    identity: int | None = None


@dataclass(frozen=True)
class Unpin:
    """This trajectory may go again."""

    identity: int | None = None


@dataclass(frozen=True)
class Revive:
    """Bring the trajectory of this identity back from the store, to live and to be played."""

    identity: int


@dataclass(frozen=True)
class Record:
    """Film what is seen and heard from now on, for so many seconds or until told; 0 ends it."""

    seconds: float | None = None


@dataclass(frozen=True)
class Photograph:
    """Take a snapshot, the picture and every parameter, and call it so; without a name by scene and time."""

    name: str = ""


@dataclass(frozen=True)
class Restore:
    """Bring every parameter back to where it was in the snapshot of this name."""

    name: str


@dataclass(frozen=True)
class Stop:
    """Fade out, close, end."""


@dataclass(frozen=True)
class Refused:
    """A message that was not obeyed, and why. Counted, never raised."""

    reason: str


@dataclass(frozen=True, eq=False)
class Trajectory:
    """A path through latent space, the genotype: `latents` (steps, latent_dim), and what the search knew of it."""

    identity: int
    latents: Floats
    sparseness: float = 0.0
    generation: int = 0


@dataclass(frozen=True, eq=False)
class Play:
    """Survivors of a brood, for the repertoire of a `part`; `replace` makes them all of it, `first` puts them before
    whatever waits to be played."""

    trajectories: tuple[Trajectory, ...]
    replace: bool = False
    first: bool = False
    part: int = 1


@dataclass(frozen=True)
class Drop:
    """Play the trajectories of these `identities` no more: if one is sounding, leave it."""

    identities: tuple[int, ...]
    part: int = 1


@dataclass(frozen=True, eq=False)
class Listened:
    """What the input played, as the voice's encoder heard it: phrases (count, steps, latent_dim) for the search."""

    phrases: Floats


@dataclass(frozen=True, eq=False)
class Atlas:
    """A map of what the search knows, one column an individual, the same one as long as it is known: `identities`
    (count,) int64; `places` (count, 2) in the unit circle, near to each other what sounds alike; `origins` (count, 2),
    a parent's place, or its own; `sparseness` (count,) 0..1, .5 is usual; `age` (count,), n / (n + 10) of its n
    generations; `alive` (count,) bool, else it is only remembered."""

    identities: npt.NDArray[np.int64]
    places: Floats
    origins: Floats
    sparseness: Floats
    age: Floats
    alive: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Strain:
    """How hard the sound is to make just now: of the decodes of the last seconds the 99th percentile `decode_ms`, and
    how long the sound of one step lasts, `step_ms`."""

    decode_ms: float
    step_ms: float


@dataclass(frozen=True)
class Pulse:
    """A child's heartbeat: `progress` grows only with real work; `figures` is its part of the run's report."""

    process: str
    progress: int
    figures: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Said:
    """A sentence for the run's log, from a child."""

    process: str
    sentence: str


Wish = More | Never | Pin | Unpin | Revive
"""What people want of one trajectory."""
Control = Set | Ramp | Recall | Next | Panic | Ping | Reset | Forget | Wish | Record | Photograph | Restore
Command = Control | Stop | Play | Drop | Listened | Strain | Atlas
