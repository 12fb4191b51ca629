"""Datasets made of releases: a part of one (`select`), or several as one (`merge`)."""

from tasks.derive.merge import Merged, merge_releases
from tasks.derive.select import BALANCES, Selection, select_dialogues

__all__ = ["BALANCES", "Merged", "Selection", "merge_releases", "select_dialogues"]
