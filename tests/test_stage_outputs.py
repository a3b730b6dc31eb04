"""Stages on two real outputs, one for each by the same clock or one over both; and what they do when a display goes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from installation import stage
from installation.commands import Set, Stop
from installation.picture.scenery import Drawing
from installation.picture.wall.output import Output
from tests import xorg
from tests.test_outputs import LEFT, RIGHT, screens, server
from tests.test_stage import Show, setup, shared, started

__all__ = ["screens", "server", "setup", "shared", "started"]
pytestmark = [pytest.mark.gl, pytest.mark.alone]

CLOCK = """/*{}*/
void main() {
    float tick = mod(floor(TIME), 200.0) / 255.0;
    gl_FragColor = vec4(isf_FragNormCoord.x < 0.5 ? vec2(1.0, 0.0) : vec2(0.0, 1.0), tick, 1.0);
}"""
"""Left red, right green; blue counts seconds."""


@pytest.fixture
def wall(setup: stage.StageSetup, tmp_path: Path) -> stage.StageSetup:
    """A picture as large as both outputs, whose TIME began 20 seconds ago."""
    path = tmp_path / "clock.fs"
    path.write_text(CLOCK)
    drawing = replace(Drawing.of(path), began_s=time.monotonic() - 20.0)
    off = {"/picture/flash_guard": 0.0}
    return replace(setup, drawing=drawing, size=(640, 240), fps=30.0, headless=False, values=setup.values | off)


def put(wall: stage.StageSetup, *outputs: tuple[int, Output]) -> stage.StageSetup:
    return replace(
        wall, outputs=tuple(each for _, each in outputs), output_numbers=tuple(number for number, _ in outputs)
    )


def test_two_stages_show_their_halves_of_one_picture_by_one_clock(
    screens: xorg.Screens, wall: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    shows = [started(put(wall, (1, Output("DUMMY0", LEFT)))), started(put(wall, (2, Output(1, RIGHT))))]
    for show in shows:
        show.draw(20)
        assert show.pulses[-1].figures["window"] is True and show.said == []
    apart = []
    for _ in range(12):
        left, right = screens.seen(0), screens.seen(1)
        assert left[:, :, 0].min() == 255 and left[:, :, 1].max() == 0
        assert right[:, :, 1].min() == 255 and right[:, :, 0].max() == 0
        apart.append(int(right[100, 100, 2]) - int(left[100, 100, 2]))
        time.sleep(0.13)
    assert np.median(np.abs(apart)) == 0, "the same second, but where one of them turns between the two looks"
    assert screens.seen(0)[100, 100, 2] >= 20


def test_one_stage_spans_both_and_its_corners_are_turned_by_commands(
    screens: xorg.Screens, wall: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    show = started(put(wall, (1, Output(0, LEFT)), (2, Output(1, RIGHT))))
    show.draw(20)
    assert screens.seen(0)[:, :, 0].min() == screens.seen(1)[:, :, 1].min() == 255
    for corner in (1, 4):
        show.pipe.send(Set(f"/picture/output/2/corner/{corner}/x", 0.5))
    seen = screens.until(1, lambda seen: not seen[:, :158].any())
    assert seen[:, :160].max() == 0 and seen[:, 160:, 1].min() >= 253
    assert screens.seen(0)[:, :, 0].min() == 255, "the other output stays"
    for corner in (2, 3):
        show.pipe.send(Set(f"/picture/output/2/corner/{corner}/x", -0.5))
    show.until(lambda: any("output 2 stays where it was" in each for each in show.said))


def test_a_stage_whose_display_goes_ends_to_be_started_again_and_draws_unseen_until_it_is_back(
    screens: xorg.Screens, wall: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    alone = put(wall, (1, Output("DUMMY1")))
    show = started(alone)
    show.draw(10)
    screens.unplug()
    assert show.ended(15.0) == stage.DISPLAY_FOUND
    show.until(lambda: any("display DUMMY1 is gone" in each for each in show.said))
    again = started(alone)
    again.draw(10)
    assert again.pulses[-1].figures["window"] is False
    assert len(again.said) == 1 and "no window: no display 'DUMMY1'" in again.said[0] and "unseen" in again.said[0]
    screens.plug()
    assert again.ended(25.0) == stage.DISPLAY_FOUND


def test_a_stage_over_two_displays_goes_on_with_one_and_takes_the_other_when_it_comes(
    screens: xorg.Screens, wall: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    screens.unplug()
    show = started(put(wall, (1, Output("DUMMY0", LEFT)), (2, Output("DUMMY1", RIGHT))))
    show.draw(20)
    assert show.said == ["no display 'DUMMY1' (did you mean DUMMY0?); there are DUMMY0; its output is not shown"]
    assert screens.seen(0)[:, :, 0].min() == 255
    screens.plug()
    assert show.ended(15.0) == stage.DISPLAY_FOUND


def test_what_can_not_be_shared_is_said_and_the_show_goes_on(
    setup: stage.StageSetup, started: Callable[[stage.StageSetup], Show]
) -> None:
    show = started(replace(setup, share=("syphon",)))
    show.draw(5)
    assert len(show.said) == 1 and "syphon: only on macOS" in show.said[0] and "not shared" in show.said[0]
    show.pipe.send(Stop())
    assert show.ended() == 0
