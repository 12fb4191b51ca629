"""Journal lines that hold no answer: kept in a file of their own with the reason, so that they block nothing and are not lost."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

from tasks.llm.journal import BadLine

FOLDER = "quarantine"  # beside the journals, where no run looks for answers


def quarantine(journal: Path, lines: Sequence[BadLine]) -> Path | None:
    """Write a journal's bad lines to a file and return it; None where there are none. Doing it again changes nothing.

    Each line of the file is a JSON object: `line` (number in the journal), `reason`, `content` (bytes as Latin-1 text).
    """
    if not lines:
        return None
    path = journal.parent / FOLDER / journal.name
    aside = path.with_suffix(".part")
    path.parent.mkdir(parents=True, exist_ok=True)
    with aside.open("w", encoding="ascii") as file:
        for line in lines:
            record = {"line": line.number, "reason": line.reason, "content": line.content.decode("latin-1")}
            file.write(json.dumps(record) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(aside, path)
    return path
