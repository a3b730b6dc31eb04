"""The scenery: shader files, time, sound, effects and changes together, drawn for real on EGL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from installation.errors import ShaderError
from installation.picture.layer import TURN_S
from installation.picture.scenery import Drawing, Scenery
from installation.track import MOMENT
from tests.pictures import Picture, picture

pytestmark = pytest.mark.gl

SIZE = (8, 6)
NOTHING = np.zeros(0, MOMENT)
GUARD_OFF = {"/picture/flash_guard": 0.0}


@pytest.fixture
def canvas() -> Iterator[Picture]:
    with picture(SIZE) as held:
        yield held


SOUND = """/*{"INPUTS": [{"NAME": "wave", "TYPE": "audio", "MAX": 8}, {"NAME": "fft", "TYPE": "audioFFT", "MAX": 512},
  {"NAME": "latentTrail", "TYPE": "image"}, {"NAME": "spectrumTrail", "TYPE": "image"}]}*/
void main() {
    vec2 at = vec2(isf_FragNormCoord.x, 0.5);
    float value = gl_FragCoord.y < 1.0 ? IMG_NORM_PIXEL(wave, vec2(at.x, 0.25)).r
                : gl_FragCoord.y < 2.0 ? IMG_NORM_PIXEL(wave, vec2(at.x, 0.75)).r
                : gl_FragCoord.y < 3.0 ? IMG_PIXEL(fft, vec2(gl_FragCoord.x, 0.5)).r
                : gl_FragCoord.y < 4.0 ? IMG_PIXEL(latentTrail, vec2(gl_FragCoord.x, 0.5)).r / 8.0
                : gl_FragCoord.y < 5.0 ? IMG_PIXEL(spectrumTrail, vec2(gl_FragCoord.x, 2.5)).r
                : float(IMG_SIZE(latentTrail) == vec2(16.0, 256.0) && IMG_SIZE(spectrumTrail) == vec2(512.0, 256.0));
    gl_FragColor = vec4(vec3(value), 1.0);
}
"""


def test_reserved_textures_hold_what_was_heard(canvas: Picture, tmp_path: Path) -> None:
    path = tmp_path / "sound.fs"
    path.write_text(SOUND)
    heard = np.zeros(3, MOMENT)
    heard["time_s"] = [0.1, 0.2, 0.3]
    heard["latent_dim"] = 16
    heard["latent"][2, :16] = np.arange(16)
    heard["spectrum"][0, :8] = np.arange(8) / 10.0
    heard["spectrum"][2, :8] = np.arange(8) / 8.0
    sound = np.stack([np.linspace(-1.0, 1.0, 8), np.full(8, 0.5)], axis=1).astype(np.float32)
    scenery = Scenery(canvas.canvas, 16, GUARD_OFF)
    scenery.show(Drawing.of(path))
    assert scenery.samples_wanted == 8
    scenery.draw(0.3, heard, sound)
    rows = canvas.read()[::-1, :, 0] / 255.0
    np.testing.assert_allclose(rows[0], np.linspace(0.0, 1.0, 8), atol=0.003)
    np.testing.assert_allclose(rows[1], 0.75, atol=0.003)
    np.testing.assert_allclose(rows[2], np.arange(8) / 8.0, atol=0.003)
    np.testing.assert_allclose(rows[3], np.arange(8) / 8.0, atol=0.003)
    np.testing.assert_allclose(rows[4], np.arange(8) / 10.0, atol=0.003)
    np.testing.assert_array_equal(rows[5], 1.0)


def test_a_changed_file_is_drawn_and_a_broken_one_is_said_once(canvas: Picture, tmp_path: Path) -> None:
    path = tmp_path / "hot.fs"
    text = "/*{{}}*/void main() {{ gl_FragColor = vec4(vec3({}), 1.0); }}"
    path.write_text(text.format("0.2"))
    scenery = Scenery(canvas.canvas, 16, GUARD_OFF)
    scenery.show(Drawing.of(path))

    def seen() -> int:
        scenery.draw(0.0, NOTHING)
        return int(canvas.read().max())

    assert (scenery.news(), seen()) == (False, 51)
    path.write_text(text.format("nonsense"))
    assert scenery.news() and not scenery.news(), "each change is news once"
    with pytest.raises(ShaderError):
        scenery.reload()
    assert seen() == 51
    path.unlink()
    scenery.reload()
    assert (scenery.news(), seen()) == (False, 51)
    path.write_text(text.format("1.0 * 0.4"))
    assert scenery.news()
    scenery.reload()
    assert seen() == 102
    assert not scenery.news()


def test_time_turns_over_without_a_seam_before_floats_get_coarse(canvas: Picture, tmp_path: Path) -> None:
    """The sine of TIME times a multiple of 1/2048 is the same just before and after the turn as it is without one."""
    path = tmp_path / "time.fs"
    path.write_text("/*{}*/void main() { gl_FragColor = vec4(vec3(0.5 + 0.5 * sin(TIME * 0.8125)), 1.0); }")
    scenery = Scenery(canvas.canvas, 16, GUARD_OFF)
    scenery.show(Drawing.of(path))
    scenery.draw(1000.0, NOTHING)
    for elapsed_s in (TURN_S - 0.02, TURN_S + 0.02, 90 * 86_400.37, 400 * 86_400.61):
        scenery.draw(1000.0 + elapsed_s, NOTHING)
        assert canvas.read().mean() == pytest.approx(255 * (0.5 + 0.5 * np.sin(elapsed_s * 0.8125)), abs=1.0)


