"""OSC packets: what python-osc builds is read as it was meant, and nothing hostile raises, hangs or is let through."""

from __future__ import annotations

import struct
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle_builder import OscBundleBuilder
from pythonosc.osc_message_builder import OscMessageBuilder

from installation.commands import Refused
from installation.control import packet
from installation.control.packet import Message, read

NOW_S = 1_800_000_000.0
BUNDLE = b"#bundle\0"
AT_ONCE = (1).to_bytes(8, "big")


def text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return raw + b"\0" * (4 - len(raw) % 4)


def one(address: str, tags: str = ",", content: bytes = b"") -> bytes:
    return text(address) + text(tags) + content


def bundle(*elements: bytes, tag: bytes = AT_ONCE) -> bytes:
    return BUNDLE + tag + b"".join(len(each).to_bytes(4, "big") + each for each in elements)


def tag_at(unix_s: float) -> bytes:
    return int((unix_s + 2_208_988_800) * 2**32).to_bytes(8, "big")


def built(address: str, *arguments: tuple[object, str]) -> bytes:
    builder = OscMessageBuilder(address)
    for value, kind in arguments:
        builder.add_arg(value, kind)
    return bytes(builder.build().dgram)


ARGUMENTS = st.one_of(
    st.tuples(st.integers(-(2**31), 2**31 - 1), st.just("i")),
    st.tuples(st.integers(-(2**63), 2**63 - 1), st.just("h")),
    st.tuples(st.floats(width=32, allow_nan=False, allow_infinity=False), st.just("f")),
    st.tuples(st.floats(allow_nan=False, allow_infinity=False), st.just("d")),
    st.tuples(st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=20), st.just("s")),
    st.tuples(st.binary(min_size=1, max_size=20), st.just("b")),
    st.tuples(st.just(True), st.just("T")),
    st.tuples(st.just(False), st.just("F")),
    st.tuples(st.just(None), st.just("N")),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.lists(ARGUMENTS, max_size=8))
def test_what_python_osc_builds_is_read_as_meant(arguments: list[tuple[object, str]]) -> None:
    wanted = tuple(value for value, _ in arguments)
    assert read(built("/a/b", *arguments), NOW_S) == (Message("/a/b", wanted),)


@settings(max_examples=50, deadline=None, derandomize=True)
@given(st.recursive(st.integers(0, 99), lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=30))
def test_bundles_of_bundles_keep_the_order(tree: object) -> None:
    def build(each: object) -> object:
        if isinstance(each, int):
            return OscMessageBuilder(f"/{each}").build()
        builder = OscBundleBuilder(1)  # type: ignore[arg-type]
        for inner in each:  # type: ignore[attr-defined]
            builder.add_content(build(inner))  # type: ignore[arg-type]
        return builder.build()

    def flat(each: object) -> list[int]:
        return [each] if isinstance(each, int) else [leaf for inner in each for leaf in flat(inner)]  # type: ignore[attr-defined]

    def depth(each: object) -> int:
        return 0 if isinstance(each, int) else 1 + max(map(depth, each))  # type: ignore[call-overload]

    found = read(build(tree).dgram, NOW_S)  # type: ignore[attr-defined]
    if depth(tree) > packet.DEPTH_AT_MOST:
        assert found == Refused("bundles too deep")
    else:
        assert [message.address for message in found] == [f"/{leaf}" for leaf in flat(tree)]  # type: ignore[union-attr]


@settings(max_examples=400, deadline=None, derandomize=True)
@given(st.binary(max_size=400))
def test_any_bytes_give_messages_or_a_refusal(data: bytes) -> None:
    assert isinstance(read(data, NOW_S), tuple | Refused)


VALID = bundle(one("/a/b", ",isf[i]", b"\0\0\0\1" + text("ü") + b"\0\0\0\0" + b"\0\0\0\2"), bundle(one("/c", ",T")))


@settings(max_examples=600, deadline=None, derandomize=True)
@given(st.data())
def test_a_valid_packet_changed_anywhere_gives_messages_or_a_refusal(data: st.DataObject) -> None:
    changed = bytearray(VALID)
    for _ in range(data.draw(st.integers(1, 3))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(changed)))
    assert isinstance(read(bytes(changed[:cut]), NOW_S), tuple | Refused)
    assert isinstance(read(bytes(changed), NOW_S), tuple | Refused)


