"""The store: a round trip, a bound, and what is left of it after the process that wrote it was killed."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from installation.errors import StoreError
from installation.evolution.archive import Archive
from installation.evolution.breeding import resume
from installation.evolution.genotype import Space
from installation.evolution.individual import Individual
from installation.evolution.kept import Change, Embedded, Header
from installation.evolution.search import Search
from installation.evolution.store import Store, UnfitStoreError, move_aside, open_store, read_header, read_store

HEADER = Header("bronze", "ab" * 32, 3, 5, "texture", 7, {"mean": [0.5], "scale": [1.25]})
SPACE = Space(np.zeros(3, np.float32), np.ones(3, np.float32))


def search(seed: int = 0) -> Search:
    return Search(10, 6, np.random.default_rng(seed), SPACE, 5, archive=Archive(15))


def live(subject: Search, store: Store | None, generations: int) -> None:
    for _ in range(generations):
        latents = subject.ask()
        subject.tell(latents.reshape(len(latents), -1), np.ones(len(latents), bool))
        if store is not None:
            store.save(change(subject))
            subject.settled()


def change(subject: Search) -> Change:
    alive = [each.identity for each in subject.container]
    came, went = subject.archive.came, subject.archive.went
    return Change(subject.state(), alive, came, went, subject.newcomers, subject.record(), {"silent": 1}, 1)


def remembered(subject: Search) -> dict[int, bytes]:
    """The archive as bytes by identity."""
    return dict(
        zip(subject.archive.identities, (each.tobytes() for each in subject.archive.memory.points), strict=True)
    )


def archived(store: Store) -> dict[int, bytes]:
    return {identity: point.tobytes() for identity, point in store.archive().items()}


def same(first: list[Individual], second: list[Individual]) -> bool:
    def whole(each: Individual) -> tuple[object, ...]:
        arrays = each.latents.tobytes(), each.latents.shape, each.embedding.tobytes()
        family = each.identity, each.generation, each.parents, each.operator
        return *family, each.sparseness, each.quality, *arrays

    return list(map(whole, first)) == list(map(whole, second))


def test_what_is_saved_is_what_comes_back(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "new" / "s.db", HEADER) as store:
        assert store.state() is None and store.container() == []
        live(subject, store, 12)
    with open_store(tmp_path / "new" / "s.db", replace(HEADER, seed=1, calibration=None)) as store:
        assert store.header == HEADER
        assert store.state() == subject.state() | {"embedded": 1}
        assert same(store.container(), subject.container) and archived(store) == remembered(subject)
    assert read_header(tmp_path / "new" / "s.db") == HEADER


def test_a_search_resumed_from_the_store_is_bit_for_bit_one_that_never_stopped(tmp_path: Path) -> None:
    whole, first, second = search(), search(), search(5)
    live(whole, None, 25)
    with open_store(tmp_path / "s.db", HEADER) as store:
        live(first, store, 11)
    with open_store(tmp_path / "s.db", HEADER) as store:
        assert resume(second, store)
        live(second, store, 14)
        assert same(store.container(), whole.container)
    assert same(second.container, whole.container) and second.state() == whole.state()


def test_all_that_lived_is_kept_until_there_are_too_many_and_then_the_oldest_dead_go(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER, keep=20) as store:
        born: set[int] = set()
        for _ in range(60):
            live(subject, store, 1)
            born |= {*(each.identity for each in subject.container), *subject.archive.identities}
        living = {*(each.identity for each in subject.container), *subject.archive.identities}
        kept = {each.identity for each in store.individuals()}
        assert len(born - living) > 20 and living <= kept
        assert kept - living == set(sorted(born - living)[-20:])


def test_without_a_bound_all_that_lived_is_kept_with_when_it_lived(tmp_path: Path) -> None:
    subject, containers = search(), {}
    with open_store(tmp_path / "s.db", HEADER, keep=None) as store:
        for _ in range(50):
            live(subject, store, 1)
            if not subject.founding:
                containers[subject.generation] = {each.identity for each in subject.container}
    with read_store(tmp_path / "s.db") as store:
        lives = list(store.lives())
        assert [past.generation for past in store.generations()][-1] == subject.record()
        assert [past.rejected for past in store.generations()] == [{"silent": 1}] * (subject.generation + 1)
        assert [each.sparseness for each in store.most_novel(3)] == sorted(
            (life.individual.sparseness for life in lives), reverse=True
        )[:3]
    for generation, container in containers.items():
        assert {life.individual.identity for life in lives if life.lived(generation)} == container


def test_one_individual_is_found_by_its_identity_or_not_at_all(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER) as store:
        live(subject, store, 6)
        wanted = subject.container[2]
        found = store.individual(wanted.identity)
        assert found is not None and same([found], [wanted])
        assert (found.operator, found.quality) == (wanted.operator, wanted.quality)
        assert store.individual(10**9) is None


def test_points_of_another_embedding_are_known_as_such(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER) as store:
        live(subject, store, 6)
        assert store.embedded() == Embedded(1, "texture", {"mean": [0.5], "scale": [1.25]})
        number = store.embed_anew("mfcc", {"a": 1})
        assert number == 2 and store.embedded().number == 1  # nothing of it has been saved yet
        subject.newcomers |= {each.identity: replace(each, embedding=each.embedding * 2) for each in subject.container}
        store.save(replace(change(subject), embedded=number))
        assert store.embedded() == Embedded(2, "mfcc", {"a": 1})
        pairs = zip(store.container(), subject.container, strict=True)
        assert all(np.array_equal(held.embedding, 2 * each.embedding) for held, each in pairs)


def test_excerpts_come_back(tmp_path: Path) -> None:
    latents = np.random.default_rng(0).standard_normal((7, 3)).astype(np.float32)
    with open_store(tmp_path / "s.db", HEADER, excerpts=latents) as store:
        assert np.array_equal(store.excerpts(), latents)
    with read_store(tmp_path / "s.db") as store:
        assert np.array_equal(store.excerpts(), latents)
    with open_store(tmp_path / "other.db", HEADER) as store:
        assert store.excerpts() is None


def test_a_reader_writes_nothing(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER) as store:
        live(subject, store, 2)
    with read_store(tmp_path / "s.db") as reader, pytest.raises(StoreError, match="was not written"):
        live(subject, reader, 1)
    assert {path.name for path in tmp_path.iterdir()} == {"s.db", ".s.db.lock"}


def test_what_is_not_there_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        read_store(tmp_path / "none.db")
    (tmp_path / "empty.db").touch()
    with pytest.raises(UnfitStoreError, match="empty"):
        read_store(tmp_path / "empty.db")


def test_its_file_and_its_log_stop_growing(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER, keep=30) as store:
        pages = []
        for _ in range(4):
            live(subject, store, 100)
            pages.append(store._connection.execute("PRAGMA page_count").fetchone()[0])
        assert max(pages[1:]) <= pages[0] + 2
        assert (tmp_path / "s.db-wal").stat().st_size < 5_000_000


def test_one_writer_and_a_reader_beside_it(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER) as store:
        live(subject, store, 5)
        with read_store(tmp_path / "s.db") as reader:
            live(subject, store, 5)
            assert reader.state() == subject.state() | {"embedded": 1}
        with pytest.raises(StoreError, match="another process is writing it"):
            open_store(tmp_path / "s.db", HEADER)
        live(subject, store, 1)
    open_store(tmp_path / "s.db", HEADER).close()


def test_synced_at_every_commit(tmp_path: Path) -> None:
    for _ in range(2):
        with open_store(tmp_path / "s.db", HEADER) as store:
            assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "wood"), ("decoder_sha256", "cd" * 32), ("latent_dim", 4), ("steps", 6)],
)
def test_a_store_made_for_something_else_says_what_differs_and_what_to_do(
    tmp_path: Path, field: str, value: object
) -> None:
    open_store(tmp_path / "s.db", HEADER).close()
    with pytest.raises(UnfitStoreError, match=rf"{field} is .*, wanted {value}.*move this one away"):
        open_store(tmp_path / "s.db", replace(HEADER, **{field: value}))  # type: ignore[arg-type]


def test_what_is_no_store_is_refused_and_left_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    path.write_bytes(b"certainly not a database" * 100)
    for opened in (lambda: open_store(path, HEADER), lambda: read_header(path)):
        with pytest.raises(UnfitStoreError, match="not a store"):
            opened()
    assert path.read_bytes() == b"certainly not a database" * 100
    foreign = tmp_path / "foreign.db"
    with sqlite3.connect(foreign) as connection:
        connection.execute("CREATE TABLE birds (name)")
    connection.close()
    with pytest.raises(UnfitStoreError, match="not a store of this program"):
        open_store(foreign, HEADER)


def test_a_disk_that_says_no_is_a_store_error_that_moving_would_not_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError) as caught:
        open_store(tmp_path / "file" / "s.db", HEADER)
    assert not isinstance(caught.value, UnfitStoreError)


def test_a_generation_that_could_not_be_written_is_written_with_the_next(tmp_path: Path) -> None:
    subject = search()
    with open_store(tmp_path / "s.db", HEADER) as store:
        live(subject, store, 4)
        before = store.container()
        pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
        store._connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(StoreError, match="was not written"):
            for _ in range(200):
                live(subject, store, 1)
        assert store.state()["generation"] < subject.generation and before  # type: ignore[index]
        store._connection.execute("PRAGMA max_page_count = 1000000")
        live(subject, store, 1)
        assert same(store.container(), subject.container) and archived(store) == remembered(subject)
        assert store.state() == subject.state() | {"embedded": 1}


def test_moved_aside_it_is_whole_and_out_of_the_way(tmp_path: Path) -> None:
    path, subject = tmp_path / "s.db", search()
    for number in (1, 2):
        with open_store(path, HEADER) as store:
            live(subject, store, 3)
        aside = move_aside(path)
        assert aside == tmp_path / f"s.{number}.db" and not path.exists()
        with open_store(aside, HEADER) as store:
            assert same(store.container(), subject.container)


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.test_store import HEADER, live, search
from installation.evolution.breeding import resume
from installation.evolution.store import open_store
subject = search(int(sys.argv[2]))
with open_store(Path(sys.argv[1]), HEADER, keep=40) as store:
    resume(subject, store)
    print("writing", flush=True)
    while True:
        live(subject, store, 1)
"""


def test_killed_while_writing_it_always_opens_and_holds_whole_generations_only(tmp_path: Path) -> None:
    path, generation = tmp_path / "s.db", 0
    script = WRITER.format(root=str(Path(__file__).parents[1]))
    for number in range(4):
        writer = subprocess.Popen([sys.executable, "-c", script, str(path), "0"], stdout=subprocess.PIPE)
        assert writer.stdout is not None and writer.stdout.readline() == b"writing\n"
        time.sleep(0.05 + 0.043 * number)
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        with open_store(path, HEADER) as store:
            state = store.state()
            assert state is not None and state["generation"] > generation
            generation = state["generation"]
            whole = search()
            while whole.founding or whole.generation < generation:
                live(whole, None, 1)
            assert same(store.container(), whole.container) and archived(store) == remembered(whole)
            assert state == whole.state() | {"embedded": 1}
            assert [past.generation.number for past in store.generations()] == list(
                range(max(0, generation - 39), generation + 1)
            )
