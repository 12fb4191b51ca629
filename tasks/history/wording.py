"""A change as one line."""

from __future__ import annotations

from tasks.history.changes import Change
from tasks.history.values import DOLLARS


def change_text(change: Change) -> str:
    """Return a change as a person reads it."""
    if change.before is None or change.now is None:
        return f"{change.name}: distribution moved by {change.size:.2f} (bound {change.bound:.2f})"
    if change.kind == "share":
        points = f"{100 * change.size:+.1f} points, bound {100 * change.bound:.1f}"
        return f"{change.name}: {change.before:.1%} -> {change.now:.1%} ({points})"
    digits = 6 if change.name == DOLLARS else 1
    shown = f"{change.before:,.{digits}f} -> {change.now:,.{digits}f}"
    return f"{change.name}: {shown} ({change.size:+,.{digits}f}, bound {change.bound:,.{digits}f})"
