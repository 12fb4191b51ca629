"""Briefs (2.5.1): one dialogue to write for each MIGHT_LIKES item.

In: `preferences`, `reviews`, `items` and templates. Out: `briefs`, `brief_items`, `unplanned` and
the templates' tables; `load_briefs` reads them back as `Brief` values. Start with
`stage.plan_briefs`: a template is drawn for each item, then its slots are filled.
"""

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
