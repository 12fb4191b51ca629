"""One process at a time works on a domain: a lock on a file beside its warehouse."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tasks.errors import UserError
from tasks.locks import Held, exclusive_lock
from tasks.settings import Home

PATIENCE_S = 2.0  # a process that was killed a moment ago may still be going down


@contextmanager
def domain_lock(home: Home, domain: str, *, patience_s: float = PATIENCE_S) -> Iterator[None]:
    """Hold a domain for this process.

    Raises:
        UserError: another process holds it, or the folder cannot be written.
    """
    path = home.warehouse(domain).with_suffix(".lock")
    with ExitStack() as held:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            held.enter_context(exclusive_lock(path, wait_s=patience_s))
        except OSError as error:
            raise UserError(f"the folder {path.parent} cannot be written: {error.strerror}") from None
        except Held as error:
            who = f"process {error.holder}" if error.holder else "another process"
            raise UserError(f"{who} is working on domain {domain!r}: wait until it ends, or stop it") from None
        yield
