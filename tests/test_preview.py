"""`installation shaders show`: the test sound, and a shader of each kind through the whole chain."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from installation.__main__ import main
from installation.preview import CHANNELS, RATE_HZ, sounding

OURS = Path(__file__).resolve().parent / "isf"
LOUDNESS = """/*{"INPUTS": [{"NAME": "rms", "TYPE": "float"}, {"NAME": "wave", "TYPE": "audio", "MAX": 2048}]}*/
void main() {
    vec3 trace = vec3(0.5) + 0.3 * (IMG_THIS_PIXEL(wave).rrr - 0.5);
    gl_FragColor = vec4(gl_FragCoord.x < 16.0 ? vec3(rms) : trace, 1.0);
}
"""
"""The wave as a shimmer of about a tenth: the flash guard holds what half a picture does from frame to frame."""
SMALL = ["--width", "32", "--height", "18"]


def still(path: Path, out: Path, seconds: str = "0.5") -> np.ndarray:
    assert main(["shaders", "show", str(path), "--seconds", seconds, "--out", str(out), *SMALL]) == 0
    return np.asarray(Image.open(out).convert("RGB")).astype(float)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10 * RATE_HZ), st.lists(st.integers(0, 3000), min_size=1, max_size=5))
def test_the_test_sound_is_the_same_however_it_is_cut(begin: int, counts: list[int]) -> None:
    whole = sounding(begin, sum(counts))
    starts = np.cumsum([begin, *counts[:-1]])
    parts = [sounding(int(start), count) for start, count in zip(starts, counts, strict=True)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_the_test_sound_is_within_full_scale_and_silent_before_it_begins() -> None:
    heard = sounding(-1000, 1000 + 16 * RATE_HZ)
    assert heard.shape == (1000 + 16 * RATE_HZ, CHANNELS)
    assert not heard[:1000].any()
    assert 0.5 < np.abs(heard).max() <= 1.0


@pytest.mark.gl
def test_a_generator_hears_the_sound(tmp_path: Path) -> None:
    (tmp_path / "x.fs").write_text(LOUDNESS)
    light = still(tmp_path / "x.fs", tmp_path / "x.png")
    assert light[:, :16].min() > 5
    assert np.ptp(light[:, 16:]) > 3


@pytest.mark.gl
def test_a_filter_is_given_a_picture_and_a_transition_is_taken_half_way(tmp_path: Path) -> None:
    (tmp_path / "red.fs").write_text(
        '/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/\n'
        "void main() { gl_FragColor = vec4(IMG_THIS_PIXEL(inputImage).r, 0.0, 0.0, 1.0); }"
    )
    same = still(OURS / "sampling.fs", tmp_path / "same.png")
    red = still(tmp_path / "red.fs", tmp_path / "red.png")
    assert same.std(axis=(0, 1)).min() > 5
    np.testing.assert_allclose(red[..., 0], same[..., 0], atol=1.0)
    assert not red[..., 1:].any()
    half = still(OURS / "transition.fs", tmp_path / "half.png")
    assert 20 < np.abs(half - same).mean() < 120


@pytest.mark.gl
def test_a_film_has_picture_and_sound(tmp_path: Path) -> None:
    out = tmp_path / "x.mp4"
    assert (
        main(
            ["shaders", "show", str(OURS / "imported.fs"), "--seconds", "0.5", "--fps", "20", "--out", str(out), *SMALL]
        )
        == 0
    )
    with av.open(str(out)) as film:
        assert sum(1 for _ in film.decode(video=0)) == 10
        film.seek(0)
        assert max(np.abs(frame.to_ndarray()).max() for frame in film.decode(audio=0)) > 0.2


@pytest.mark.gl
def test_without_a_display_a_file_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main(["shaders", "show", str(OURS / "imported.fs")]) == 1
    assert "there is no display; give --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--out", "x.gif"], "can't write '.gif'"),
        (["--out", "missing/x.png"], "no folder missing"),
        (["--out", "x.png", "--width", "0"], "each side is 1..8192"),
        (["--out", "x.png", "--fps", "0"], "0 frames a second"),
        (["--out", "x.png", "--seconds", "-1"], "-1 seconds"),
    ],
)
def test_what_is_asked_for_is_possible(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["shaders", "show", str(OURS / "imported.fs"), *words]) == 1
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.gl
def test_a_broken_shader_is_said_and_leaves_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.fs").write_text("/*{}*/\nvoid main() { oops; }")
    assert main(["shaders", "show", str(tmp_path / "x.fs"), "--out", str(tmp_path / "x.png"), *SMALL]) == 1
    assert "x.fs:2: `oops'" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["x.fs"]
