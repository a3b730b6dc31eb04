"""What to expect of training on a data set, in sentences. The figures behind them were measured with this package's own
recipe on a processor, and by the study "Latent Vector Novelty Search with RAVE" on a graphics card."""

from __future__ import annotations

from collections.abc import Iterator

from installation.training.recipe import Recipe
from installation.training.survey import CLIPPED, Survey, duration

STEP_S = (0.1, 0.3)
"""Of one core, in the first and in the second phase: capacity 32, batch 2 of 32,768 samples."""
STUDY = (
    "On a graphics card (RTX 4080) the full size (`--size v2`, batch 8) took 35 h to a million steps and 100 h to two; "
    "the second phase more than doubles its memory, from 5.4 to 12.7 GB."
)
FEW_H = 10 / 60
SOME_H = 1.0
MANY_H = 4.0
ALIKE, RELATED = 0.8, 0.6
"""Homogeneity of one kind of sound (the families that `models synthesise` knows: 0.84 to 0.99), and of two."""
UNEVEN_DB = 6.0
SILENT = 0.4
REPEATED = 0.05


def expectations(found: Survey, recipe: Recipe) -> list[str]:
    """Sentences, the amount of sound first."""
    return [*_amount(found), *_kind(found), *_quality(found), *_time(found, recipe), STUDY]


def _amount(found: Survey) -> Iterator[str]:
    """Whether there is enough of it."""
    length = duration(found.hours)
    if found.hours < FEW_H:
        yield f"{length} is little: a model will learn it by heart and not much between. Add sound, or `--augment 3`."
    elif found.hours < SOME_H:
        yield f"{length} is enough for one kind of sound and `--size small` or `default`, hardly for more."
    elif found.hours < MANY_H:
        yield f"{length} is a good amount for `--size default`; `--size v2` wants it all of one kind."
    else:
        yield f"{length} is enough for `--size v2` on a graphics card."
    if not found.hours_held:
        yield "Nothing is held out, so an export can't say how the model does on sound it never heard: use --held."


def _kind(found: Survey) -> Iterator[str]:
    """How much alike it is."""
    if found.homogeneity >= ALIKE:
        yield f"Homogeneity {found.homogeneity:.2f}: one kind of sound, which trains soonest."
    elif found.homogeneity >= RELATED:
        yield f"Homogeneity {found.homogeneity:.2f}: related sounds; expect half as many steps again as for one kind."
    else:
        yield (
            f"Homogeneity {found.homogeneity:.2f}: several kinds of sound. A model for each trains sooner and sounds "
            f"better than one for all; least like the others is {found.strangest}."
        )
    if found.repeated > REPEATED:
        yield f"{100 * found.repeated:.0f} % of it repeats other parts: it counts for less than its length."


def _quality(found: Survey) -> Iterator[str]:
    """What is in it will be in the model."""
    if found.clipped:
        yield (
            f"{len(found.clipped)} of {found.files} files are clipped (more than {100 * CLIPPED:g} % of the samples): "
            "the model will learn that, too."
        )
    if found.narrow:
        lowest = min(found.narrow.values())
        yield (
            f"{len(found.narrow)} of {found.files} files end early, the earliest at {lowest / 1000:.1f} kHz (MP3, or a "
            f"lower rate before): the model will be as dull. {_other_rate(found)}"
        )
    if found.loudness_spread_db > UNEVEN_DB:
        yield (
            f"Loudness differs by {found.loudness_spread_db:.0f} dB (standard deviation) between files: consider "
            "`--normalise loudness`."
        )
    if found.silence > SILENT:
        yield f"{100 * found.silence:.0f} % was silence and is gone; if pauses belong to the sound, use --keep-silence."


def _other_rate(found: Survey) -> str:
    """Advice where nearly all of it would fit a lower rate."""
    fitting = [rate for rate in (16_000, 22_050, 32_000, 44_100) if max(found.narrow.values()) < 0.49 * rate]
    if len(found.narrow) < found.files or not fitting or fitting[0] >= found.sample_rate_hz:
        return "Better sources help; a lower rate would not, for not all are so."
    return f"`--rate {fitting[0]}` holds all of it, and trains that much faster."


def _time(found: Survey, recipe: Recipe) -> Iterator[str]:
    """How long the usual recipe takes, and how often it hears everything."""
    seconds = STEP_S[0] * recipe.phase_1_steps + STEP_S[1] * (recipe.steps - recipe.phase_1_steps)
    heard_h = recipe.steps * recipe.batch * recipe.samples / found.sample_rate_hz / 3600.0
    times = heard_h / max(found.hours_train, 1e-9)
    yield (
        f"`models train` as it stands ({recipe.steps:,} steps) takes about {duration(seconds / 3600.0)} of one free "
        f"processor core, and hears {duration(heard_h)}: everything {times:.1f} times."
    )
    yield "A graphics card does the same in minutes."