HOSTILE = {
    "empty": b"",
    "not a multiple of four": b"/abc\0\0\0\0,",
    "element of size -4 (hangs python-osc for ever)": BUNDLE + AT_ONCE + struct.pack(">i", -4),
    "element of size 0": BUNDLE + AT_ONCE + bytes(4),
    "element of the smallest size": BUNDLE + AT_ONCE + struct.pack(">i", -(2**31)),
    "element longer than the bundle": BUNDLE + AT_ONCE + struct.pack(">i", 400) + one("/a"),
    "element of a crooked size": BUNDLE + AT_ONCE + struct.pack(">i", 6) + one("/a")[:6],
    "bundle without a time tag": BUNDLE,
    "element size cut off": BUNDLE + AT_ONCE + b"\0\0",
    "dated an hour ahead (python-osc sleeps)": bundle(one("/a"), tag=tag_at(NOW_S + 3600.0)),
    "dated at the end of time": bundle(one("/a"), tag=b"\xff" * 8),
    "no slash": text("abcd") + text(","),
    "no end of address": b"/abcdefg",
    "address not ASCII": one("/ä"),
    "address with a space": one("/a b"),
    "address too long": one("/" + "a" * 256),
    "no comma before type tags": text("/a") + text("iiii"),
    "no end of type tags": text("/a") + b",iii",
    "unknown type tag": one("/a", ",x", b"\0\0\0\1"),
    "argument missing": one("/a", ",ii", b"\0\0\0\1"),
    "argument too many": one("/a", ",i", bytes(8)),
    "nothing declared, something sent": one("/a", ",", bytes(4)),
    "NaN": one("/a", ",f", struct.pack(">f", float("nan"))),
    "infinity": one("/a", ",f", struct.pack(">f", float("inf"))),
    "NaN of double precision": one("/a", ",d", struct.pack(">d", float("nan"))),
    "bad UTF-8": one("/a", ",s", text(b"\xff\xfe")),
    "bad UTF-8 in a symbol": one("/a", ",S", text(b"\xc3")),
    "text without an end": one("/a", ",s", b"abcd"),
    "blob of negative size": one("/a", ",b", struct.pack(">i", -4) + bytes(4)),
    "blob longer than the packet": one("/a", ",b", struct.pack(">i", 2**31 - 1) + bytes(4)),
    "blob cut in its padding": one("/a", ",bi", struct.pack(">i", 5) + bytes(8)),
    "array never closed": one("/a", ",[i", bytes(4)),
    "array never opened": one("/a", ",i]", bytes(4)),
    "arrays too deep": one("/a", "," + "[" * 60 + "]" * 60),
    "too many arguments": one("/a", "," + "T" * 4000),
    "character beyond ASCII": one("/a", ",c", struct.pack(">I", 0xFFFFFFFF)),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_packets_are_refused(name: str) -> None:
    assert isinstance(read(HOSTILE[name], NOW_S), Refused)


def test_bundles_nested_too_deep_are_refused_and_just_deep_enough_are_read() -> None:
    deep = one("/a")
    for _ in range(packet.DEPTH_AT_MOST):
        deep = bundle(deep)
    assert read(deep, NOW_S) == (Message("/a", ()),)
    assert read(bundle(deep), NOW_S) == Refused("bundles too deep")
    for _ in range(2000):
        deep = bundle(deep)
    assert read(deep, NOW_S) == Refused("bundles too deep")


def test_too_many_messages_are_refused() -> None:
    assert len(read(bundle(*[one("/a")] * 1024), NOW_S)) == 1024  # type: ignore[arg-type]
    assert read(bundle(*[one("/a")] * 1025), NOW_S) == Refused("too many messages in a packet")


@pytest.mark.parametrize(
    ("tag", "arguments", "following"),
    [
        ("c", b"\0\0\0a", "a"),
        ("r", b"\1\2\3\4", 0x01020304),
        ("m", b"\0\x90\x40\x7f", b"\0\x90\x40\x7f"),
        ("I", b"", None),
    ],
)
def test_what_python_osc_drops_or_misaligns_keeps_what_follows(tag: str, arguments: bytes, following: object) -> None:
    found = read(one("/a", f",{tag}i", arguments + struct.pack(">i", 7)), NOW_S)
    assert found == (Message("/a", (following, 7)),)


def test_a_symbol_is_text_and_a_message_may_lack_type_tags() -> None:
    assert read(one("/a", ",S", text("abc")), NOW_S) == (Message("/a", ("abc",)),)
    assert read(text("/abc"), NOW_S) == (Message("/abc", ()),)


def test_a_date_is_a_delay_and_a_past_one_is_now() -> None:
    (ahead,) = read(bundle(one("/a"), tag=tag_at(NOW_S + 2.5)), NOW_S)  # type: ignore[misc]
    assert ahead.delay_s == pytest.approx(2.5, abs=1e-6)
    assert read(bundle(one("/a"), tag=tag_at(NOW_S - 100.0)), NOW_S) == (Message("/a", (), 0.0),)
    assert read(bundle(one("/a")), NOW_S) == (Message("/a", (), 0.0),)


@pytest.mark.parametrize(
    "fill",
    [
        lambda size: bundle(*[one("/a", ",T")] * (size // 12)),
        lambda size: one("/a", ",s", text("x" * size)),
        lambda size: text("/a") + text("," + "[" * size),
        lambda size: BUNDLE + AT_ONCE + b"\0\0\0\x04" * (size // 4),
        lambda size: b"/" * (size // 4 * 4),
    ],
)
def test_the_longest_packets_are_read_in_no_time(fill: object) -> None:
    hostile = fill(packet.BYTES_AT_MOST - 200)  # type: ignore[operator]
    begun_s = time.perf_counter()
    for _ in range(5):
        read(hostile, NOW_S)
    assert (time.perf_counter() - begun_s) / 5 < 0.25
    assert read(bytes(packet.BYTES_AT_MOST + 1), NOW_S) == Refused("packet too long")
