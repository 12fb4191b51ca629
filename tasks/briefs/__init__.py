"""Briefs (2.5.1): one dialogue to write for each MIGHT_LIKES item, its template drawn and its slots filled, seeded."""

from tasks.briefs.drafting import REASONS
from tasks.briefs.ids import adopt_earlier_answers, id_since_earlier
from tasks.briefs.planning import BriefCounts, plan_briefs
from tasks.briefs.read_ahead import ReadAhead
from tasks.briefs.reading import load_briefs
from tasks.briefs.values import Brief, BriefItem

__all__ = [
    "REASONS",
    "Brief",
    "BriefCounts",
    "BriefItem",
    "ReadAhead",
    "adopt_earlier_answers",
    "id_since_earlier",
    "load_briefs",
    "plan_briefs",
]
