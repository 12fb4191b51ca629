"""A part of a release, as a release of its own that says where it came from."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import duckdb
import pyarrow as pa

from tasks.errors import UserError
from tasks.files import moved_into_place
from tasks.fingerprint import unit
from tasks.machine import this_machine
from tasks.release import FoundRelease, Part, read_facts, read_parts, write_derived

Balance = Literal["template", "recommendations"]
BALANCES: Final = ("template", "recommendations")
_EVERYTHING: Final = "everything"
_DIALOGUES = """
SELECT dialogue_id, user_id, template_id, recommendations
FROM part_dialogues
ORDER BY conversation_id
"""


class _Dialogue(NamedTuple):
    dialogue_id: str
    user_id: str
    template: str
    recommendations: int


@dataclass(frozen=True)
class Selection:
    """Which dialogues are taken; nothing given takes all.

    Attributes:
        recommendations: numbers of recommendations.
        templates: template ids, or the beginnings of some.
        users: how many users, drawn by seed, with all their dialogues that fit.
        balance: take equally many of each template or number of recommendations, as many as the
            rarest has.
        seed: seed of the draws.
    """

    recommendations: tuple[int, ...] = ()
    templates: tuple[str, ...] = ()
    users: int | None = None
    balance: Balance | None = None
    seed: int = 2024

    def words(self) -> list[str]:
        """Return what was chosen, one phrase each."""
        chosen = []
        if self.recommendations:
            chosen.append(f"recommendations {', '.join(map(str, self.recommendations))}")
        if self.templates:
            chosen.append(f"templates {', '.join(self.templates)}")
        if self.users is not None:
            chosen.append(f"{self.users} users")
        if self.balance:
            chosen.append(f"balanced by {self.balance}")
        if self.users is not None or self.balance:
            chosen.append(f"seed {self.seed}")
        return chosen or [_EVERYTHING]

    @classmethod
    def of_words(cls, phrases: Iterable[str]) -> Selection:
        """Return the selection that `words` gave these phrases. Raises UserError for others."""
        chosen: dict[str, Any] = {}
        for phrase in phrases:
            match = next(filter(None, (form.fullmatch(phrase) for form in _PHRASES)), None)
            if match is None:
                raise UserError(f"{phrase[:80]!r} says of no selection what was chosen")
            for name, value in match.groupdict().items():
                chosen[name] = _VALUES[name](value)
        return cls(**chosen)


_PHRASES: Final = (
    re.compile(_EVERYTHING),
    re.compile(r"recommendations (?P<recommendations>\d+(?:, \d+)*)"),
    re.compile(r"templates (?P<templates>.+)"),
    re.compile(r"(?P<users>\d+) users"),
    re.compile(rf"balanced by (?P<balance>{'|'.join(BALANCES)})"),
    re.compile(r"seed (?P<seed>-?\d+)"),
)
_VALUES: Final[Mapping[str, Callable[[str], Any]]] = {
    "recommendations": lambda text: tuple(map(int, text.split(", "))),
    "templates": lambda text: tuple(text.split(", ")),
    "users": int,
    "balance": str,
    "seed": int,
}


def select_dialogues(source: FoundRelease, selection: Selection, place: Path) -> Mapping[str, int]:
    """Write the chosen dialogues of a release as a release of its own.

    Args:
        source: the release.
        selection: which dialogues.
        place: the folder to make; it must not be there.

    Returns:
        The rows of each published table.

    Raises:
        UserError: no dialogue fits, the folder is there already or cannot be written, or the
            release has no tables.
    """
    if place.exists():
        raise UserError(f"{place} is there already: choose another folder, or remove it")
    domain = source.domain or source.named
    facts = read_facts(source.path)
    facts |= {"made_of": [f"{domain}/{source.version}"], "selected": selection.words()}
    with duckdb.connect(config=this_machine().duckdb_settings) as con:
        read_parts(con, [Part(domain, source.path)])
        dialogues = [_Dialogue(*row) for row in con.execute(_DIALOGUES).fetchall()]
        chosen = _chosen(dialogues, selection)
        if not chosen:
            raise UserError(f"no dialogue of {source.path} fits {'; '.join(selection.words())}")
        con.register("chosen", pa.table({"dialogue_id": chosen}))
        with moved_into_place(place) as folder:
            return write_derived(con, folder, facts, domain=domain)


def _chosen(dialogues: Iterable[_Dialogue], selection: Selection) -> list[str]:
    fitting = [dialogue for dialogue in dialogues if _fits(dialogue, selection)]
    if selection.users is not None:
        users = {dialogue.user_id for dialogue in fitting}
        order = sorted(users, key=lambda user: unit(selection.seed, "select user", user))
        drawn = set(order[: selection.users])
        fitting = [dialogue for dialogue in fitting if dialogue.user_id in drawn]
    if selection.balance:
        fitting = _balanced(fitting, selection.balance, selection.seed)
    return [dialogue.dialogue_id for dialogue in fitting]


def _fits(dialogue: _Dialogue, selection: Selection) -> bool:
    by_number = selection.recommendations
    if by_number and dialogue.recommendations not in by_number:
        return False
    return not selection.templates or dialogue.template.startswith(selection.templates)


def _balanced(dialogues: list[_Dialogue], balance: Balance, seed: int) -> list[_Dialogue]:
    groups: dict[str | int, list[_Dialogue]] = {}
    for dialogue in dialogues:
        groups.setdefault(getattr(dialogue, balance), []).append(dialogue)
    each = min(map(len, groups.values()), default=0)
    taken: set[str] = set()
    for group in groups.values():
        group.sort(key=lambda dialogue: unit(seed, "select dialogue", dialogue.dialogue_id))
        taken.update(dialogue.dialogue_id for dialogue in group[:each])
    return [dialogue for dialogue in dialogues if dialogue.dialogue_id in taken]
