"""What shaders read of the sound: envelopes, reserved names, mappings."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from installation.errors import InstallationError
from installation.picture.heard import STALE_S, Envelope, Heard
from installation.picture.shading.isf import Input, Number, Shader
from installation.picture.uniforms import BLACKOUT_S, FeatureMapping, Light, Uniforms
from installation.track import FEATURES, MOMENT, Moments

HOP_S = 0.023


def moments(count: int, seed: int = 3) -> Moments:
    rng = np.random.default_rng(seed)
    made = np.zeros(count, MOMENT)
    made["time_s"] = HOP_S * np.arange(1, count + 1)
    made["features"] = rng.random((count, len(FEATURES)))
    made["spectrum"] = rng.random((count, 512))
    made["latent"] = rng.normal(size=(count, 128))
    made["latent_dim"], made["steps"], made["step"] = 16, 64, np.arange(count) % 64
    made["trajectory"], made["sparseness"] = np.arange(count) // 64, rng.random(count)
    return made


class Shown:
    """A shader's uniforms and what they hear."""

    def __init__(
        self,
        inputs: Iterable[Input] = (),
        mappings: Iterable[FeatureMapping] = (),
        values: dict[str, float] | None = None,
    ) -> None:
        self.heard = Heard()
        self.values = dict(values or {})
        self.uniforms = Uniforms(self.values, self.heard, Shader("x.fs", "", tuple(inputs), ()), mappings)

    def at(self, now_s: float) -> dict[str, Number]:
        self.heard.advance(now_s)
        return self.uniforms.at({})


def played(uniforms: Shown, heard: Moments, frames_s: list[float]) -> list[dict[str, object]]:
    """The uniforms at each of `frames_s`, every moment given to the first frame it is heard by."""
    seen, number = [], 0
    for frame_s in frames_s:
        until = int(np.searchsorted(heard["time_s"], frame_s, side="right"))
        uniforms.heard.push(heard[number:until])
        number = until
        seen.append(dict(uniforms.at(frame_s)))
    return seen


# Envelopes


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.floats(0.0, 0.2), min_size=1, max_size=30),
    st.floats(0.0, 1.0),
    st.floats(0.0, 500.0),
    st.floats(0.0, 500.0),
)
def test_an_envelope_is_the_same_however_its_time_is_divided(
    parts_s: list[float], target: float, attack_ms: float, release_ms: float
) -> None:
    whole, parted = Envelope(attack_ms, release_ms), Envelope(attack_ms, release_ms)
    whole.value = parted.value = 0.4
    whole.advance(target, sum(parts_s))
    for part_s in parts_s:
        parted.advance(target, part_s)
    assert parted.value == pytest.approx(whole.value, abs=1e-9)


def test_after_one_time_constant_an_envelope_lacks_one_over_e() -> None:
    envelope = Envelope(100.0, 400.0)
    assert envelope.advance(1.0, 0.1) == pytest.approx(1.0 - 1.0 / math.e)
    envelope.value = 1.0
    assert envelope.advance(0.0, 0.4) == pytest.approx(1.0 / math.e)


@pytest.mark.parametrize("fps", [7.0, 24.0, 30.0, 59.94, 144.0])
def test_uniforms_are_the_same_at_any_frame_rate(fps: float) -> None:
    heard = moments(80)
    inputs = (
        Input("rms", "float", attack_ms=30.0, release_ms=200.0),
        Input("onset", "float"),
        Input("age", "float"),
        Input("progress", "float"),
        Input("glow", "float"),
    )
    mapping = FeatureMapping("flux", "glow", -1.0, 3.0, 50.0, 300.0)

    def at_the_end(frames_s: list[float]) -> dict[str, object]:
        uniforms = Shown(inputs, (mapping,))
        return played(uniforms, heard, [0.0, *frames_s, 1.7])[-1]

    expected = at_the_end([])
    found = at_the_end([index / fps for index in range(1, int(1.7 * fps))])
    assert set(found) == {each.name for each in inputs}
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=1e-6), name


# Reserved names


