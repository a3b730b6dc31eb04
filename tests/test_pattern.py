"""Address patterns: the same as regular expressions where these can be trusted, and quick where they can't."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.control import pattern
from installation.parameters import declared

PARAMETERS = declared(16)


def oracle(text: str, address: str) -> bool:
    """The pattern as a regular expression: right, though slow for some."""
    out = ""
    for piece in re.findall(r"\[[^\]]*\]|\{[^}]*\}|.", text):
        if piece == "*":
            out += "[^/]*"
        elif piece == "?":
            out += "[^/]"
        elif piece.startswith("["):
            out += "(?!/)" + ("[^" + piece[2:] if piece.startswith("[!") else piece)
        elif piece.startswith("{"):
            out += "(?:" + "|".join(map(re.escape, piece[1:-1].split(","))) + ")"
        else:
            out += re.escape(piece)
    return re.fullmatch(out, address) is not None


PIECES = st.sampled_from(["a", "b", "ab", "/", "*", "?", "[a-b]", "[!a]", "[bc]", "{a,bb}", "{b,ab,}", "c"])


@settings(max_examples=500, deadline=None, derandomize=True)
@given(st.lists(PIECES, max_size=8).map("".join), st.text("abc/", max_size=8))
def test_patterns_match_what_regular_expressions_match(text: str, address: str) -> None:
    read = pattern.read("/" + text)
    assert read is not None
    assert (read.select(["/" + address]) == ("/" + address,)) == oracle("/" + text, "/" + address)


def test_patterns_select_parameters() -> None:
    def select(text: str) -> tuple[str, ...]:
        read = pattern.read(text)
        assert read is not None
        return read.select(PARAMETERS)

    assert select("/latent/*/bias") == tuple(f"/latent/{n}/bias" for n in range(16))
    assert select("/latent/[0-3]/scale") == tuple(f"/latent/{n}/scale" for n in range(4))
    assert select("/latent/1?/freeze") == tuple(f"/latent/1{n}/freeze" for n in range(6))
    assert select("/{voice,master}/{gain,mute}") == ("/voice/gain", "/master/gain", "/master/mute")
    assert select("/*") == ()
    assert set(select("/*/*")) | set(select("/*/*/*")) == set(PARAMETERS)


@pytest.mark.parametrize("text", ["/[a", "/{a,b", "/a]", "/a}", "/latent/[0-/bias"])
def test_what_is_not_closed_is_no_pattern(text: str) -> None:
    assert pattern.read(text) is None


@pytest.mark.parametrize(
    "text", ["/" + "*a" * 24 + "b", "/" + "*" * 250, "/" + "?*" * 120, "/" + "{a,aa,aaa}*" * 22, "/" + "[!b]*" * 50]
)
def test_patterns_that_stop_a_regular_expression_are_quick(text: str) -> None:
    read = pattern.read(text)
    assert read is not None
    begun_s = time.perf_counter()
    read.select(["/" + "a" * (20 + n) for n in range(50)])
    assert time.perf_counter() - begun_s < 0.5
