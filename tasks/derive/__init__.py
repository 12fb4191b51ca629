"""Datasets made of releases: a part of one, several as one, one made again and compared."""

from tasks.derive.merge import Merged, merge_releases
from tasks.derive.rebuild import (
    copy_answers,
    copy_grown,
    differing_files,
    lend_release,
    write_domain,
)
from tasks.derive.remade import is_derived, remake
from tasks.derive.select import BALANCES, Selection, select_dialogues

__all__ = [
    "BALANCES",
    "Merged",
    "Selection",
    "copy_answers",
    "copy_grown",
    "differing_files",
    "is_derived",
    "lend_release",
    "merge_releases",
    "remake",
    "select_dialogues",
    "write_domain",
]
