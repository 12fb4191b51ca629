"""Parse model answers into dialogues (2.5.1).

In: the transcripts of both prompt profiles, with their briefs and templates. Out: the tables
`dialogues` and `utterances`, each utterance with its sub-goals and the items it names. Start with
`parse_transcripts` (tables) or `parse` (one answer); `grounded` and `plain_text` read the two
formats, `mentions` finds the items.
"""

from tasks.dialogues.fuzzy_titles import is_title_of
from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.mentions import SlotItem
from tasks.dialogues.parser import parse, read_problem
from tasks.dialogues.plain_text import read_plain
from tasks.dialogues.title_matcher import Catalogue
from tasks.dialogues.transcripts import parse_transcripts
from tasks.dialogues.turn_counters import without_counts
from tasks.dialogues.values import DialogueCounts, Format, Parsed, RawTurn, Utterance

__all__ = [
    "Catalogue",
    "DialogueCounts",
    "Format",
    "Parsed",
    "RawTurn",
    "SlotItem",
    "Utterance",
    "is_title_of",
    "parse",
    "parse_transcripts",
    "read_grounded",
    "read_plain",
    "read_problem",
    "without_counts",
]
