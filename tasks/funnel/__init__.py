"""The funnel: what became of every source line, MIGHT_LIKES item and brief, and what it cost.

Everything that shows these figures reads them here.
"""

from tasks.funnel.costs import Spending, cost_totals, spending
from tasks.funnel.counts import Funnel, might_likes, read_funnel, set_aside, verdicts
from tasks.funnel.failure_causes import causes, causes_text, provider_is_down
from tasks.funnel.wording import set_aside_text, unplanned_text
from tasks.warehouse import Rows

__all__ = [
    "Funnel",
    "Rows",
    "Spending",
    "causes",
    "causes_text",
    "provider_is_down",
    "cost_totals",
    "might_likes",
    "read_funnel",
    "set_aside",
    "set_aside_text",
    "spending",
    "unplanned_text",
    "verdicts",
]