def test_a_shaders_float_with_a_reserved_name_is_what_is_heard() -> None:
    names = (*FEATURES, "sparseness", "progress", "age", "trailPhase")
    uniforms = Shown([Input(name, "float", attack_ms=0.0, release_ms=0.0) for name in names])
    heard = moments(70)
    (seen,) = played(uniforms, heard, [float(heard["time_s"][-1])])
    for index, name in enumerate(FEATURES):
        assert seen[name] == pytest.approx(float(heard["features"][-1, index]))
    assert seen["progress"] == pytest.approx(5 / 64)
    assert seen["trailPhase"] == 0.0


def test_sparseness_is_half_when_it_is_usual_on_any_scale() -> None:
    for scale in (0.001, 1.0, 300.0):
        uniforms = Shown([Input("sparseness", "float")])
        heard = moments(40)
        heard["sparseness"] = scale
        heard["sparseness"][[20, 25, 30]] = scale * 3.0, scale / 3.0, 0.0
        seen = [each["sparseness"] for each in played(uniforms, heard, heard["time_s"].tolist())]
        assert seen[:20] == pytest.approx([0.5] * 20)
        assert [seen[20], seen[25], seen[30]] == pytest.approx([0.75, 0.25, 0.0], abs=1e-3)


def test_age_is_counted_in_generations_from_the_youngest_heard() -> None:
    uniforms = Shown([Input("age", "float")])
    heard = moments(4)
    heard["generation"] = [3, 13, 3, 13]
    seen = [each["age"] for each in played(uniforms, heard, heard["time_s"].tolist())]
    assert seen == pytest.approx([0.0, 0.0, 0.5, 0.0])


def test_an_onset_between_two_frames_is_not_lost() -> None:
    heard = moments(10)
    heard["features"][:] = 0.0
    heard["features"][4, FEATURES.index("onset")] = 1.0
    uniforms = Shown([Input("onset", "float")])
    before, after = played(uniforms, heard, [3.5 * HOP_S, 9.5 * HOP_S])
    assert before["onset"] == 0.0
    assert 0.3 < float(str(after["onset"])) < 1.0


def test_trail_phase_grows_from_moment_to_moment_and_stays_below_one() -> None:
    uniforms = Shown([Input("trailPhase", "float")])
    heard = moments(3)
    seen = played(uniforms, heard, [3 * HOP_S, 3.25 * HOP_S, 3.75 * HOP_S, 9 * HOP_S])
    assert [each["trailPhase"] for each in seen] == pytest.approx([0.0, 0.25, 0.75, 1.0])


def test_when_the_voice_is_gone_features_fall_to_nothing() -> None:
    uniforms = Shown([Input("rms", "float"), Input("sparseness", "float")])
    heard = moments(5)
    heard["features"][:] = 1.0
    last_s = float(heard["time_s"][-1])
    seen = played(uniforms, heard, [last_s + 0.9 * STALE_S, last_s + 2.0 * STALE_S, last_s + 60.0])
    assert seen[0]["rms"] == pytest.approx(1.0)
    assert float(str(seen[1]["rms"])) < 0.1
    assert seen[2]["rms"] == pytest.approx(0.0, abs=1e-9)
    assert seen[2]["sparseness"] == pytest.approx(seen[0]["sparseness"])


def test_a_feature_that_is_not_a_number_is_heard_as_nothing() -> None:
    heard = moments(1)
    heard["features"][:] = np.nan
    uniforms = Shown([Input("rms", "float")])
    assert played(uniforms, heard, [1.0])[0]["rms"] == 0.0


# Parameters and mappings


def test_later_ones_win_default_parameter_heard_mapping() -> None:
    inputs = (
        Input("hue", "float", 0.3),
        Input("flux", "float"),
        Input("glow", "float", 0.1),
        Input("zoom", "float", 2.0),
    )
    values = {"/picture/hue": 0.7, "/picture/input/flux": 0.9, "/picture/input/glow": 0.5}
    mappings = (FeatureMapping("sparseness", "/picture/glow", 1.0, 2.0, 0.0, 0.0), FeatureMapping("rms", "gone"))
    uniforms = Shown(inputs, mappings, values)
    heard = moments(1)
    heard["features"], heard["sparseness"] = 0.25, 3.5
    uniforms.heard.push(heard)
    seen = uniforms.at(float(heard["time_s"][0]))
    assert seen == pytest.approx({"hue": 0.7, "flux": 0.25, "glow": 1.5, "zoom": 2.0})
    uniforms.values["/picture/hue"] = 0.1
    assert uniforms.at(1.0)["hue"] == 0.1


