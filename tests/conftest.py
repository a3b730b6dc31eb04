"""Parts several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pulse import PrivatePulse, available, pointed_at, private_pulse


@pytest.fixture(autouse=True, scope="session")
def own_list_of_trusted_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test reads or changes the list of trusted files of whoever runs it; processes it starts share its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(scope="session")
def shared_pulse() -> Iterator[PrivatePulse]:
    """A private PulseAudio for all who leave it as it is: each takes two seconds to start."""
    if not available():
        pytest.fail("PulseAudio's tools are missing: `make setup-test` installs them")
    with PrivatePulse() as server:
        yield server


@pytest.fixture
def pulse(shared_pulse: PrivatePulse) -> Iterator[PrivatePulse]:
    """A private PulseAudio, this process pointing at it."""
    with pointed_at(shared_pulse) as server:
        yield server


@pytest.fixture
def own_pulse() -> Iterator[PrivatePulse]:
    """One to be killed."""
    if not available():
        pytest.fail("PulseAudio's tools are missing: `make setup-test` installs them")
    with private_pulse() as server:
        yield server


@pytest.fixture
def no_card(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose sound server is not there."""
    monkeypatch.setenv("PULSE_SERVER", "unix:/nonexistent/pulse.sock")
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
