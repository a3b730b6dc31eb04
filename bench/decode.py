"""How fast each decoder makes sound: `python bench/decode.py [MODEL] [--seconds N]`, one table.

A call decodes one step for each of 1, 4 or 16 rows, as the player and the breeder do. Its milliseconds, median and
99th percentile, and the sound made in a second of one thread.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from installation import model
from installation.sound.decoder import DECODERS, Decoder, open_decoder

BATCHES = (1, 4, 16)


def calls_ms(decoder: Decoder, batch: int, seconds: float) -> np.ndarray:
    """Duration of each call in ms, a tenth of the time having passed as warm-up."""
    rng = np.random.default_rng(1)
    latents, state, spent = rng.normal(size=(batch, 1, decoder.latent_dim)).astype(np.float32), decoder.start(batch), []
    end_s = time.perf_counter() + seconds
    while (begun_s := time.perf_counter()) < end_s:
        _, state = decoder.decode(latents, state)
        spent.append(1e3 * (time.perf_counter() - begun_s))
    return np.asarray(spent[len(spent) // 10 :])


def rows(shipped: model.Model, seconds: float) -> Iterator[str]:
    """The table's rows: every decoder file of the model for which this machine has the library."""
    for file in sorted(
        path for path in shipped.folder.iterdir() if path.suffix in DECODERS and path != shipped.encoder
    ):
        try:
            decoder = open_decoder(file, "cpu")
        except ImportError as error:
            print(f"{file.name}: not measured: {error}", file=sys.stderr)
            continue
        for batch in BATCHES:
            spent_ms = calls_ms(decoder, batch, seconds)
            factor = batch * 1e3 * shipped.step_s / spent_ms.mean()
            median, worst = np.percentile(spent_ms, (50, 99))
            yield f"| {file.name} | {batch} | {median:.2f} | {worst:.2f} | {factor:.0f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", default="bronze", help="a name in models/ or a model's folder")
    parser.add_argument("--seconds", type=float, default=3.0, help="for each row of the table")
    arguments = parser.parse_args()
    shipped = model.load(arguments.model, beside=Path.cwd())
    print(f"{shipped.name}: one step is {1e3 * shipped.step_s:.1f} ms of sound; one thread\n")
    print("| file | rows | ms per call, median | p99 | times real time |\n|---|---|---|---|---|")
    for row in rows(shipped, arguments.seconds):
        print(row, flush=True)


if __name__ == "__main__":
    main()
