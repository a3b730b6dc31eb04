"""Several models, models that change places and a microphone, in the show as its user starts it."""

from __future__ import annotations

import shutil
import subprocess
import time
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from installation.model import MODELS
from tests.parts import Floats
from tests.pulse import RATE_HZ, PrivatePulse
from tests.test_run import free_port, oscsend, running

pytestmark = pytest.mark.alone

COMMON: dict[str, Any] = {
    "evolution": {"container": 6, "brood": 4, "interval": 0.5, "steps": 16},
    "picture": {"shader": "embers.fs", "width": 96, "height": 54, "fps": 10},
}


def scene(folder: Path, stem: str, **said: Any) -> None:
    (folder / f"{stem}.yaml").write_text(yaml.safe_dump({"name": stem, **COMMON, **said}), "utf-8")


def twin(folder: Path) -> None:
    """The default model under another name: to the show it is another model."""
    shutil.copytree(MODELS / "bronze", folder / "twin")
    card = folder / "twin" / "card.yaml"
    card.write_text(card.read_text("utf-8").replace("name: bronze", "name: twin", 1), "utf-8")


@pytest.mark.gl
def test_models_change_places_and_play_together_and_nothing_is_missed(tmp_path: Path, no_card: None) -> None:
    twin(tmp_path)
    scene(tmp_path, "pair", model="twin", orchestra=[{"model": "bronze", "gain": -6, "detune": -7, "rate": 0.5}])
    port = free_port()
    with running(tmp_path, port) as show:
        show.complete()
        oscsend(port, "/scene/recall", "s", "pair")
        show.until(lambda: show.says("part 1 plays twin"), 30.0, "the change of model")
        show.until(lambda: show.says("part 2 plays bronze"), 30.0, "the second part")
        show.until(lambda: bool(show.pids("breeder 2")), 30.0, "the second part's search")
        oscsend(port, "/part/2/gain", "f", "-12")
        oscsend(port, "/part/2/latent/0/evolve", "i", "0")
        oscsend(port, "/part/3/gain", "f", "-12")
        time.sleep(3.0)
        oscsend(port, "/scene/recall", "s", "small")
        show.until(lambda: show.says("part 1 plays bronze"), 30.0, "the change back")
        time.sleep(2.5)
        assert len(show.pids("voice")) == 1, "the voice plays through a change of models"
        report = show.stop()
    assert report["sound"]["missed_samples"] == 0
    assert report["sound"]["models"] == ["bronze"]
    assert report["control"]["refused"] == 1  # there was no third part
    assert (tmp_path / "state" / "pair.2.sqlite").is_file()


@pytest.mark.gl
def test_a_model_that_can_t_be_loaded_leaves_the_one_that_plays(tmp_path: Path, no_card: None) -> None:
    twin(tmp_path)
    scene(tmp_path, "broken", model="twin")
    port = free_port()
    with running(tmp_path, port) as show:
        show.complete()
        (tmp_path / "twin" / "decoder.onnx").write_bytes(b"no model")
        card = yaml.safe_load((tmp_path / "twin" / "card.yaml").read_text("utf-8"))
        del card["files"]  # or the scene would be refused before anything is loaded
        (tmp_path / "twin" / "card.yaml").write_text(yaml.safe_dump(card), "utf-8")
        oscsend(port, "/scene/recall", "s", "broken")
        show.until(lambda: show.says("what plays there plays on"), 30.0, "the refusal")
        report = show.stop()
    assert report["sound"]["models"] == ["bronze"] and report["sound"]["missed_samples"] == 0
    assert len(show.pids("voice")) == 1


def notes(seconds: float) -> Floats:
    """Struck tones that come and go."""
    time_s = np.arange(int(seconds * RATE_HZ)) / RATE_HZ
    since_s = np.mod(time_s, 0.8)
    pitch_hz = 262.0 * 2.0 ** (np.floor(time_s / 0.8) % 3 * 4 / 12)
    sound = np.sin(2 * np.pi * pitch_hz * time_s) * np.exp(-5.0 * since_s)
    return (0.4 * sound * (np.floor(time_s / 3.2) % 2 == 0)).astype(np.float32)  # and every other 3.2 s is silent


def levels_db(sound: Floats) -> Floats:
    frames = sound[: len(sound) // 960 * 960].reshape(-1, 960)
    return np.asarray(20.0 * np.log10(np.sqrt((frames**2).mean(axis=1)) + 1e-4), np.float32)


@pytest.mark.card
@pytest.mark.gl
def test_what_is_played_to_the_microphone_is_what_the_model_plays(tmp_path: Path, pulse: PrivatePulse) -> None:
    sound = notes(9.0)
    with wave.open(str(tmp_path / "notes.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes((32767 * sound).astype("<i2").tobytes())
    heard_by = {"device": "pulse", "mix": 1.0, "listen": True}
    scene(tmp_path, "heard", model="bronze", voice={"device": "pulse", "gain": 6}, input=heard_by)
    recording = pulse.record()
    port = free_port()
    with running(tmp_path, port) as show:
        show.complete()
        oscsend(port, "/scene/recall", "s", "heard")
        show.until(lambda: show.says("hears "), 30.0, "the input")
        time.sleep(1.5)
        begun = len(recording.sound())
        subprocess.run(["paplay", "-d", "vin", str(tmp_path / "notes.wav")], check=True, timeout=30)
        show.until(lambda: show.says("phrases of the input were heard"), 20.0, "the search hearing it")
        report = show.stop()
    heard = recording.stop()[begun:].mean(axis=1)
    wanted, got = levels_db(sound), levels_db(heard)
    likeness = [float(np.corrcoef(wanted, got[late : late + len(wanted)])[0, 1]) for late in range(25)]
    assert max(likeness) > 0.6, likeness
    assert report["sound"]["input"]["phrases"] > 0
