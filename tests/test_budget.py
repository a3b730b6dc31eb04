"""The budget of evaluations: never more than allowed, less at once when the sound is strained, and all of it again."""

from __future__ import annotations

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from installation.evolution.budget import FLOOR, PACE_S, STEPS_BACK, Budget

REPORT_S = 0.25
STEP_MS = 40.0
CALM, STRAINED, DIRE = 0.2 * STEP_MS, 0.6 * STEP_MS, 0.9 * STEP_MS

LIMITS = st.floats(0.5, 1000.0)
BATCHES = st.lists(st.tuples(st.integers(1, 8), st.floats(0.0, 2.0)), min_size=1, max_size=60)


def evaluate(budget: Budget, seconds: float, begin_s: float, report_ms: float | None = None) -> list[tuple[float, int]]:
    """Evaluate batches of 8 as fast as the budget allows and a machine of 80 a second can, with a report each
    REPORT_S; when each batch began, and how many it was."""
    now_s, next_report_s, begun = begin_s, begin_s, []
    while now_s < begin_s + seconds:
        if report_ms is not None and now_s >= next_report_s:
            budget.hear(report_ms, STEP_MS, now_s)
            next_report_s += REPORT_S
        wait_s = budget.wait_s(now_s)
        if wait_s > 0.0:
            now_s += min(wait_s, REPORT_S)
            continue
        begun.append((now_s, 8))
        budget.spend(8, now_s)
        now_s += 0.1
    return begun


def most_in_any_window(begun: list[tuple[float, int]], rate: float) -> float:
    """The most that is evaluated in any window beyond what `rate` allows in it."""
    return max(
        sum(count for _, count in begun[first : last + 1]) - rate * (begun[last][0] - begun[first][0])
        for first in range(len(begun))
        for last in range(first, len(begun))
    )


@settings(deadline=None, derandomize=True, max_examples=60)
@given(LIMITS, BATCHES)
def test_in_no_window_is_more_evaluated_than_allowed_and_one_batch(
    limit: float, batches: list[tuple[int, float]]
) -> None:
    budget, now_s, begun = Budget(limit), 0.0, []
    for count, pause_s in batches:
        now_s += pause_s
        wait_s = budget.wait_s(now_s)
        now_s += wait_s
        assert budget.wait_s(now_s) <= 1e-6 * max(1.0, wait_s)
        begun.append((now_s, count))
        budget.spend(count, now_s)
    assert most_in_any_window(begun, limit) <= 8.0 + 1e-3


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.floats(0.5, 60.0), st.floats(0.5, 60.0))
def test_a_limit_turned_holds_from_then_on(before: float, after: float) -> None:
    budget = Budget(before)
    evaluate(budget, 5.0, 0.0)
    budget.allow(after, 5.0)
    begun = evaluate(budget, 20.0, 5.0)
    assert not begun or most_in_any_window(begun, after) <= 8.0 + 1e-3


def test_without_a_limit_it_never_waits() -> None:
    budget = Budget(math.inf)
    begun = evaluate(budget, 5.0, 0.0, CALM)
    assert len(begun) >= 50 and budget.wait_s(5.0) == 0.0 and budget.state == "free"


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.one_of(LIMITS, st.just(math.inf)), st.floats(0.0, 10.0))
def test_it_has_yielded_after_two_reports(limit: float, seconds: float) -> None:
    budget = Budget(limit)
    evaluate(budget, seconds, 0.0)
    now_s = seconds + 0.1
    before = budget.pace(now_s)
    for number in range(2):
        budget.hear(STRAINED, STEP_MS, now_s + number * REPORT_S)
    assert budget.rate <= max(FLOOR, before / 4.0) + 1e-9 and budget.state == "yielding"
    for number in range(20):
        budget.hear(STRAINED, STEP_MS, now_s + number * REPORT_S)
    assert budget.rate == FLOOR


def test_really_slower_while_strained_and_silent_while_it_is_dire() -> None:
    budget = Budget(math.inf)
    free = len(evaluate(budget, 10.0, 0.0, CALM))
    strained = len(evaluate(budget, 30.0, 10.0, STRAINED))
    assert free >= 95 and strained <= 5
    assert evaluate(budget, 30.0, 40.0, DIRE) == [] and budget.state == "paused"
    assert budget.wait_s(70.0) == math.inf and budget.pace(70.0) == 0.0


@settings(deadline=None, derandomize=True, max_examples=40)
@given(LIMITS, st.integers(1, 30), st.sampled_from([STRAINED, DIRE]))
def test_it_recovers_by_steps_and_wholly(limit: float, reports: int, trouble_ms: float) -> None:
    budget = Budget(limit)
    evaluate(budget, 6.0, 0.0)
    for number in range(reports):
        budget.hear(trouble_ms, STEP_MS, 6.0 + number * REPORT_S)
    now_s = 6.0 + reports * REPORT_S
    rates = []
    for number in range(STEPS_BACK):
        budget.hear(CALM, STEP_MS, now_s + number * REPORT_S)
        rates.append(budget.rate)
    assert rates == sorted(rates)
    assert budget.rate == limit and budget.state == "free"


def test_the_pace_is_that_of_the_last_seconds() -> None:
    budget = Budget(math.inf)
    for tenth in range(100):
        budget.spend(4, tenth / 10.0)
    assert math.isclose(budget.pace(9.95), 40.0, rel_tol=0.03)
    assert budget.figures(9.95) == {"evaluations_a_second": round(budget.pace(9.95), 2), "budget": "free"}
    assert budget.pace(9.95 + PACE_S) == 0.0
