"""Releases the small warehouse in a process of its own, and kills it at a named moment. Its arguments: DATA MOMENT."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tasks.lineage import note_release
from tasks.release import write_release
from tasks.release import writer as released
from tasks.settings import Home
from tasks.warehouse import open_warehouse, transaction
from tests.support.small_warehouse import fill_warehouse

MOMENTS = ("written", "judged", "noted", "moved", "committed")


def _die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _then_die(function: Callable[..., Any]) -> Callable[..., Any]:
    def _called(*values: Any, **named: Any) -> None:
        function(*values, **named)
        _die()

    return _called


def main() -> None:
    """Release the warehouse in the data folder; make it first if it is not there."""
    data, moment = Path(sys.argv[1]), sys.argv[2]
    home = Home(data=data)
    if moment == "moved":
        released._Placing.put = _then_die(released._Placing.put)  # type: ignore[method-assign]
    if moment == "committed":
        released._Placing.commit = _die  # type: ignore[assignment,method-assign]
    with open_warehouse(home.warehouse("demo")) as con:
        if not con.execute("SELECT count(*) FROM items").fetchall()[0][0]:
            with transaction(con):
                fill_warehouse(con)

        def _note(version: str) -> None:
            note_release(con, version, "run", "settings", "code")
            if moment == "noted":
                _die()

        validate = {"written": _die, "judged": _then_die(lambda texts: texts)}.get(moment, len)
        write_release(con, home, "demo", run={"seed": 7}, validate=validate, note=_note)
