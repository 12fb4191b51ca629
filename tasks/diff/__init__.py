"""Two runs, releases or domains side by side: what differs between them.

In: two names. Out: a `Diff` of settings, dialogues, acceptance and cost, and its page. Start with
`compare_sides`.
"""

from tasks.diff.changes import Change
from tasks.diff.comparison import Diff, compare_sides
from tasks.diff.page import Beside, interval_text, lay_beside, render_diff, tables_of, write_diff
from tasks.diff.pairs import find_pair
from tasks.diff.sides import read_sides, read_turns_of
from tasks.diff.values import Side, Turn

__all__ = [
    "Beside",
    "Change",
    "Diff",
    "Side",
    "Turn",
    "compare_sides",
    "find_pair",
    "interval_text",
    "lay_beside",
    "read_sides",
    "read_turns_of",
    "render_diff",
    "tables_of",
    "write_diff",
]
