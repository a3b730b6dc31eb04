"""What was found of a decoder, in plain sentences: what is wrong with it, what that means, and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from math import log10

from installation.training.examination import Examination

CARD_RATES_HZ = (44_100, 48_000)
SEAM = 1e-3
"""Of the peak: −60 dB below it a join is heard in a quiet place."""
UNLIKE = 1e-6
SILENT = 1e-4
OFFSET = 0.05
"""Of the peak."""
AUDIBLE_OFFSET = 1e-3
LATE_MS = 100.0
TIGHT = 3.0
"""A part of the machine is the picture's, the breeder's and the system's."""


def remarks(found: Examination) -> list[str]:
    """Everything worth saying, what stops it from playing first."""
    return [*_sound(found), *_speed(found), *_joins(found), *_chance(found), *_latents(found), *_shape(found)]


def _sound(found: Examination) -> Iterator[str]:
    if not found.whole:
        yield (
            "gives samples that are no numbers: what is played in their place is the sound before, dying away. The "
            "training broke or the file is damaged: take another export."
        )
    elif found.level < SILENT:
        yield (
            f"is silent (RMS {_db(found.level):.0f} dB) for usual latents: an untrained model, or one whose latents "
            "are larger than 1; try wider latents (/latent/*/scale) before giving it up."
        )
    if found.whole and abs(found.offset) > max(OFFSET * found.peak, AUDIBLE_OFFSET):
        yield (
            f"has an offset of {100.0 * found.offset:+.1f} % of full scale: it is filtered out before the card. "
            "Nothing to do."
        )
    if found.whole and found.peak > 1.0:
        yield f"peaks at {_db(found.peak):+.1f} dB of full scale: the limiter holds it down; turn /voice/gain lower."
    if found.first_change is None and found.whole:
        yield "does not respond to its latents: nothing can be bred or turned with it. Take another export."


def _speed(found: Examination) -> Iterator[str]:
    one = found.speeds[0]
    advice = (
        "play it on a graphics processor (voice: {backend: cuda}), convert it (models convert), or train a smaller one"
    )
    if one.factor < 1.0:
        yield f"is too slow to play here: {one.factor:.2f} times as fast as it sounds, latent by latent; {advice}."
    elif one.factor < TIGHT:
        yield f"is tight here: {one.factor:.1f} times as fast as it sounds, with everything else to run; {advice}."
    if found.half_level is not None and found.milliseconds(found.half_level) > LATE_MS:
        yield (
            f"answers its latents {found.milliseconds(found.half_level):.0f} ms late: it was trained to look ahead. A "
            "model trained with --config causal answers at once."
        )


def _joins(found: Examination) -> Iterator[str]:
    chance = found.traits.get("draws") or found.traits.get("fills")
    if found.seam > SEAM and not chance:
        clicks = f"blocks differ from the whole by {_db(found.seam):.0f} dB of its peak, heard as clicks"
        if found.traits.get("memories") == 0:
            yield f"keeps nothing between calls: {clicks}. Export it again, with --streaming."
        else:
            yield f"keeps a past, but not all of it: {clicks}. A part of it does not stream; take another architecture."
    before, after = found.overlap
    if before + after:
        waits = f", and {after} of waiting" if after else ""
        yield (
            f"keeps nothing between calls, so that blocks would click: {before + after} latents are decoded again with "
            f"every block to join them, which costs as many{waits}. Export it again with --streaming to be spared that."
        )
    if found.unlike > UNLIKE:
        yield (
            f"gives another sound for the same latents and state ({_db(found.unlike):.0f} dB of its peak): what was "
            "bred will not sound again exactly as it did."
        )


def _chance(found: Examination) -> Iterator[str]:
    traits = found.traits
    full = traits.get("full_latent_dim", found.latent_dim)
    left_out = (
        f"was exported with {found.latent_dim} of its {full} latents, and fills the rest with noise in every call"
    )
    if traits.get("fills") and not found.codes:
        yield (
            f"{left_out}, which can't be prevented: drawn here from the position, so that it is the same again. Export "
            "it again with a higher --fidelity to play them."
        )
    elif full > found.latent_dim:
        yield (
            f"{left_out}: here they are zeros, their mean, so that it is deterministic. Export it again with a higher "
            "--fidelity, or convert it (models convert), to play them all."
        )
    if traits.get("draws"):
        yield (
            "draws noise in every call, as a noise synthesiser does: here from the position, so a step decoded again "
            "is the same, but blocks of another size have another noise. Nothing to do."
        )


def _latents(found: Examination) -> Iterator[str]:
    if found.codes:
        yield (
            "takes codes, not numbers: only whole latents count, so knobs and mutations move it in jumps. Breed it "
            "with a large sigma."
        )


def _shape(found: Examination) -> Iterator[str]:
    traits = found.traits
    if found.sample_rate_hz not in CARD_RATES_HZ:
        yield (
            f"is a model of {found.sample_rate_hz} Hz: converted to the card's rate, and silent above "
            f"{found.sample_rate_hz // 2} Hz. Nothing to do."
        )
    if found.channels > 2:
        yield f"has {found.channels} channels: they are mixed to the card's."
    if not traits:
        return
    if traits.get("rows") == 1:
        yield (
            "decodes one row a call: it plays as well, but is bred slower. Export it again with v2 of acids-rave, or "
            "convert it (models convert)."
        )
    if "encode" not in traits.get("methods", ()):
        yield "has no encoder: no live input, no transfer of timbre and no embedding `rave` with it."
    if not traits.get("states_shape"):
        yield "does not state its shape, as v1 exports do not: it was found by decoding a zero. Nothing to do."
    if traits.get("dirty"):
        yield "was saved with remains of its making in its memory, a burst at the start elsewhere: emptied here."
    if "prior" in traits.get("methods", ()):
        yield "has a prior: installation generate --walk prior lets it go on by itself."


def _db(ratio: float) -> float:
    return 20.0 * log10(max(ratio, 1e-12))
