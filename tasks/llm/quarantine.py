"""Journal lines that hold no answer: kept in a file of their own with the reason, so that they block nothing and are not lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.llm.write_ahead_log import BadLine

FOLDER = "quarantine"  # beside the journals, where no run looks for answers


def quarantine(journal: Path, lines: Sequence[BadLine]) -> Path | None:
    """Write a journal's bad lines to a file and return it; None where there are none.

    Doing it again changes nothing.

    Each line of the file is a JSON object: `line` (number in the journal), `reason`, `content`
        (bytes as Latin-1 text).

    Raises:
        UserError: the disk does not take it; the journal stays as it is.
    """
    if not lines:
        return None
    path = journal.parent / FOLDER / journal.name
    try:
        write_atomically(path, "".join(map(_record, lines)))
    except OSError as error:
        raise UserError(f"the quarantine file {path} cannot be written: {error.strerror}") from None
    return path


def journal_problems(quarantined: int, torn: int) -> list[str]:
    """Return in words how many journal lines hold no answer; nothing where all do."""
    said = []
    if quarantined:
        said.append(
            f"{quarantined:,} journal lines hold no answer and are kept in the journals' quarantine folder"
        )
    if torn:
        said.append(
            f"{torn:,} journals of killed processes end within a line; what it was for is asked again"
        )
    return said


def _record(line: BadLine) -> str:
    record = {"line": line.number, "reason": line.reason, "content": line.content.decode("latin-1")}
    return json.dumps(record) + "\n"
