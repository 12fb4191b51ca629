"""Answers become dialogues: read tolerantly in both profiles, each utterance tied to its goals and to the items it names (2.5.1)."""

from tasks.dialogues.fuzzy_titles import is_title_of
from tasks.dialogues.grounded import read_grounded
from tasks.dialogues.mentions import SlotItem
from tasks.dialogues.parser import parse
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
    "without_counts",
]
