"""What people want of single trajectories, carried out by a search. Pure but for what the breeder does."""

from __future__ import annotations

from installation.commands import Forget, More, Never, Pin, Revive, Trajectory, Unpin, Wish
from installation.evolution.breeding import Breeder


def grant(breeder: Breeder, wish: Wish | Forget) -> tuple[Trajectory, ...]:
    """Carry out `wish`; what is to be played now. KeyError where the search knows no such identity, ValueError where it
    can't be done, StoreError where the store can't be read."""
    match wish:
        case More(int(identity)):
            return breeder.favour(identity)
        case Never(int(identity)):
            return breeder.banish(identity)
        case Pin(int(identity)):
            return breeder.pin(identity)
        case Unpin(int(identity)):
            return breeder.unpin(identity)
        case Revive(identity):
            return breeder.recall(identity)
        case Forget():
            return breeder.forget()
    raise ValueError("names no trajectory")


def named(wish: Wish | Forget) -> str:
    """`wish` in the log's words."""
    name = type(wish).__name__.lower()
    return name if isinstance(wish, Forget) else f"{name} {wish.identity}"
