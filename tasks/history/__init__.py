"""History: what each run of a domain came to, and what changed from run to run.

In: the tables of a domain's warehouse after a run. Out: `run_figures`, the page of trends, and the
thresholds that the newest run is beyond. Start with `read_history`.
"""

from tasks.history.figures import record_figures, record_lost
from tasks.history.overview import History, change_lines, history_json, history_rows, read_history
from tasks.history.page import history_from_warehouse, history_page, write_history
from tasks.history.thresholds import broken_thresholds

__all__ = [
    "History",
    "broken_thresholds",
    "change_lines",
    "history_from_warehouse",
    "history_json",
    "history_page",
    "history_rows",
    "read_history",
    "record_figures",
    "record_lost",
    "write_history",
]
