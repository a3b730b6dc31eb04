"""The safe picture: it draws, moves, stays dark, and brightens with the sound."""

from __future__ import annotations

import numpy as np
import pytest

from installation.picture.admission import safe
from installation.picture.canvas import Canvas, Step
from installation.picture.finishing import Finish
from installation.picture.frame import Frame
from installation.picture.uniforms import filled
from installation.picture.vigil import MEAN_FLOOR, MOST_FLOOR


@pytest.mark.gl
def test_it_moves_stays_dark_and_is_lit_by_the_sound() -> None:
    with Canvas((160, 90)) as canvas:
        program = canvas.compile(safe.shader())

        def seen(time_s: float, rms: float) -> np.ndarray:
            frame = Frame(time_s, values={"brightness": 1.0, "rms": rms})
            canvas.draw([Step(program, frame)], Finish(guard=False))
            return canvas.read().astype(np.float64) / 255.0

        still, later = seen(0.0, 0.0), seen(20.0, 0.0)
        quiet = [seen(time_s, 0.0).mean() for time_s in np.arange(0.0, 120.0, 10.0)]
        loud = [seen(time_s, 0.2).mean() for time_s in np.arange(0.0, 120.0, 10.0)]
        brightest = max(seen(time_s, 1.0).max() for time_s in np.arange(0.0, 120.0, 10.0))
    assert not np.array_equal(still, later)
    assert min(quiet) > 2.0 * MEAN_FLOOR and brightest > 2.0 * MOST_FLOOR
    assert all(after > 1.5 * before for before, after in zip(quiet, loud, strict=True))
    assert brightest < 0.7


def test_all_it_reads_is_filled_by_the_show() -> None:
    assert all(filled(each, safe.shader().kind) for each in safe.shader().inputs)
