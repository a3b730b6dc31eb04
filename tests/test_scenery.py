"""The scenery: shader files, time, sound, effects and changes together, drawn for real on EGL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from installation.errors import InstallationError, ShaderError
from installation.picture.layer import TURN_S, LayerSetup
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


# Chains


GREY = '/*{"INPUTS": [{"NAME": "grey", "TYPE": "float", "DEFAULT": 0.2, "MIN": 0.0, "MAX": 1.0}]}*/'
SOURCE = GREY + "void main() { gl_FragColor = vec4(vec3(grey), 1.0); }"
HALVED = """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}, {"NAME": "part", "TYPE": "float", "DEFAULT": 0.5}]}*/
void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage) * part; }"""
MIXED = """/*{"INPUTS": [{"NAME": "startImage", "TYPE": "image"}, {"NAME": "endImage", "TYPE": "image"},
  {"NAME": "progress", "TYPE": "float", "DEFAULT": 0.0, "MIN": 0.0, "MAX": 1.0}]}*/
void main() { gl_FragColor = mix(IMG_THIS_PIXEL(startImage), IMG_THIS_PIXEL(endImage), progress); }"""


def written(tmp_path: Path, name: str, text: str) -> str:
    (tmp_path / name).write_text(text)
    return str(tmp_path / name)


def seen(scenery: Scenery, canvas: Picture, now_s: float) -> list[int]:
    scenery.draw(now_s, NOTHING)
    return np.unique(canvas.read()).tolist()


def test_effects_are_drawn_in_order_each_on_the_one_before(canvas: Picture, tmp_path: Path) -> None:
    source, halved = (written(tmp_path, name, text) for name, text in (("a.fs", SOURCE), ("b.fs", HALVED)))
    values = {"/picture/input/grey": 0.8, "/picture/effect/2/part": 0.75, **GUARD_OFF}
    scenery = Scenery(canvas.canvas, 16, values)
    effects = tuple(LayerSetup(halved, (), f"/picture/effect/{number}") for number in (1, 2))
    for count, value in ((0, 204), (1, 102), (2, 76.5)):
        scenery.show(Drawing(LayerSetup(source), effects[:count]))
        scenery.draw(0.0, NOTHING)
        assert canvas.read().mean() == pytest.approx(value, abs=1.0)


def test_a_change_goes_through_its_transition_and_the_old_picture_stands_as_it_stood(
    canvas: Picture, tmp_path: Path
) -> None:
    source, mixed = (written(tmp_path, name, text) for name, text in (("a.fs", SOURCE), ("m.fs", MIXED)))
    scenery = Scenery(canvas.canvas, 16, {"/picture/input/grey": 0.8, **GUARD_OFF})
    scenery.show(Drawing(LayerSetup(source), (), LayerSetup(mixed), 2.0))
    assert seen(scenery, canvas, 0.0) == [204] and not scenery.changing
    scenery.show(Drawing(LayerSetup(source), (), LayerSetup(mixed), 2.0))
    scenery.set("/picture/input/grey", 0.0)
    assert seen(scenery, canvas, 1.0) == [204] and scenery.changing
    assert seen(scenery, canvas, 1.5) == pytest.approx([153], abs=1)
    assert seen(scenery, canvas, 2.5) == pytest.approx([51], abs=1)
    assert seen(scenery, canvas, 3.0) == [0] and not scenery.changing


def test_what_comes_in_the_midst_of_a_change_takes_its_place_from_there(canvas: Picture, tmp_path: Path) -> None:
    source, mixed = (written(tmp_path, name, text) for name, text in (("a.fs", SOURCE), ("m.fs", MIXED)))
    scenery = Scenery(canvas.canvas, 16, {"/picture/input/grey": 0.4, **GUARD_OFF})
    for start_s in (0.0, 1.0, 1.5):
        scenery.show(Drawing(LayerSetup(source), (), LayerSetup(mixed), 2.0))
        scenery.draw(start_s, NOTHING)
    assert seen(scenery, canvas, 9.0) == [102] and not scenery.changing
    scenery.close()


def test_a_drawing_of_which_one_shader_is_broken_changes_nothing(canvas: Picture, tmp_path: Path) -> None:
    source = written(tmp_path, "a.fs", SOURCE)
    broken = written(tmp_path, "b.fs", HALVED.replace("part;", "nonsense;"))
    scenery = Scenery(canvas.canvas, 16, dict(GUARD_OFF))
    good = Drawing(LayerSetup(source))
    scenery.show(good)
    for other in (
        Drawing(LayerSetup(source), (LayerSetup(broken),)),
        Drawing(LayerSetup(source), (), LayerSetup(broken), 1.0),
        Drawing(LayerSetup(broken)),
        Drawing.of(tmp_path / "missing.fs"),
    ):
        with pytest.raises(InstallationError):
            scenery.show(other)
        assert (seen(scenery, canvas, 0.0), scenery.drawing) == ([51], good)


def test_another_size_keeps_what_persistent_targets_hold(canvas: Picture, tmp_path: Path) -> None:
    """A half of it white: scaled it is still a half, and counting goes on from there."""
    text = """/*{"PASSES": [{"TARGET": "kept", "PERSISTENT": true, "FLOAT": true}, {}]}*/
    void main() {
        if (PASSINDEX == 0 && FRAMEINDEX == 0) gl_FragColor = vec4(step(0.5, isf_FragNormCoord.x));
        else gl_FragColor = IMG_THIS_PIXEL(kept);
    }"""
    scenery = Scenery(canvas.canvas, 16, dict(GUARD_OFF))
    scenery.show(Drawing.of(Path(written(tmp_path, "kept.fs", text))))
    scenery.draw(0.0, NOTHING)
    for size in ((4, 4), (16, 12), (8, 6)):
        scenery.resize(size)
        scenery.draw(0.1, NOTHING)
        rgb = canvas.read()
        assert rgb.shape == (size[1], size[0], 3)
        assert rgb.mean() == pytest.approx(127.5, abs=1.0)
        assert rgb[:, 0].max() == 0 and rgb[:, -1].min() == 255


def test_a_shader_begins_at_its_own_frame_0_and_time_0(canvas: Picture, tmp_path: Path) -> None:
    text = "/*{}*/void main() { gl_FragColor = vec4(TIME / 10.0, float(FRAMEINDEX) / 10.0, 0.0, 1.0); }"
    first, second = (Drawing.of(Path(written(tmp_path, f"{name}.fs", text))) for name in "ab")
    scenery = Scenery(canvas.canvas, 16, dict(GUARD_OFF))
    scenery.show(first)
    for now_s in (100.0, 101.0, 102.0):
        scenery.draw(now_s, NOTHING)
    assert canvas.read()[0, 0].tolist() == [51, 51, 0]
    scenery.show(second)
    scenery.draw(103.0, NOTHING)
    assert canvas.read()[0, 0].tolist() == [0, 0, 0]


@pytest.mark.parametrize("ceiling", [1.0, 0.6, 0.2])
def test_nothing_is_brighter_than_the_ceiling_and_dark_light_is_as_it_was(
    canvas: Picture, tmp_path: Path, ceiling: float
) -> None:
    text = "/*{}*/void main() { gl_FragColor = vec4(vec3(1.0, 0.5, 0.25) * isf_FragNormCoord.x, 1.0); }"
    scenery = Scenery(canvas.canvas, 16, {"/picture/ceiling": ceiling, **GUARD_OFF})
    scenery.show(Drawing.of(Path(written(tmp_path, "ramp.fs", text))))
    scenery.draw(0.0, NOTHING)
    row = canvas.read()[0].astype(float)
    assert row.max() <= 255 * ceiling + 0.5
    assert (np.diff(row[:, 0]) >= 0).all()
    np.testing.assert_allclose(row[0], 255 * np.array([1.0, 0.5, 0.25]) / 16, atol=0.6)
