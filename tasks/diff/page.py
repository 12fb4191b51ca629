"""The comparison as one HTML file: it needs no network, no script and no other file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from itertools import zip_longest
from pathlib import Path
from typing import Any

from tasks.diff.changes import Change
from tasks.diff.comparison import Diff
from tasks.diff.values import ComparedDialogue, Side, Turn
from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.intervals import Interval
from tasks.web import environment, inline_style

HERE = Path(__file__).resolve().parent
MOST_BESIDE = 20  # dialogues shown in full, beside themselves
MOST_LISTED = 500  # ids listed of what was added or is gone
ReadTurns = Callable[[Side, str], Sequence[Turn]]
Shown = tuple[ComparedDialogue | None, ComparedDialogue | None]


@dataclass(frozen=True)
class Beside:
    """One dialogue beside itself: a row for each turn.

    Attributes:
        rows: `first` and `second`, the utterances of both sides or None, and `same`, True if they
            are equal.
    """

    first: ComparedDialogue | None
    second: ComparedDialogue | None
    rows: list[dict[str, Any]]

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON data."""
        ids = {
            "first": self.first and self.first.dialogue_id,
            "second": self.second and self.second.dialogue_id,
        }
        turns = [
            {name: asdict(row[name]) if row[name] else None for name in ids} | {"same": row["same"]}
            for row in self.rows
        ]
        return {**ids, "turns": turns}


def lay_beside(diff: Diff, shown: Shown, read_turns: ReadTurns) -> Beside:
    """Read both versions of a dialogue and lay them side by side, turn by turn."""
    first, second = shown
    first_turns = read_turns(diff.first, first.dialogue_id) if first else []
    second_turns = read_turns(diff.second, second.dialogue_id) if second else []
    rows = [
        {"first": one, "second": other, "same": _same(one, other)}
        for one, other in zip_longest(first_turns, second_turns)
    ]
    return Beside(first, second, rows)


def _same(one: Turn | None, other: Turn | None) -> bool:
    if one is None or other is None:
        return False
    return (one.role, one.text) == (other.role, other.text)


def render_diff(diff: Diff, read_turns: ReadTurns, only: Shown | None = None) -> str:
    """Return the page as HTML.

    It shows the first dialogues that changed beside themselves, or `only` if that is given.
    """
    changed = [(pair.first, pair.second) for pair in diff.matched.pairs if pair.differs]
    chosen: Sequence[Shown] = [only] if only else changed[:MOST_BESIDE]
    templates = environment(HERE / "pages")
    return templates.get_template("diff.html").render(
        diff=diff,
        sides=(diff.first, diff.second),
        tables=tables_of(diff),
        interval_text=interval_text,
        changed=len(changed),
        beside=[lay_beside(diff, one, read_turns) for one in chosen],
        listed=MOST_LISTED,
        style=inline_style(HERE / "static" / "diff.css"),
    )


def tables_of(diff: Diff) -> list[tuple[str, list[Change]]]:
    """Return title and rows of each table that has rows."""
    tables = [
        ("In all", diff.overall),
        ("First attempts that break a rule", diff.rules),
        ("Accepted, by template", diff.templates),
        ("Dollars a dialogue, by rule that its first attempt broke", diff.rule_costs),
        ("Dollars a dialogue, by template", diff.template_costs),
    ]
    return [table for table in tables if table[1]]


def in_unit(value: float | None, unit: str, *, sign: bool = False) -> str:
    """Return a value as a person reads it, a dash for none.

    Shares are in per cent, a difference of shares is in points.
    """
    if value is None:
        return "-"
    plus = "+" if sign else ""
    if unit == "share":
        return f"{100 * value:{plus}.1f}"
    if unit == "dollars":
        return f"{value:{plus},.6f}"
    return f"{value:{plus},.1f}"


def interval_text(interval: Interval | None, unit: str, *, sign: bool = False) -> str:
    """Return a value with its interval in brackets, a dash for none."""
    if interval is None:
        return "-"
    value = in_unit(interval.value, unit, sign=sign)
    low = in_unit(interval.low, unit, sign=sign)
    high = in_unit(interval.high, unit, sign=sign)
    return f"{value} [{low}, {high}]"


def write_diff(path: Path, page: str) -> None:
    """Write the page, whole or not at all. Raises UserError."""
    try:
        write_atomically(path, page)
    except OSError as error:
        raise UserError(f"the page {path} cannot be written: {error.strerror}") from None
