"""What is exported: a release, read once, its dialogues split for training and test."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tasks.evaluation.corpora import Corpus, Dialogue, read_corpus
from tasks.exports.user_splits import SPLITS, SplitName, split_users

_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")


@dataclass(frozen=True)
class Source:
    """A release or published folder and its exports' name; `language` may be unknown (None)."""

    name: str
    folder: Path
    language: str | None = field(default=None, compare=False)

    @cached_property
    def corpus(self) -> Corpus:
        """The release in memory. Raises UserError when it cannot be read."""
        return read_corpus(self.folder, "llm-redial")

    @cached_property
    def split_of(self) -> Mapping[str, SplitName]:
        """Each user's side."""
        return split_users(self.corpus)

    @property
    def file_name(self) -> str:
        """The name as a file may carry it anywhere."""
        return _UNSAFE.sub("-", self.name).strip("-") or "release"

    def title(self, item: str) -> str:
        """Return an item's title, or its id where the release has none."""
        return self.corpus.titles.get(item) or item

    def by_split(self) -> dict[SplitName, list[Dialogue]]:
        """Return the dialogues of each side, in the release's order."""
        sides: dict[SplitName, list[Dialogue]] = {name: [] for name in SPLITS}
        for dialogue in self.corpus.dialogues:
            sides[self.split_of[str(dialogue.user_id)]].append(dialogue)
        return sides


def titles_of(source: Source, items: Sequence[str]) -> list[str]:
    """Return the titles of some items, in their order."""
    return [source.title(item) for item in items]
