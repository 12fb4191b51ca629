"""Answers become dialogues: read tolerantly in both profiles, each utterance tied to its goals and to the items it names (2.5.1)."""

from tasks.dialogues.mentions import SlotItem
from tasks.dialogues.parsing import parse
from tasks.dialogues.titles import Catalogue
from tasks.dialogues.transcripts import parse_transcripts
from tasks.dialogues.values import DialogueCounts, Format, Parsed, Utterance

__all__ = ["Catalogue", "DialogueCounts", "Format", "Parsed", "SlotItem", "Utterance", "parse", "parse_transcripts"]
