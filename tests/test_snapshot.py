"""What a snapshot keeps comes back, and a file from anywhere is a snapshot or refused, never half of one."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation import snapshot
from installation.commands import Set
from installation.errors import InstallationError
from installation.parameters import Values, declared
from installation.snapshot import SIZE_AT_MOST, TEXT_AT_MOST, VALUES_AT_MOST, Snapshot, load

PARAMETERS = declared(4)
VALUES = Values(PARAMETERS, {"/voice/gain": -7.25, "/latent/2/bias": 1.5, "/evolution/operator": 2.0}).as_dict()
TAKEN = Snapshot("nocturne", "ink.fs", "2031-02-03T04:05:06", 12.5, 7, 1234, 56, VALUES)


def test_what_was_taken_is_what_is_recalled(tmp_path: Path) -> None:
    path = TAKEN.save(tmp_path / "snapshots", "blue hour")
    assert path == tmp_path / "snapshots" / "blue hour.json"
    assert load(tmp_path / "snapshots", "blue hour") == TAKEN
    assert [each.name for each in path.parent.iterdir()] == ["blue hour.json"]


def test_a_file_whose_name_is_no_text_does_not_end_the_show(tmp_path: Path) -> None:
    odd = replace(TAKEN, shader="ink-\udcff.fs")
    odd.save(tmp_path, "odd")
    assert load(tmp_path, "odd") == odd


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(st.text(max_size=40), st.floats(allow_nan=False, allow_infinity=False), max_size=20),
    st.text(max_size=100),
    st.integers(-(1 << 62), 1 << 62),
    st.floats(0.0, 1e9),
)
def test_any_snapshot_comes_back_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, values: dict[str, float], text: str, whole: int, time_s: float
) -> None:
    folder = tmp_path_factory.getbasetemp()
    text = text.encode("utf-8", "ignore").decode()
    values = {address.encode("utf-8", "ignore").decode(): value for address, value in values.items()}
    taken = Snapshot(text, text, text, time_s, whole, whole, whole, values)
    taken.save(folder, "any")
    assert load(folder, "any") == taken


def test_recalled_every_parameter_stands_where_it_stood_and_what_is_unknown_is_said() -> None:
    more = dict(VALUES) | {"/part/2/gain": 1.0, "/voice/pan": 9.0, "/evolution/operator": 2.0, "/latent/3/freeze": 0.5}
    commands, left = Snapshot("a", "b", "c", 0.0, 0, 0, 0, more).settings(PARAMETERS)
    assert set(left) == {"/part/2/gain", "/voice/pan", "/latent/3/freeze"}
    values = Values(PARAMETERS, {address: each.default for address, each in PARAMETERS.items()})
    for command in commands:
        assert isinstance(command, Set) and values.set(command.address, command.value) is None
    for address in set(VALUES) - set(left):
        assert values[address] == VALUES[address]


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../a", "a/b", "a\\b", "/etc/passwd", ".hidden", "-rf", "a.", "a ", " a", "a\n", "a\0", "x" * 65],
)
def test_a_name_that_is_a_path_is_none(tmp_path: Path, name: str) -> None:
    assert snapshot.fault(name) is not None
    with pytest.raises(InstallationError, match="no name of a snapshot"):
        load(tmp_path, name)
    with pytest.raises(InstallationError, match="no name of a snapshot"):
        TAKEN.save(tmp_path, name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["a", "blue hour", "nocturne-20310203-040506-007", "übung_2", "v1.2", "x" * 64])
def test_a_name_is_a_name(name: str) -> None:
    assert snapshot.fault(name) is None


def test_one_without_a_name_is_called_by_scene_and_time() -> None:
    now = datetime(2031, 2, 3, 4, 5, 6, 78_000)
    assert snapshot.named("nocturne", now) == "nocturne-20310203-040506-078"
    for scene in ("", "../..", "a/b", "x" * 300, "-_-", "ünder bridge"):
        assert snapshot.fault(snapshot.named(scene, now)) is None


def whole(**more: Any) -> Any:
    good = {"format": 1} | {name: getattr(TAKEN, name) for name in TAKEN.__dataclass_fields__}
    return good | more


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "format"),
        (None, "format"),
        (whole(format=2), "format"),
        (whole(scene=3), "scene: allowed is text"),
        (whole(shader="x" * (TEXT_AT_MOST + 1)), "shader: allowed is text"),
        (whole(seed=1.5), "seed: got float, allowed is a whole number"),
        (whole(seed=True), "seed: got bool"),
        (whole(trajectory=1 << 70), "trajectory: got int"),
        (whole(time_s="12"), "time_s: got str"),
        (whole(values=[1, 2]), "values: got list"),
        (whole(values={"/voice/gain": None}), "/voice/gain: got NoneType"),
        (whole(values={"/voice/gain": [1]}), "/voice/gain: got list"),
        (whole(values={"/" + "x" * 500: "1"}), "/xxx"),
        (whole(values={str(n): 1.0 for n in range(VALUES_AT_MOST + 1)}), "values: got dict"),
        ({"format": 1}, "scene: allowed is text"),
    ],
)
def test_what_is_no_snapshot_is_refused_with_the_reason(tmp_path: Path, found: Any, why: str) -> None:
    (tmp_path / "a.json").write_text(json.dumps(found))
    with pytest.raises(InstallationError, match=why) as refused:
        load(tmp_path, "a")
    assert len(str(refused.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"[" * 100_000,
        json.dumps(whole()).replace("-7.25", "NaN").encode(),
        json.dumps(whole()).replace("-7.25", "-Infinity").encode(),
        json.dumps(whole()).replace("-7.25", "1e999").encode(),
        json.dumps(whole()).replace("-7.25", "1" * 5000).encode(),
        b" " * (SIZE_AT_MOST + 1),
    ],
)
def test_a_hostile_file_is_refused(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "a.json").write_bytes(raw)
    with pytest.raises(InstallationError, match=r"a\.json: "):
        load(tmp_path, "a")


def test_what_is_not_there_or_can_not_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(InstallationError, match="no such snapshot"):
        load(tmp_path, "a")
    (tmp_path / "b.json").mkdir()
    with pytest.raises(InstallationError, match="can't be read"):
        load(tmp_path, "b")
    with pytest.raises(InstallationError, match="can't be written"):
        TAKEN.save(tmp_path, "b")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(InstallationError, match="can't be written"):
        TAKEN.save(tmp_path / "file", "a")
    assert {each.name for each in tmp_path.iterdir()} == {"b.json", "file"}
