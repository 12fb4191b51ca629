"""Datasets made of releases: a part of one, several as one, one made again and compared."""

from tasks.derive.merge import Merged, merge_releases
from tasks.derive.rebuild import copy_answers, differing_files, write_domain
from tasks.derive.select import BALANCES, Selection, select_dialogues

__all__ = [
    "BALANCES",
    "Merged",
    "Selection",
    "copy_answers",
    "differing_files",
    "merge_releases",
    "select_dialogues",
    "write_domain",
]
