"""Three-way comparison of a deployment.

What the file said when it was last deployed, what it says now, what the server holds.

A deployment is compared as a flat table of fields such as `description`, `tag redial`, `parameter
domains` and `schedule nightly active`. A field that a person changed on the server stays; else the
file's is taken.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.fingerprint import fingerprint

Fields = Mapping[str, Any]
Hashes = Mapping[str, str]
SCHEDULE = "schedule "
_HASH_LENGTH = 12


class _Absent:
    """Stands for a field that is not there; None is a value."""


ABSENT = _Absent()


@dataclass(frozen=True)
class Difference:
    """One field in which server and file differ.

    Attributes:
        held: what the server held before.
        wanted: what the file says.
        taken: whether the file's was taken; else the server's stays.
    """

    field: str
    held: Any
    wanted: Any
    taken: bool

    def line(self) -> str:
        """Return the difference in words."""
        if self.taken:
            return f"{self.field}: {shown(self.held)} -> {shown(self.wanted)}, as the file says now"
        return (
            f"{self.field}: stays {shown(self.held)}, as set on the server; the file says "
            f"{shown(self.wanted)}"
        )


def hashes_of(fields: Fields) -> dict[str, str]:
    """Return what is remembered of a file that was deployed: a hash per field."""
    return {field: _hash(value) for field, value in fields.items()}


def compare(before: Hashes, file: Fields, server: Fields) -> list[Difference]:
    """Return every field in which server and file differ, and which of the two is to be taken.

    Args:
        before: hashes of the file's fields when it was last deployed; empty if it never was.
        file: what the file says now.
        server: what the server holds.
    """
    differences = []
    for field in sorted({*before, *file, *server}):
        wanted, held = file.get(field, ABSENT), server.get(field, ABSENT)
        if _hash(wanted) != _hash(held):
            differences.append(
                Difference(field, held, wanted, _is_taken(before.get(field), wanted, held))
            )
    return _schedules_whole(differences, before, file, server)


def merged(server: Fields, differences: list[Difference]) -> dict[str, Any]:
    """Return the fields that the server is to hold."""
    fields = dict(server)
    for difference in differences:
        if difference.taken and difference.wanted is ABSENT:
            fields.pop(difference.field, None)
        elif difference.taken:
            fields[difference.field] = difference.wanted
    return fields


def _is_taken(before: str | None, wanted: Any, held: Any) -> bool:
    """Return True if the file's value of a field is taken.

    The server holds what the file said when it was last deployed, or the file adds the field.
    """
    if before is None:
        return held is ABSENT and wanted is not ABSENT
    return _hash(held) == before


def _schedules_whole(
    differences: list[Difference], before: Hashes, file: Fields, server: Fields
) -> list[Difference]:
    """Return the differences with those of one schedule agreeing.

    A schedule that a person changed or deleted stays as it is.
    """
    changed = {
        schedule_of(field)
        for field in before
        if field.startswith(SCHEDULE) and _hash(server.get(field, ABSENT)) != before[field]
    }
    gone = {name for name in changed if not _has(file, name) or not _has(server, name)}
    return [
        Difference(
            each.field, each.held, each.wanted, each.taken and schedule_of(each.field) not in gone
        )
        for each in differences
    ]


def schedule_of(field: str) -> str:
    """Return the schedule that a field is of, empty for another field."""
    return field.removeprefix(SCHEDULE).rpartition(" ")[0] if field.startswith(SCHEDULE) else ""


def _has(fields: Fields, schedule: str) -> bool:
    return any(schedule_of(field) == schedule for field in fields)


def _hash(value: Any) -> str:
    return "" if value is ABSENT else fingerprint(value)[:_HASH_LENGTH]


def shown(value: Any) -> str:
    """Return a value as a person writes it."""
    if value is ABSENT:
        return "nothing"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list) and all(isinstance(entry, str) for entry in value):
        return ", ".join(value) or "nothing"
    if isinstance(value, dict) and "cron" in value:
        return f"{value['cron']} {value.get('timezone') or 'UTC'}"
    return (
        value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
    )
