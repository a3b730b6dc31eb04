"""What a breeder keeps on disk, and what it says of it: a store gone on from, moved aside, founded, or done without."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from installation.breeder_setup import BreederSetup, header_for
from installation.errors import StoreError
from installation.evolution.breeding import resume
from installation.evolution.embedding import Embedding
from installation.evolution.search import Search
from installation.evolution.store import Store, UnfitStoreError, move_aside, open_store, read_header
from installation.model import Model


class Keeping:
    """The store of `setup`, if it wants one; `say` takes sentences for the run's log."""

    def __init__(self, setup: BreederSetup, say: Callable[[str], None]) -> None:
        self._setup, self._say = setup, say
        self._keeps = setup.store is not None
        self._fault: str | None = None

    def resumed(self, model: Model, search: Search) -> Store | None:
        """The store, if there is one for this model, and `search` gone on from it. An unfit one is moved aside."""
        path = self._setup.store
        if path is None:
            return None
        try:
            if read_header(path) is None:
                return None
            store = open_store(path, header_for(self._setup, model))
            resume(search, store)
            return store
        except UnfitStoreError as error:
            self._say(f"{error}. Moved to {move_aside(path)}, beginning anew")
        except StoreError as error:
            self._give_up(error)
        return None

    def founded(self, model: Model, embedding: Embedding) -> Store | None:
        """A new store with the embedding's calibration, or none if the disk says no: the show goes on unkept."""
        if self._setup.store is None or not self._keeps:
            return None
        header = replace(header_for(self._setup, model), embedding=embedding.name, calibration=embedding.calibration)
        try:
            return open_store(self._setup.store, header)
        except StoreError as error:
            self._give_up(error)
            return None

    def mention(self, fault: str | None) -> None:
        """Say a fault of the store when it begins, and when it is over."""
        if fault != self._fault:
            self._say(fault or "the store is written again")
            self._fault = fault

    def _give_up(self, error: StoreError) -> None:
        """The disk says no: the show goes on, and says so."""
        self._keeps = False
        self._say(f"{error}. Nothing is kept of this run")
