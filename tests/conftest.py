"""Parts several tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.pulse import PrivatePulse, available, private_pulse


@pytest.fixture
def pulse() -> Iterator[PrivatePulse]:
    """A private PulseAudio, this process pointing at it."""
    if not available():
        pytest.fail("PulseAudio's tools are missing: `make setup-test` installs them")
    with private_pulse() as server:
        yield server
