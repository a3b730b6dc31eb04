"""What a report says of a run, against the run as it was lived; and that all it shows is there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from installation.errors import ModelError, StoreError
from installation.evolution.audience import Spread, Yardstick, latents_of, open_held_out, points_of, spreads
from installation.evolution.breeding import new_search
from installation.evolution.chronicle import Chronicle
from installation.evolution.examination import examine
from installation.evolution.individual import Individual
from installation.evolution.kept import Change, Header
from installation.evolution.lineage import FORGOTTEN, FOUNDER, ancestry, drawing
from installation.evolution.measures import coverage, nearest_neighbour, vendi
from installation.evolution.quality import judge
from installation.evolution.report import write_report
from installation.evolution.settings import Settings
from installation.evolution.spectrogram import FLOOR_DB, frequencies_hz, spectrogram
from installation.evolution.store import open_store, read_store
from tests.runs import DECODE, REFERENCE, SPACE, STEPS, audience, opened, run
from tests.synthesis import RATE_HZ


def told(path: Path) -> Chronicle:
    with read_store(path) as store:
        return Chronicle.of(store)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[list[int]]]:
    path = tmp_path_factory.mktemp("run") / "small.sqlite"
    return path, run(path, 9, mutation="mixed", rate=0.5)


@pytest.fixture(scope="module")
def written(
    lived: tuple[Path, list[list[int]]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, Any]]:
    out = tmp_path_factory.mktemp("report") / "deep" / "er"
    with read_store(lived[0]) as store:
        return out, write_report(store, out, audience())


# ---- the chronicle


def test_containers_are_those_that_lived(lived: tuple[Path, list[list[int]]]) -> None:
    path, containers = lived
    chronicle = told(path)
    for generation, container in enumerate(containers):
        assert [each.identity for each in chronicle.container(generation)] == container
    assert chronicle.first == 0 and chronicle.last == len(containers) - 1 and chronicle.name == "small"


def test_moments_are_evenly_spaced_and_hold_both_ends(lived: tuple[Path, list[list[int]]]) -> None:
    chronicle = told(lived[0])
    assert chronicle.evenly(4) == [0, 3, 6, 9] and chronicle.evenly(2) == [0, 9]
    assert chronicle.evenly(1000) == list(range(10))


def test_of_a_store_that_forgot_its_dead_only_whole_containers_are_judged(tmp_path: Path) -> None:
    containers = run(tmp_path / "s.sqlite", 25, keep=5, archive=0, mutation="replace", rate=0.9)
    chronicle = told(tmp_path / "s.sqlite")
    numbers = chronicle.evenly(26)
    assert 0 not in numbers and numbers[-1] == 25
    for number in numbers:
        assert [each.identity for each in chronicle.container(number)] == containers[number]


def test_novelty_now_is_measured_by_hand(lived: tuple[Path, list[list[int]]]) -> None:
    chronicle = told(lived[0])
    living = {each.identity: each.embedding for each in chronicle.container(chronicle.last)}
    everyone = {**chronicle.archived, **living}
    novel = chronicle.most_novel(10)
    assert len(novel) == 10 and [now for _, now in novel] == sorted((now for _, now in novel), reverse=True)
    for each, now in novel:
        apart = sorted(
            np.linalg.norm(each.embedding - other) for who, other in everyone.items() if who != each.identity
        )
        assert now == pytest.approx(np.mean(apart[:4]), rel=1e-4)


def test_late_refusals_are_a_share_of_late_children(tmp_path: Path) -> None:
    run(tmp_path / "s.sqlite", 8, mutation="step", rate=1.0, sigma=3.0)
    chronicle = told(tmp_path / "s.sqlite")
    refused = sum(sum(each.rejected.values()) for each in chronicle.generations[-3:])
    assert refused > 0 and chronicle.rejected_share(3) == pytest.approx(refused / (3 * 8))


def test_a_store_without_a_generation_is_refused(tmp_path: Path) -> None:
    header = Header("sines", "ab" * 32, 4, STEPS, "texture", 0)
    with (
        open_store(tmp_path / "s.sqlite", header) as store,
        pytest.raises(StoreError, match=r"s\.sqlite: holds no whole generation"),
    ):
        Chronicle.of(store)


def test_a_store_in_which_nobody_lives_is_refused(tmp_path: Path) -> None:
    with open_store(tmp_path / "s.sqlite", Header("sines", "ab" * 32, 4, STEPS, "texture", 0)) as store:
        search = new_search(SPACE, Settings(container=6, steps=STEPS))
        search.ask()
        search.tell(np.zeros((6, 3), np.float32), np.zeros(6, bool))
        store.save(Change(search.state(), (), (), (), {}, search.record(), {"silent": 6}, 1))
        with pytest.raises(StoreError, match="0 live in its last generation, allowed are 2"):
            Chronicle.of(store)


# ---- audience


def test_the_judge_is_the_first_the_search_did_not_use_that_opens() -> None:
    assert open_held_out(audience(), {"texture"}).name == "mfcc"
    assert open_held_out(audience(), {"mfcc"}).name == "texture"
    assert open_held_out(audience(), {"texture"}, "texture").name == "texture"
    with pytest.raises(ModelError, match=r"mfcc: the search used it; texture: .* rave has no weights"):
        open_held_out(audience(), {"texture", "mfcc"})


def test_the_reference_measured_by_itself_is_covered_and_its_scale_is_its_own_neighbourhood() -> None:
    yardstick = Yardstick.of(audience(), opened("mfcc"))
    spread = yardstick.measure(yardstick.reference)
    assert spread.coverage == 1.0 and 1.0 < spread.vendi < len(REFERENCE)
    apart = np.linalg.norm(yardstick.reference[:, None] - yardstick.reference[None], axis=2)
    assert yardstick.scale == pytest.approx(np.median(np.sort(apart, axis=1)[:, 5]), rel=1e-5)


def test_containers_heard_together_are_as_each_heard_alone(lived: tuple[Path, list[list[int]]]) -> None:
    chronicle, yardstick = told(lived[0]), Yardstick.of(audience(), opened("mfcc"))
    containers = [chronicle.container(number) for number in (0, 5, 9)]
    together = spreads(audience(), yardstick, containers, "containers")
    for container, found in zip(containers, together, strict=True):
        points = np.concatenate([yardstick.embedding.embed(DECODE(each.latents[None])) for each in container])
        alone = Spread(vendi(points, yardstick.scale), nearest_neighbour(points), coverage(points, yardstick.reference))
        assert (found.vendi, found.nearest_neighbour) == pytest.approx((alone.vendi, alone.nearest_neighbour), rel=1e-3)


def test_points_come_in_the_order_of_their_latents() -> None:
    texture, mfcc = opened("texture"), opened("mfcc")
    both = points_of(audience(), REFERENCE[:19], [texture, mfcc], "sounds")
    for points, embedding in zip(both, (texture, mfcc), strict=True):
        assert np.allclose(points, embedding.embed(DECODE(REFERENCE[:19])), atol=1e-3)


# ---- the report


def test_every_file_the_page_names_is_there_and_it_needs_nothing_else(written: tuple[Path, dict[str, Any]]) -> None:
    out, _ = written
    page = (out / "index.html").read_text("utf-8")
    named = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert len(named) == 5 + 1 + 2 * 10 and all((out / name).is_file() for name in named)
    assert "http" not in re.sub(r'href="#[^"]*"', "", page) and "url(" not in page and "<script" not in page
    for name in named:
        if name.endswith(".png"):
            with Image.open(out / name) as picture:
                assert picture.width > 600


def test_its_figures_are_the_runs(written: tuple[Path, dict[str, Any]], lived: tuple[Path, list[list[int]]]) -> None:
    out, figures = written
    assert json.loads((out / "report.json").read_text("utf-8")) == json.loads(json.dumps(figures))
    chronicle = told(lived[0])
    assert [each["mean"] for each in figures["generations"]] == chronicle.means
    assert figures["embedding"] == "texture" and figures["heldout_embedding"] == "mfcc"
    assert [each["generation"] for each in figures["spread"]] == list(range(10))
    assert set(figures["agreement"]["missing"]) == {"rave", "vggish", "clap"}
    correlations = np.array(figures["agreement"]["rank_correlation"])
    assert correlations.shape == (2, 2) and correlations[0, 0] == pytest.approx(1.0) and correlations[0, 1] > 0.2
    assert figures["settings"]["mutation"] == "mixed" and figures["reference_sparseness"] > 0


def test_the_page_says_what_ails_the_search(written: tuple[Path, dict[str, Any]]) -> None:
    out, figures = written
    assert figures["diagnosis"]["sentence"].split(",")[0] in (out / "index.html").read_text("utf-8")


def test_sounds_are_what_the_decoder_plays(
    written: tuple[Path, dict[str, Any]], lived: tuple[Path, list[list[int]]]
) -> None:
    out, figures = written
    known = told(lived[0]).known
    for each in figures["most_novel"]:
        with wave.open(str(out / "sounds" / f"{each['identity']}.wav"), "rb") as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE_HZ, 1, 2)
            heard = np.frombuffer(file.readframes(file.getnframes()), "<i2") / 32767
        assert np.abs(heard - DECODE(known[each["identity"]].latents[None])[0]).max() < 1e-4


def test_without_matplotlib_it_says_what_to_install() -> None:
    program = (
        "import sys; sys.modules['matplotlib'] = None; sys.modules['matplotlib.figure'] = None\n"
        "from installation.errors import InstallationError\n"
        "from installation.evolution.plots import canvas\n"
        "try: canvas()\n"
        "except InstallationError as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert "pip install -c constraints.txt '.[plots]'" in said


def test_what_lives_is_judged_by_the_gate_also_where_the_run_had_it_off(tmp_path: Path) -> None:
    run(tmp_path / "s.sqlite", 8, quality=False, rate=1.0, sigma=3.0)
    chronicle = told(tmp_path / "s.sqlite")
    found = examine(chronicle, audience(), names=())
    latents = latents_of(chronicle.container(chronicle.last))
    judged = judge(DECODE(latents), latents, SPACE)
    assert found.quality == pytest.approx(judged.quality.mean())
    assert found.faults == {"out_of_distribution": judged.reasons.count("out_of_distribution")}
    assert found.faults["out_of_distribution"] > 0 and found.quality < 1.0


# ---- spectrogram and lineage


def test_a_sine_is_a_line_at_its_frequency() -> None:
    time_s = np.arange(RATE_HZ) / RATE_HZ
    for hz in (110.0, 440.0, 3000.0):
        picture = spectrogram(np.sin(2 * np.pi * hz * time_s).astype(np.float32), RATE_HZ)
        rows_hz = frequencies_hz(RATE_HZ)
        loudest = rows_hz[picture[:, 20:-20].argmax(axis=0)]
        assert np.abs(np.log2(loudest / hz)).max() < 0.1
        assert picture.max() <= 0.0 and picture.min() >= FLOOR_DB and len(picture) == len(rows_hz)


def test_loudness_does_not_change_the_picture_and_silence_is_empty() -> None:
    noise = np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    assert np.allclose(spectrogram(noise, RATE_HZ), spectrogram(np.float32(0.1) * noise, RATE_HZ), atol=1e-3)
    assert (spectrogram(np.zeros(8000, np.float32), RATE_HZ) == FLOOR_DB).all()


def individual(identity: int, generation: int, *parents: int) -> Individual:
    empty = np.zeros((2, 1), np.float32)
    return Individual(identity, generation, parents, empty, empty[0], 1.0, "step" if parents else "")


FAMILY = {
    each.identity: each for each in (individual(1, 0), individual(2, 0), individual(3, 1, 1, 2), individual(5, 2, 3, 3))
}


def test_ancestors_come_nearest_first_each_once_and_the_forgotten_are_named() -> None:
    last = individual(9, 4, 5, 4)
    found = ancestry(last, FAMILY | {9: last})
    assert [each.identity for each in found] == [9, 5, 4, 3, 1, 2]
    assert [each.operator for each in found] == ["step", "step", FORGOTTEN, "step", FOUNDER, FOUNDER]
    assert found[1].parents == (3,) and not any(each.cut for each in found)


def test_a_family_too_large_is_cut_where_it_is_farthest_and_says_where() -> None:
    last = individual(9, 4, 5, 3)
    found = ancestry(last, FAMILY, most=4)
    assert [each.identity for each in found] == [9, 5, 3, 1] and found[2].cut and not found[0].cut


def test_the_drawing_shows_everyone_once_and_time_runs_to_the_right(written: tuple[Path, dict[str, Any]]) -> None:
    last = individual(9, 4, 5, 4)
    picture = drawing(ancestry(last, FAMILY | {9: last}))
    at = {
        int(who): (float(x), float(y)) for x, y, who in re.findall(r'<text x="([\d.]+)" y="([\d.]+)">(\d+)<', picture)
    }
    assert set(at) == {9, 5, 4, 3, 2, 1} and len({y for _, y in at.values()}) == 6
    assert at[1][0] == at[2][0] < at[3][0] < at[5][0] < at[9][0] and at[4][0] < at[1][0]


def test_latents_are_stacked_in_order() -> None:
    assert latents_of(FAMILY.values()).shape == (4, 2, 1)