def test_a_mapping_from_what_is_not_heard_is_refused_with_a_hint() -> None:
    with pytest.raises(InstallationError, match="did you mean rms"):
        Shown((), (FeatureMapping("rmss", "glow"),))


def test_values_have_their_type_and_stay_in_their_range() -> None:
    inputs = (
        Input("amount", "float", 0.5, 0.0, 1.0),
        Input("count", "long", 2.0, 0.0, 5.0),
        Input("on", "bool", 1.0),
        Input("where", "point2D", (0.5, 0.5)),
    )
    values = {"/picture/input/amount": 4.0, "/picture/input/count": 9.0, "/picture/input/on": 0.0}
    uniforms = Shown(inputs, (), values)
    assert uniforms.at(0.0) == {"amount": 1.0, "count": 5, "on": False, "where": (0.5, 0.5)}
    assert isinstance(uniforms.at(0.0)["count"], int)


def test_a_whole_number_is_one_that_glsl_holds() -> None:
    seed = Input("seed", "long", 0.0, -1e12, 4294967295.0)
    assert Shown((seed,), (), {"/picture/input/seed": 4e9}).at(0.0) == {"seed": 2**31 - 1}
    assert Shown((seed,), (), {"/picture/input/seed": -4e9}).at(0.0) == {"seed": 1 - 2**31}


def test_an_event_is_true_for_one_frame() -> None:
    uniforms = Shown((Input("flash", "event"),))
    uniforms.values["/picture/input/flash"] = 1.0
    assert [uniforms.at(0.1 * index)["flash"] for index in range(3)] == [True, False, False]


def test_a_point_and_a_colour_are_turned_by_their_parts() -> None:
    inputs = (Input("where", "point2D", (0.5, 0.5)), Input("tint", "color", (0.1, 0.2, 0.3, 1.0)))
    uniforms = Shown(inputs, (), {"/picture/input/where/y": 0.25, "/picture/input/tint/green": 0.9})
    assert uniforms.at(0.0) == {"where": (0.5, 0.25), "tint": (0.1, 0.9, 0.3, 1.0)}


def test_a_knob_of_the_picture_turns_only_an_input_that_goes_as_it_does() -> None:
    """Other shaders have a brightness of -1..1, and a hue in degrees."""
    inputs = (Input("brightness", "float", 0.0, -1.0, 1.0), Input("hue", "float", 90.0, 0.0, 360.0))
    values = {"/picture/brightness": 0.25, "/picture/hue": 0.5}
    uniforms = Shown(inputs, (), values)
    assert uniforms.at(0.0) == {"brightness": 0.0, "hue": 90.0}
    assert not uniforms.uniforms.dims()


def test_blackout_is_exact_and_faded_at_the_same_speed_at_any_frame_rate() -> None:
    values = {"/master/blackout": 0.0}
    slow, fast = Light(values), Light(values)
    assert slow.at(0.0, False) == fast.at(0.0, False) == 1.0
    values["/master/blackout"] = 1.0
    half_s = BLACKOUT_S / 2
    for index in range(1, 9):
        last = fast.at(half_s * index / 8, False)
    assert slow.at(half_s, False) == pytest.approx(last) == pytest.approx(0.5)
    assert slow.at(10.0, False) == 0.0


def test_brightness_is_the_shaders_own_where_it_has_such_an_input() -> None:
    values = {"/picture/brightness": 0.25}
    light = Light(values)
    assert light.at(0.0, Shown((), (), values).uniforms.dims()) == 0.25
    own = Shown((Input("brightness", "float", 1.0),), (), values)
    assert (light.at(0.0, own.uniforms.dims()), own.at(0.0)["brightness"]) == (1.0, 0.25)
