"""Briefs (2.5.1): one dialogue to write for each MIGHT_LIKES item, its template drawn and its slots filled, seeded."""

from tasks.briefs.ids import id_since_earlier
from tasks.briefs.reader import ReadAhead, load_briefs
from tasks.briefs.slot_filling import REASONS
from tasks.briefs.stage import BriefCounts, plan_briefs
from tasks.briefs.values import Brief, BriefItem

__all__ = [
    "REASONS",
    "Brief",
    "BriefCounts",
    "BriefItem",
    "ReadAhead",
    "id_since_earlier",
    "load_briefs",
    "plan_briefs",
]
