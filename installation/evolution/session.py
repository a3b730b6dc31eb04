"""This process as part of a Ray cluster: one it starts for itself on this machine, or one that runs already.

Either way only who has the token is let in (Ray 2.52 and later; it runs any code it is sent), nobody is phoned, nothing
is printed, and what Ray changed of this process is put back when it leaves.
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from installation.errors import ClusterError

LOCAL = "local"
STORE_BYTES = 80 * 2**20
"""Shared memory of a cluster of our own, nearly the least Ray takes: batches and answers are small."""
TOKEN, TOKEN_PATH, TOKEN_FILE = "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", Path("~/.ray/auth_token")
"""Where Ray looks for the token: two variables, then a file."""
LOOPBACK = "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"
"""With 0 Ray binds to 127.0.0.1, its default on those two; a node address of 127.0.0.1 it would replace."""
TRY = "import sys, ray; ray.init(address=sys.argv[1], logging_level='ERROR', log_to_driver=False)"


class Session:
    """Part of the cluster at `address`, host:port, which this machine belongs to."""

    def __init__(self, address: str, patience_s: float) -> None:
        self.address = address
        self.patience_s = patience_s
        self._terminate: Any = None
        self._joined = False

    def open(self) -> None:
        """Join, or ClusterError within `patience_s` and a little."""
        self._secure()
        self._join()

    def close(self) -> None:
        """Leave."""
        if not self._joined:
            return
        import ray

        ray.shutdown()
        self._joined = False
        if self._terminate is not None:
            signal.signal(signal.SIGTERM, self._terminate)

    def _secure(self) -> None:
        """Before Ray is imported, which reads these once."""
        if not any(os.environ.get(name) for name in (TOKEN, TOKEN_PATH)) and not TOKEN_FILE.expanduser().is_file():
            raise ClusterError(
                f"cluster {self.address}: no token: run `ray get-auth-token --generate` where the cluster starts "
                f"and put it in {TOKEN_FILE} here, or set {TOKEN_PATH} to the file it is in"
            )
        _settle({})

    def _join(self) -> None:
        """A child tries first: what hangs inside Ray ends only with its process."""
        asked = [sys.executable, "-c", TRY, self.address]
        try:
            tried = subprocess.run(asked, capture_output=True, text=True, timeout=self.patience_s, check=False)
        except subprocess.TimeoutExpired as error:
            raise ClusterError(f"cluster {self.address}: no answer in {self.patience_s:g} s") from error
        if tried.returncode:
            said = (tried.stderr.strip().splitlines() or [f"exit status {tried.returncode}"])[-1]
            raise ClusterError(f"cluster {self.address}: can't be joined: {said}")
        self._init(address=self.address)

    def _init(self, **how: Any) -> None:
        try:
            import ray
        except ImportError as error:
            raise ClusterError(
                f"cluster {self.address}: {error}: pip install -c constraints.txt '.[cluster]'"
            ) from error
        if ray.is_initialized():
            raise ClusterError(f"cluster {self.address}: this process is part of one already, allowed is one")
        if threading.current_thread() is threading.main_thread():
            self._terminate = signal.getsignal(signal.SIGTERM)
        logging.getLogger("ray").setLevel(logging.CRITICAL)
        ray._private.worker._worker_logs_enabled = False  # else it prints raylet's errors, whatever it is told
        try:
            ray.init(log_to_driver=False, configure_logging=False, **how)
        except (ray.exceptions.RayError, OSError, RuntimeError, ValueError) as error:
            raise ClusterError(f"cluster {self.address}: can't be joined: {error}") from error
        self._joined = True


class LocalSession(Session):
    """A cluster of our own, on this machine's loopback only, its files where no one else can look."""

    def _secure(self) -> None:
        token = {} if os.environ.get(TOKEN) else {TOKEN_PATH: str(_private_folder() / "token")}
        _settle(token | {LOOPBACK: "0"})

    def _join(self) -> None:
        folder = _private_folder() / "ray"
        self._init(address=LOCAL, include_dashboard=False, _temp_dir=str(folder), object_store_memory=STORE_BYTES)

    def close(self) -> None:
        """Leave, which ends it."""
        super().close()
        shutil.rmtree(_private_folder() / "ray", ignore_errors=True)


def session(address: str, patience_s: float) -> Session:
    """The session for an `address`: local, or host:port."""
    if address == LOCAL:
        return LocalSession(address, patience_s)
    host, _, port = address.rpartition(":")
    if not host or "/" in host or not port.isdecimal():
        raise ClusterError(f"cluster {address}: no address, allowed are {LOCAL} and host:port")
    return Session(address, patience_s)


def _settle(variables: dict[str, str]) -> None:
    """Set what Ray reads once, when it is imported; ClusterError if that was done otherwise."""
    variables = {"RAY_AUTH_MODE": "token", "RAY_USAGE_STATS_ENABLED": "0"} | variables
    late = [name for name, value in variables.items() if os.environ.get(name) != value]
    if late and "ray" in sys.modules:
        raise ClusterError(f"cluster: ray was imported before {', '.join(late)} could be set, allowed is after")
    os.environ.update(variables)


@functools.cache
def _private_folder() -> Path:
    """This process's own, with the token of its clusters in it (Ray reads the token once), until it ends."""
    folder = Path(tempfile.mkdtemp(prefix="cluster-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    descriptor = os.open(folder / "token", os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32))
    return folder
