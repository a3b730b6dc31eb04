"""Every benchmark runs as the program does: no matrix product takes a core that was not given to it."""

import os

for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")
