"""Which dialogue of one side is which of the other: the same id, or else the same brief."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tasks.diff.values import ComparedDialogue, Side
from tasks.errors import UserError

Key = Callable[[ComparedDialogue], Hashable]
# From what says most to what says least. The last is for releases whose users have pseudonyms.
_KEYS: Sequence[Key] = (
    lambda one: one.dialogue_id,
    lambda one: (one.user_id, one.template_id, one.items),
    lambda one: (one.template_id, one.items),
)


@dataclass(frozen=True)
class DialoguePair:
    """One brief on both sides."""

    first: ComparedDialogue
    second: ComparedDialogue

    @property
    def differs(self) -> bool:
        """True if the words or the verdict differ."""
        return (
            self.first.text_hash != self.second.text_hash
            or self.first.verdict != self.second.verdict
        )


@dataclass
class Matched:
    """Pairs, and what is on one side alone; each in the order of its side."""

    pairs: list[DialoguePair] = field(default_factory=list)
    gone: list[ComparedDialogue] = field(default_factory=list)
    added: list[ComparedDialogue] = field(default_factory=list)


def match(first: Sequence[ComparedDialogue], second: Sequence[ComparedDialogue]) -> Matched:
    """Pair two sides' dialogues.

    They are paired by id; the rest by user, template and items; the rest by template and items.
    Where several on one side have such a key, none of them is paired by it: which is which cannot
    be known.
    """
    partner: dict[int, ComparedDialogue] = {}
    open_first = dict(enumerate(first))
    open_second = dict(enumerate(second))
    for key in _KEYS:
        known = _unique(open_second, key)
        for value, place in _unique(open_first, key).items():
            if value in known:
                partner[place] = open_second.pop(known[value])
                del open_first[place]
    pairs = [
        DialoguePair(one, partner[place]) for place, one in enumerate(first) if place in partner
    ]
    return Matched(pairs, list(open_first.values()), list(open_second.values()))


def _unique(dialogues: dict[int, ComparedDialogue], key: Key) -> dict[Hashable, int]:
    """Return the place of each key that exactly one dialogue has."""
    places: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, one in dialogues.items():
        places[key(one)].append(place)
    return {value: same[0] for value, same in places.items() if len(same) == 1}


def find_pair(
    first: Side, second: Side, matched: Matched, name: str
) -> tuple[ComparedDialogue | None, ComparedDialogue | None]:
    """Find a dialogue by its id, or the first digits of it, on either side. Raises UserError."""
    beginning = name.rpartition("/")[2]
    pairs: list[tuple[Any, Any]] = [(pair.first, pair.second) for pair in matched.pairs]
    pairs += [(one, None) for one in matched.gone] + [(None, one) for one in matched.added]
    matching = [pair for pair in pairs if _begins(pair, beginning)]
    if not beginning or not matching:
        raise UserError(f"neither {first.name} nor {second.name} has a dialogue {name[:80]!r}")
    if len(matching) > 1:
        ids = ", ".join((one or other).dialogue_id for one, other in matching[:8])
        raise UserError(
            f"more than one dialogue begins with {beginning}: {ids}; give more of the id's digits"
        )
    return matching[0]


def _begins(pair: Iterable[ComparedDialogue | None], beginning: str) -> bool:
    """Return True if the id of either dialogue begins so."""
    return any(one is not None and one.dialogue_id.startswith(beginning) for one in pair)
