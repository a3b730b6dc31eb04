"""Work done in a process of its own: what loads a stranger's file may hang, die or fill memory, and is then gone."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from installation.errors import InstallationError, ModelError

Result = TypeVar("Result")
PATIENCE_S = 300.0


def apart(place: str, work: Callable[..., Result], *arguments: Any, patience_s: float = PATIENCE_S) -> Result:
    """What `work(*arguments)` gives, all of it picklable. ModelError, which begins with `place`, as it says itself, or
    if its process dies or does not end in time; ImportError as raised."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(sender, work, arguments), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(patience_s):
            raise ModelError(f"{place}: gave no answer in {patience_s:g} s, so it was stopped")
        found: Result | Exception = receiver.recv()
    except EOFError as error:
        process.join()
        raise ModelError(f"{place}: its process died with exit code {process.exitcode}") from error
    finally:
        process.kill()
        process.join()
        receiver.close()
    if isinstance(found, Exception):
        raise found
    return found


def _work(sender: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """In the process: send what the work gives, or what it refuses; anything else ends it with a traceback."""
    try:
        sender.send(work(*arguments))
    except InstallationError as error:
        sender.send(ModelError(str(error)))
    except ImportError as error:
        sender.send(ImportError(str(error)))
