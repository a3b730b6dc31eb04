"""The listening study: a page that says nothing of what it asks, answered by a real browser; files of strangers; and
listeners whose hearing is known, for the statistics to find it."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from installation.errors import RenderError, StoreError
from installation.evolution.agreement import Agreement, agreement
from installation.evolution.answers import read_answers
from installation.evolution.audition import audition
from installation.evolution.breeding import Breeder, new_search
from installation.evolution.clips import PEAK_DB, equally_loud, run_name
from installation.evolution.embedding import Calibration, Embedding
from installation.evolution.embedding.texture import Texture
from installation.evolution.evaluation import Local
from installation.evolution.genotype import Space
from installation.evolution.intervals import contrast, correlation, share, wilson
from installation.evolution.kept import Header
from installation.evolution.reliability import alpha
from installation.evolution.settings import Settings
from installation.evolution.sparseness import distances
from installation.evolution.store import Store, open_store, read_store
from installation.evolution.study import CATCHES, Study, write_study
from installation.evolution.study_results import as_page, as_text
from installation.evolution.triplets import BANDS, catches, choose, margins
from tests.synthesis import RATE_HZ, SineDecoder

STEPS = 12
DECODE = audition(SineDecoder())
SPACE = Space(np.zeros(4, np.float32), np.ones(4, np.float32))


class Brightness:
    """An embedding of one number: how often the sound crosses zero."""

    name = "brightness"
    size = 1
    calibration: Calibration = {}  # noqa: RUF012

    def calibrate(self, sounds: np.ndarray) -> None:
        """Nothing to learn."""

    def embed(self, sounds: np.ndarray) -> np.ndarray:
        return (np.diff(np.signbit(sounds), axis=1).mean(axis=1, keepdims=True) * 100).astype(np.float32)


@pytest.fixture(scope="module")
def embeddings() -> dict[str, Embedding]:
    rng = np.random.default_rng(0)
    texture = Texture(RATE_HZ)
    texture.calibrate(DECODE(rng.standard_normal((20, STEPS, 4)).astype(np.float32)))
    return {"texture": texture, "brightness": Brightness()}


def breed(path: Path, embeddings: dict[str, Embedding], seed: int = 1, generations: int = 9) -> Path:
    settings = Settings(container=14, brood=8, steps=STEPS, archive=40, neighbours=5, rate=0.3, seed=seed)
    texture = embeddings["texture"]
    header = Header("sines", "ab" * 32, 4, STEPS, "texture", seed, texture.calibration, settings.as_dict())
    with open_store(path, header) as store:
        breeder = Breeder(new_search(SPACE, settings), Local(DECODE, texture, SPACE), store)
        while breeder.search.generation < generations:
            breeder.generation()
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, embeddings: dict[str, Embedding]) -> Path:
    return breed(tmp_path_factory.mktemp("run") / "run.sqlite", embeddings)


@pytest.fixture(scope="module")
def store(run: Path) -> Iterator[Store]:
    with read_store(run) as opened:
        yield opened


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study") / "study.html"


@pytest.fixture(scope="module")
def study(store: Store, page: Path, embeddings: dict[str, Embedding]) -> Study:
    return write_study(store, page, DECODE, RATE_HZ, embeddings, triplets=24, ratings=20)


def asked(page: Path) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="asked">(.*?)</script>', page.read_text(), re.S)
    assert found
    return dict(json.loads(found[1]))


# ---- the page


def test_a_study_is_the_same_for_the_same_seed_and_another_for_another(
    store: Store, study: Study, page: Path, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    again = write_study(store, tmp_path / "a.html", DECODE, RATE_HZ, embeddings, triplets=24, ratings=20)
    other = write_study(store, tmp_path / "b.html", DECODE, RATE_HZ, embeddings, triplets=24, ratings=20, seed=1)
    assert (tmp_path / "a.html").read_bytes() == page.read_bytes() and again.name == study.name != other.name


def test_its_sounds_are_as_loud_as_each_other_and_whole(page: Path, study: Study) -> None:
    levels = []
    for text in asked(page)["clips"].values():
        with wave.open(io.BytesIO(base64.b64decode(text))) as file:
            assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, RATE_HZ)
            sound = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768
        assert len(sound) == STEPS * 256 and np.abs(sound).max() <= 10 ** (PEAK_DB / 20) + 1e-4
        levels.append(20 * np.log10(np.sqrt(np.mean(sound**2))))
    assert len(levels) == len(study.clips) and np.ptp(levels) < 0.01


def test_it_says_nothing_of_what_is_tested(page: Path, study: Study) -> None:
    told = asked(page)
    assert set(told) == {"study", "run", "clips", "triplets", "repeats", "ratings"}
    text = page.read_text().replace(json.dumps(told, separators=(",", ":")), "").lower()
    for word in ("sparse", "novel", "generation", "embedding", "evol", "texture", "sines", "rave", "catch"):
        assert word not in re.sub(r"\bcatch( \([a-z]+\))? \{|\.catch\(", "", text), word
    assert list(told["clips"]) == sorted(told["clips"]) and all(re.fullmatch("[0-9a-f]{12}", n) for n in told["clips"])


def test_it_needs_nothing_from_outside(page: Path) -> None:
    text = page.read_text()
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=\"?(https?:|//)|@import|url\([\"']?(https?:|//|\.)", text)


def test_its_sounds_are_of_the_whole_run(store: Store, study: Study) -> None:
    last = max(each.number for each in (past.generation for past in store.generations()))
    ages = [each.individual.generation for each in study.clips]
    assert sum(not each.individual.parents for each in study.clips) >= 5
    assert sum(last / 3 <= age <= 2 * last / 3 for age in ages) >= 3 and max(ages) > 2 * last / 3


@pytest.mark.parametrize(
    ("counts", "named"),
    [({"triplets": 0}, "triplets: 0"), ({"ratings": -1}, "ratings: -1"), ({"triplets": 4, "repeats": 3}, "0..2")],
)
def test_counts_that_make_no_study_are_refused(
    store: Store, embeddings: dict[str, Embedding], tmp_path: Path, counts: dict[str, int], named: str
) -> None:
    with pytest.raises(RenderError, match=re.escape(named)):
        write_study(store, tmp_path / "s.html", DECODE, RATE_HZ, embeddings, **counts)


def test_a_run_without_sounds_and_a_place_that_cannot_be_written_are_said(
    store: Store, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    with pytest.raises(RenderError, match="can't be written"):
        write_study(store, tmp_path / "no" / "s.html", DECODE, RATE_HZ, embeddings)
    with pytest.raises(RenderError, match="embeddings: none"):
        write_study(store, tmp_path / "s.html", DECODE, RATE_HZ, {})
    with pytest.raises(StoreError, match="holds 0 different sounds that can be heard"):
        write_study(store, tmp_path / "s.html", lambda latents: DECODE(latents) * 0, RATE_HZ, embeddings)


# ---- triplets and levels


def test_the_margin_is_its_formula() -> None:
    apart = distances(np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [1.0], [3.0]]))
    assert np.allclose(margins(apart, np.array([[0, 1, 2], [0, 2, 1], [2, 0, 1]])), [0.5, -0.5, -0.2])
    assert margins(np.zeros((3, 3)), np.array([[0, 1, 2]]))[0] == 0


def test_triplets_go_from_easy_to_hard_under_each_and_half_are_disputed() -> None:
    rng = np.random.default_rng(3)
    apart = np.stack([distances(points, points) for points in rng.standard_normal((3, 30, 5))])
    chosen = choose(apart, 36, rng)
    assert len({(a, *sorted((b, c))) for a, b, c in chosen.tolist()}) == 36
    assert all(len(set(row)) == 3 for row in chosen.tolist())
    signed = np.stack([margins(each, chosen) for each in apart])
    disputed = (np.sign(signed) != np.sign(signed[0])).any(axis=0)
    assert 0.4 <= disputed.mean() <= 0.6
    every = np.array([(a, b, c) for a in range(30) for b in range(30) for c in range(b) if a not in (b, c)])
    for each, mine in zip(apart, signed, strict=True):
        edges = np.quantile(np.abs(margins(each, every)), [1 / 3, 2 / 3])
        found = np.bincount(np.digitize(np.abs(mine), edges), minlength=3)
        assert found.min() >= 4
    assert np.bincount(chosen.ravel(), minlength=30).max() <= 9


def test_disputed_triplets_are_those_both_are_sure_of() -> None:
    rng = np.random.default_rng(13)
    apart = np.stack([distances(points, points) for points in rng.standard_normal((2, 20, 5))])
    every = np.array([(a, b, c) for a in range(20) for b in range(20) for c in range(b) if a not in (b, c)])
    first, second = (margins(each, every) for each in apart)
    doubt = np.minimum(np.abs(first), np.abs(second))[first * second < 0]
    taken = choose(apart, 40, rng)
    first, second = (margins(each, taken) for each in apart)
    chosen = np.minimum(np.abs(first), np.abs(second))[first * second < 0]
    assert len(chosen) == 20 and np.median(chosen) > 1.3 * np.median(doubt)


def test_which_side_is_nearer_is_chance() -> None:
    rng = np.random.default_rng(4)
    points = rng.standard_normal((30, 5))
    apart = distances(points, points)[None]
    assert 0.3 < (margins(apart[0], choose(apart, 100, rng)) > 0).mean() < 0.7


def test_catch_trials_hold_the_anchor_and_what_is_farthest_from_it() -> None:
    points = np.array([[0.0], [1.0], [2.0], [9.0]])
    for a, b, c in catches(distances(points, points)[None], 4, np.random.default_rng(0)).tolist():
        assert a in (b, c) and b != c and ({b, c} - {a}) == ({3} if a != 3 else {0})


def test_levels_are_equal_as_far_as_peaks_allow() -> None:
    rng = np.random.default_rng(5)
    sounds = (rng.standard_normal((6, 8000)) * 10 ** rng.uniform(-2, -0.5, (6, 1))).astype(np.float32)
    even = equally_loud(sounds, RATE_HZ)
    assert np.allclose(np.sqrt((even**2).mean(axis=1)), 0.1, rtol=1e-4)
    sounds[0] *= 0.001
    sounds[0, 4000] = 0.9
    peaked = equally_loud(sounds, RATE_HZ)
    levels = 20 * np.log10(np.sqrt((peaked**2).mean(axis=1)))
    assert np.allclose(levels[1:], -30, atol=0.01) and levels[0] < -30
    assert 20 * np.log10(np.abs(peaked[0]).max()) == pytest.approx(PEAK_DB, abs=0.01)


# ---- statistics, against what is known


def table(*rows: str) -> np.ndarray:
    return np.array([[np.nan if each == "." else float(each) for each in row.split()] for row in rows])


def test_alpha_is_that_of_krippendorffs_worked_examples() -> None:
    two = table("0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0")
    four = table(
        "1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."
    )
    assert alpha(two) == pytest.approx(0.095, abs=5e-4)
    assert alpha(four) == pytest.approx(0.743, abs=5e-4)
    assert alpha(four, interval=True) == pytest.approx(0.849, abs=5e-4)
    assert alpha(table("1 2 .", ". . 3")) is None and alpha(table("1 1", "1 1")) is None


def test_wilson_is_its_worked_values() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=5e-4)
    assert wilson(0, 20)[0] == 0 and wilson(20, 20)[1] == 1


@pytest.mark.parametrize("listeners", [1, 3, 20])
def test_intervals_of_a_share_hold_the_truth_as_often_as_they_say(listeners: int) -> None:
    rng = np.random.default_rng(6)
    count = np.full(listeners, 24.0)
    found = [share(rng.binomial(24, 0.7, listeners).astype(float), count, rng) for _ in range(200)]
    assert 0.9 <= np.mean([each is not None and each.low <= 0.7 <= each.high for each in found]) <= 1
    assert np.mean([each.high - each.low for each in found if each]) < {1: 0.37, 3: 0.25, 20: 0.09}[listeners]


def test_listeners_who_differ_widen_the_interval() -> None:
    rng = np.random.default_rng(7)
    count, alike = np.full(20, 24.0), np.full(20, 16.8)
    apart = np.where(np.arange(20) < 10, 24.0, 9.6)
    same, split = share(alike, count, rng), share(apart, count, rng)
    assert same and split and same.value == pytest.approx(split.value) == pytest.approx(0.7)
    assert split.high - split.low > 0.2 and same.high - same.low < 0.01
    never = share(alike * 0, count, rng)
    assert never and never.low == 0 and 0.005 < never.high < 0.01, (
        "that nobody did says little of whether anybody would"
    )


def test_a_contrast_is_paired() -> None:
    rng = np.random.default_rng(8)
    base = rng.integers(5, 20, 15).astype(float)
    found = contrast(base + 1, base, np.full(15, 24.0), rng)
    assert found and found.value == pytest.approx(1 / 24) == pytest.approx(found.low) == pytest.approx(found.high)


def test_a_correlation_is_found_whatever_the_kindness_of_listeners_and_none_where_there_is_none() -> None:
    rng = np.random.default_rng(9)
    values = rng.random(40)
    kindness = rng.integers(0, 3, (15, 1))
    ratings = np.round(1 + kindness + 4 * values)
    ratings[rng.random(ratings.shape) < 0.6] = np.nan
    found = correlation(ratings, values, rng)
    assert found and found.value > 0.85 and found.low > 0.6
    misses = 0
    for _ in range(20):
        chance = correlation(rng.integers(1, 8, (15, 40)).astype(float), values, rng)
        misses += chance is None or not chance.low <= 0 <= chance.high
    assert misses <= 3
    assert correlation(ratings, np.ones(40), rng) is None and correlation(ratings[:, :4], values[:4], rng) is None


# ---- listeners whose hearing is known

Taken = Callable[[str, str, str], str]


def listener(study: Study, number: int, takes: Taken, rated: Callable[[str], int], careful: bool = True) -> Any:
    """A file as the page writes it, by somebody who takes as `takes` (a, left, right) says."""
    rng = np.random.default_rng([99, number])
    names = [each.name for each in study.clips]
    order = [[names[place] for place in row] for row in rng.permutation(study.triplets)]
    plain = [row for row in order if row[0] not in row[1:]]
    trials = [*order, *([a, right, left] for a, left, right in plain[: study.repeats])]

    def choice(a: str, left: str, right: str) -> dict[str, Any]:
        taken = takes(a, left, right) if a not in (left, right) else a if careful else ({left, right} - {a}).pop()
        side = "left" if taken == left else "right"
        return {
            "a": a, "left": left, "right": right, "chosen": side, "plays": [1, 2, 1], "heard_s": 8.5, "time_s": 10
        }  # fmt: skip

    return {
        "schema": "listening-study-answers",
        "version": 1,
        "study": study.name,
        "run": study.run,
        "participant": f"{number:032x}",
        "seed": number,
        "started": "2026-03-01T10:00:00.000Z",
        "saved": "2026-03-01T10:11:12.345Z",
        "complete": True,
        "about": {"age": "30–44", "experience": "", "listening": "headphones"},
        "triplets": [choice(*row) for row in trials],
        "ratings": [
            {"clip": name, "interest": rated(name), "room": 4, "fault": False, "plays": 1, "heard_s": 3, "time_s": 9.25}
            for name in rng.permutation(names)[: study.ratings].tolist()
        ],
    }


def nearer(study: Study, embedding: Embedding) -> Taken:
    """What somebody takes who hears as `embedding` measures."""
    points = embedding.embed(DECODE(np.stack([each.individual.latents for each in study.clips])))
    apart = distances(points, points)
    places = {each.name: place for place, each in enumerate(study.clips)}

    def takes(a: str, left: str, right: str) -> str:
        return left if apart[places[a], places[left]] < apart[places[a], places[right]] else right

    return takes


def mostly(takes: Taken, share: float, rng: np.random.Generator) -> Taken:
    def noisy(a: str, left: str, right: str) -> str:
        taken = takes(a, left, right)
        return taken if rng.random() < share else right if taken == left else left

    return noisy


def write(folder: Path, files: list[Any]) -> list[Path]:
    for number, each in enumerate(files):
        (folder / f"{number}.json").write_text(each if isinstance(each, str) else json.dumps(each), "utf-8")
    return [folder / f"{number}.json" for number in range(len(files))]


def found(store: Store, paths: list[Path], embeddings: dict[str, Embedding]) -> Agreement:
    return agreement(read_answers(paths, store), DECODE, embeddings, run_name(store.header))


@pytest.mark.parametrize("heard", ["texture", "brightness"])
def test_whom_people_hear_like_is_found_and_how_nearly(
    store: Store, study: Study, embeddings: dict[str, Embedding], tmp_path: Path, heard: str
) -> None:
    rng = np.random.default_rng(10)
    likes = {each.name: each.individual.sparseness for each in study.clips}
    places = np.argsort(np.argsort(list(likes.values())))
    degree = dict(zip(likes, 1 + 6 * places // (len(likes) - 1), strict=True))
    takes = mostly(nearer(study, embeddings[heard]), 0.8, rng)
    paths = write(tmp_path, [listener(study, n, takes, lambda name: int(degree[name])) for n in range(12)])
    results = found(store, paths, embeddings)
    best = results.fits[0]
    other = results.fits[1]
    assert best.embedding == heard and results.listeners == 12 and not results.refused
    assert best.overall and best.overall.low <= 0.8 <= best.overall.high and best.overall.answers == 12 * 24
    assert tuple(best.bands) == BANDS
    assert all(
        each and abs(each.value - 0.8) < 0.12 and each.low < each.value < each.high for each in best.bands.values()
    )
    assert best.disputed and other.disputed and other.disputed.value == pytest.approx(1 - best.disputed.value)
    assert other.lead and other.lead.low > 0
    assert results.consistency and results.consistency.low <= 0.68 <= results.consistency.high
    assert results.alpha["choices"] is not None and 0.2 < results.alpha["choices"] < 0.5
    rho = {(each.rated, each.known): each.rho for each in results.likings}
    interest = rho["interest", "sparseness"]
    assert interest and interest.value > 0.9 and rho["room", "sparseness"] is None and results.alpha["interest"] == 1


def test_people_who_guess_agree_with_nothing(
    store: Store, study: Study, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    rng = np.random.default_rng(11)
    takes = mostly(nearer(study, embeddings["texture"]), 0.5, rng)
    files = [listener(study, n, takes, lambda _: int(rng.integers(1, 8))) for n in range(15)]
    results = found(store, write(tmp_path, files), embeddings)
    for fit in results.fits:
        assert fit.overall and fit.overall.low <= 0.5 <= fit.overall.high
    assert results.left and results.left.low <= 0.5 <= results.left.high
    assert results.alpha["choices"] is not None and abs(results.alpha["choices"]) < 0.1
    assert "may be chance" in as_text(results)


def test_who_misses_what_can_be_missed_by_nobody_is_left_out_and_it_is_said(
    store: Store, study: Study, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    takes = nearer(study, embeddings["texture"])
    files = [listener(study, n, takes, lambda _: 4, careful=n > 0) for n in range(3)]
    results = found(store, write(tmp_path, files), embeddings)
    assert results.listeners == 2
    assert results.inattentive == [{"participant": f"{0:032x}", "right": 0, "catches": CATCHES}]
    assert "0 of 4 catch trials right" in as_text(results) and results.fits[0].overall
    assert results.fits[0].overall.value == 1


def test_results_are_readable_and_json_and_the_same_each_time(
    store: Store, study: Study, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    takes = mostly(nearer(study, embeddings["texture"]), 0.8, np.random.default_rng(12))
    paths = write(tmp_path, [*(listener(study, n, takes, lambda _: 4) for n in range(3)), "<b>no</b>"])
    results = found(store, paths, embeddings)
    assert json.dumps(results.as_dict()) == json.dumps(found(store, paths, embeddings).as_dict())
    text, html = as_text(results), as_page(results)
    for fit in results.fits:
        assert fit.embedding in text and fit.embedding in html and str(fit.overall) in text and str(fit.overall) in html
    assert "first look" in text and "<b>no" not in html


def test_no_answers_at_all_are_no_results(store: Store, embeddings: dict[str, Embedding]) -> None:
    results = found(store, [], embeddings)
    assert results.listeners == 0 and "Nobody" in as_text(results) and "Nobody" in as_page(results)


# ---- files of strangers


def change(key: str, value: Any, part: str = "") -> Callable[[dict[str, Any]], Any]:
    def changed(file: dict[str, Any]) -> Any:
        target = file[part][0] if part else file
        target[key] = value
        return file

    return changed


def twice(file: dict[str, Any]) -> Any:
    file["triplets"] += file["triplets"]
    return file


def rated_twice(file: dict[str, Any]) -> Any:
    file["ratings"].append(file["ratings"][0])
    return file


def alone(file: dict[str, Any]) -> Any:
    file["triplets"][0]["right"] = file["triplets"][0]["left"]
    return file


HOSTILE: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "not JSON": (lambda _: "certainly {not", "Invalid JSON"),
    "empty": (lambda _: "", "Invalid JSON"),
    "a list": (lambda _: "[1, 2]", "the file"),
    "nested without end": (lambda _: "[" * 100_000, "Invalid JSON"),
    "another schema": (change("schema", "birds"), "schema"),
    "another version": (change("version", 2), "version"),
    "another run": (change("run", "0" * 64), "run: 000000000000…, allowed is this run's"),
    "an unknown key": (change("admin", True), "admin"),
    "an unknown clip": (change("a", "0" * 12, "triplets"), "clip 000000000000: not one that is kept"),
    "a name that is a path": (change("a", "../../etc/pw", "triplets"), "triplets.0.a"),
    "no side": (change("chosen", "both", "triplets"), "triplets.0.chosen"),
    "the same on both sides": (alone, "B and C are both"),
    "too often": (twice, "too often"),
    "a clip rated twice": (rated_twice, "more than once"),
    "eleven of seven": (change("interest", 11, "ratings"), "ratings.0.interest"),
    "true of seven": (change("interest", True, "ratings"), "ratings.0.interest"),
    "never played": (change("plays", [1, 0, 1], "triplets"), "triplets.0.plays.1"),
    "before it was heard": (change("time_s", 1.0, "triplets"), "before all was heard"),
    "time that is no number": (change("time_s", float("nan"), "triplets"), "triplets.0.time_s"),
    "before it began": (change("saved", "1999-01-01T00:00:00Z"), "before it was started"),
    "a seed of another size": (change("seed", -1), "seed"),
    "no answers": (lambda file: file | {"triplets": [], "ratings": []}, "no answer"),
    "huge": (lambda file: json.dumps(file) + " " * 4_000_000, "more than"),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_file_that_cannot_be_true_is_refused_by_name_and_the_rest_counts(
    store: Store, study: Study, tmp_path: Path, kind: str
) -> None:
    spoil, said = HOSTILE[kind]
    good = listener(study, 1, lambda a, left, right: left, lambda _: 4)
    bad = spoil(listener(study, 2, lambda a, left, right: left, lambda _: 4))
    paths = write(tmp_path, [good, bad])
    reading = read_answers([*paths, tmp_path / "absent.json"], store)
    assert [each.participant for each in reading.counted] == [f"{1:032x}"]
    refused = {line.split(": ")[0]: line for line in reading.refused}
    assert set(refused) == {str(paths[1]), str(tmp_path / "absent.json")}
    assert said in refused[str(paths[1])] and len(refused[str(paths[1])]) < 1000


def test_of_one_participant_the_fuller_file_counts_and_a_copy_under_another_name_does_not(
    store: Store, study: Study, tmp_path: Path
) -> None:
    whole = listener(study, 1, lambda a, left, right: left, lambda _: 4)
    part = whole | {"triplets": whole["triplets"][:5], "ratings": [], "complete": False}
    paths = write(tmp_path, [part, whole, whole | {"participant": "f" * 32}])
    reading = read_answers([*paths, paths[1]], store)
    assert [len(each.triplets) for each in reading.counted] == [len(whole["triplets"])]
    assert [line.split(": ")[0] for line in reading.refused] == [str(paths[2]), str(paths[0])]
    assert all(f"already counted from {paths[1]}" in line for line in reading.refused)


# ---- a real browser

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
DRIVER = shutil.which("chromedriver")


class Visitor:
    """Someone in front of the page, in a headless Chromium."""

    def __init__(self, downloads: Path) -> None:
        from selenium import webdriver
        from selenium.webdriver.chrome.service import Service

        options = webdriver.ChromeOptions()
        options.binary_location = str(CHROMIUM)
        for flag in ("headless=new", "no-sandbox", "disable-gpu", "disable-dev-shm-usage", "mute-audio"):
            options.add_argument(f"--{flag}")
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=Service(str(DRIVER)))

    def ask(self, script: str) -> Any:
        return self.driver.execute_script(f"return {script}")

    def until(self, script: str, patience_s: float = 10.0) -> None:
        end = time.monotonic() + patience_s
        while not self.ask(script):
            assert time.monotonic() < end, f"never: {script}; {self.driver.get_log('browser')}"
            time.sleep(0.02)

    def click(self, identity: str) -> None:
        self.driver.find_element("id", identity).click()

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.driver, duration=0).send_keys(*keys).perform()

    def can(self, identity: str) -> bool:
        return bool(self.ask(f"!document.getElementById('{identity}').disabled"))


@pytest.fixture
def visitor(tmp_path: Path) -> Iterator[Visitor]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium and chromedriver are not installed: `make setup-test` installs them")
    pytest.importorskip("selenium")
    opened = Visitor(tmp_path)
    yield opened
    opened.driver.quit()


def enter(visitor: Visitor, page: Path) -> None:
    """Through consent, the questions about oneself and the volume."""
    visitor.driver.get(page.as_uri())
    assert not visitor.can("next")
    visitor.click("consent")
    visitor.click("next")
    visitor.driver.find_element("id", "listening").send_keys("headphones")
    assert not visitor.can("next")
    visitor.click("play-♪")
    visitor.until("!document.getElementById('next').disabled")
    visitor.click("next")


def compare(visitor: Visitor, by_mouse: bool) -> None:
    """One triplet, by what is in it: A itself if it is there, else the left."""
    number = visitor.ask("held.triplets.length")
    a, _, right = visitor.ask("drawn.triplets[held.triplets.length]")
    assert not visitor.can("pick-B") and not visitor.can("pick-C") and not visitor.can("next")
    visitor.press("\ue012", "\ue007")
    assert visitor.ask("held.triplets.length") == number, "an answer before anything was heard"
    if by_mouse:
        for letter in "CAB":
            assert not visitor.can("pick-B")
            visitor.click(f"play-{letter}")
            visitor.until(f"document.getElementById('play-{letter}').classList.contains('heard')")
        visitor.click("pick-C" if right == a else "pick-B")
        visitor.press("\ue007") if number else visitor.click("next")
    else:
        visitor.press(" ")
        visitor.until("!document.getElementById('pick-B').disabled")
        visitor.press("\ue014" if right == a else "\ue012", "\ue007")
    assert visitor.ask("held.triplets.length") == number + 1


def rate(visitor: Visitor) -> None:
    visitor.press("6", "\ue007")
    assert visitor.ask("document.querySelectorAll(':checked').length") == 0
    visitor.press(" ")
    visitor.until("!document.getElementById('interest').disabled")
    visitor.press("6", "2", "x", "\ue007")


def test_a_browser_takes_the_whole_study_and_what_it_saves_counts(
    visitor: Visitor, store: Store, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    page = tmp_path / "study.html"
    study = write_study(store, page, DECODE, RATE_HZ, embeddings, triplets=6, ratings=2, repeats=2)
    enter(visitor, page)
    for number in range(6 + 2 + CATCHES):
        compare(visitor, by_mouse=number % 4 == 0)
        if number == 4:
            visitor.driver.refresh()
            assert visitor.ask("held.triplets.length") == 5
    visitor.press("\ue007")
    for _ in range(2):
        rate(visitor)
    shown = visitor.ask("document.getElementById('text').value")
    visitor.click("save")
    saved = tmp_path / f"answers-{json.loads(shown)['participant'][:8]}.json"
    end = time.monotonic() + 10
    while not saved.exists() and time.monotonic() < end:
        time.sleep(0.05)
    assert saved.read_text("utf-8") == shown
    assert [entry for entry in visitor.driver.get_log("browser") if entry["level"] == "SEVERE"] == []

    reading = read_answers([saved], store)
    assert reading.refused == () and len(reading.counted) == 1
    answers = reading.counted[0]
    assert answers.complete and answers.study == study.name and answers.about.listening == "headphones"
    assert answers.catches == (CATCHES, CATCHES) and answers.seed == visitor.ask("held.seed")
    assert [(each.interest, each.room, each.fault) for each in answers.ratings] == [(6, 2, True)] * 2
    first: dict[Any, Any] = {}
    swapped = [each for each in answers.triplets if first.setdefault(each.question, each) is not each]
    assert len(swapped) == 2 and all(first[each.question].left == each.right for each in swapped)
    names = [each.name for each in study.clips]
    wanted = {(names[a], *sorted((names[b], names[c]))) for a, b, c in study.triplets.tolist()}
    assert set(first) == wanted


def test_order_and_sides_are_each_listeners_own(
    visitor: Visitor, store: Store, embeddings: dict[str, Embedding], tmp_path: Path
) -> None:
    page = tmp_path / "study.html"
    write_study(store, page, DECODE, RATE_HZ, embeddings, triplets=24)
    visitor.driver.get(page.as_uri())
    plans = visitor.ask("Array.from({length: 200}, (_, seed) => plan(seed).triplets)")
    assert visitor.ask("plan(7).triplets") == plans[7]
    left = np.zeros(24)
    given = [tuple(row) for row in asked(page)["triplets"] if row[0] not in row[1:]]
    for trials in plans:
        assert len(trials) == 24 + 4 + CATCHES
        places: dict[Any, list[int]] = {}
        for place, (a, b, c) in enumerate(trials):
            places.setdefault((a, *sorted((b, c))), []).append(place)
        gaps = [twice[1] - twice[0] for twice in places.values() if len(twice) == 2]
        assert len(gaps) == 4 and min(gaps) >= 4
        seen = list(map(tuple, trials))
        left += [(a, b, c) in seen and ((a, c, b) not in seen or seen.index((a, b, c)) < seen.index((a, c, b)))
                 for a, b, c in given]  # fmt: skip
    assert len({json.dumps(each) for each in plans}) == 200
    assert np.abs(left / 200 - 0.5).max() < 0.15
