"""The bandit over operators: it finds what earns, forgets what no longer does, and goes on bit for bit."""

from __future__ import annotations

import json

import numpy as np

from installation.evolution.credit import Credit


def play(credit: Credit, chances: dict[str, float], generations: int, rng: np.random.Generator) -> list[str]:
    """Every operator's children come into the container with its chance; who was chosen last."""
    chosen: list[str] = []
    for _ in range(generations):
        chosen = credit.choose(30, rng)
        credit.settle(chosen, [rng.random() < chances[name] for name in chosen])
    return chosen


def test_at_first_all_are_as_likely() -> None:
    chosen = Credit("abcd").choose(8000, np.random.default_rng(0))
    assert all(abs(chosen.count(name) / 8000 - 0.25) < 0.03 for name in "abcd")


def test_what_earns_most_is_chosen_most_and_nothing_is_given_up() -> None:
    rng, credit = np.random.default_rng(0), Credit("abc")
    play(credit, {"a": 0.1, "b": 0.5, "c": 0.1}, 100, rng)
    chosen = [name for _ in range(40) for name in credit.choose(30, rng)]
    assert chosen.count("b") > 0.8 * len(chosen)
    assert credit.shares()["b"] > 0.4 > 0.25 > credit.shares()["a"]


def test_when_another_earns_it_is_found_again() -> None:
    rng, credit = np.random.default_rng(1), Credit("abc")
    play(credit, {"a": 0.1, "b": 0.5, "c": 0.1}, 150, rng)
    chosen = play(credit, {"a": 0.6, "b": 0.05, "c": 0.05}, 250, rng)
    assert chosen.count("a") > 0.8 * len(chosen)


def test_an_operator_it_does_not_know_has_no_account() -> None:
    credit = Credit("ab")
    credit.settle(["a", "", "z"], [True, True, True])
    assert credit.tried == {"a": 1.0, "b": 0.0} == credit.earned


def test_restored_it_chooses_the_same() -> None:
    rng, credit, again = np.random.default_rng(2), Credit("abc"), Credit("abcd")
    play(credit, {"a": 0.2, "b": 0.5, "c": 0.1}, 20, rng)
    whole = Credit("abc")
    whole.restore(json.loads(json.dumps(credit.state())))
    assert whole.choose(50, np.random.default_rng(3)) == credit.choose(50, np.random.default_rng(3))
    again.restore(credit.state())
    assert again.shares()["d"] == 0.5 and again.shares()["b"] == credit.shares()["b"]
