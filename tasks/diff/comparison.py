"""Compares two sides: settings, dialogues, acceptance and cost, with intervals.

Figures are over all dialogues, and by rule and by template.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any

from tasks.diff.changes import Change, Compared, mean_change, share_change
from tasks.diff.pairs import Matched, match
from tasks.diff.values import ComparedDialogue, Side
from tasks.intervals import independent_difference, wilson

_GROUPS = ("overall", "rules", "templates", "template_costs", "rule_costs")
_ENDS = ("accepted", "rejected", "failed")


@dataclass(frozen=True)
class Diff:
    """What differs between two sides.

    Attributes:
        settings: each setting whose values differ, with both; a side without it has None.
        counts: how many dialogues are on both sides, on one alone, and differ in words or verdict;
            None where a side has none on record.
        overall: acceptance at last and at the first attempt, and what a dialogue takes.
        rules: for each rule, the share of first attempts that break it.
        templates: for each template, the share of asked briefs that ended accepted.
        template_costs: for each template, the mean dollars of a dialogue.
        rule_costs: for each rule, the mean dollars of the dialogues whose first attempt broke it.
    """

    first: Side
    second: Side
    settings: list[dict[str, Any]]
    counts: dict[str, int] | None
    matched: Matched
    overall: list[Change]
    rules: list[Change] = field(default_factory=list)
    templates: list[Change] = field(default_factory=list)
    template_costs: list[Change] = field(default_factory=list)
    rule_costs: list[Change] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return all of it as JSON data; of dialogues the ids."""
        changed = [pair for pair in self.matched.pairs if pair.differs]
        return {
            "first": {**self.first.summary(), "counts": dict(self.first.counts)},
            "second": {**self.second.summary(), "counts": dict(self.second.counts)},
            "settings": self.settings,
            "counts": self.counts,
            **{name: _changes_json(getattr(self, name)) for name in _GROUPS},
            "added": [dialogue.dialogue_id for dialogue in self.matched.added],
            "gone": [dialogue.dialogue_id for dialogue in self.matched.gone],
            "changed": [
                {"first": pair.first.dialogue_id, "second": pair.second.dialogue_id}
                for pair in changed
            ],
        }


def compare_sides(first: Side, second: Side) -> Diff:
    """Compare two sides.

    Where at least half of either side's asked briefs are on both, differences are over those pairs;
    else the sides count as independent. A release holds accepted dialogues alone, so that
    acceptance is compared only between runs and domains.
    """
    matched = match(first.dialogues or (), second.dialogues or ())
    on_record = first.dialogues is not None and second.dialogues is not None
    settings = different_settings(first.settings, second.settings)
    counts = _counts(matched) if on_record else None
    if not (first.complete and second.complete):
        return Diff(first, second, settings, counts, matched, recorded_acceptance(first, second))
    compared = Compared.of(first, second, matched.pairs)
    parts = compared.by_template()
    rules, rule_costs = _of_rules(compared)
    return Diff(
        first,
        second,
        settings,
        counts,
        matched,
        overall=_overall(compared),
        rules=rules,
        templates=[share_change(name, part, _accepted) for name, part in parts.items()],
        template_costs=[
            mean_change(name, "dollars", part, _dollars) for name, part in parts.items()
        ],
        rule_costs=rule_costs,
    )


def different_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the settings whose values differ, by name."""
    rows = []
    for name in sorted({*first, *second}):
        row = {"setting": name, "first": first.get(name), "second": second.get(name)}
        if row["first"] != row["second"]:
            rows.append(row)
    return rows


def recorded_acceptance(first: Side, second: Side) -> list[Change]:
    """Return the acceptance that two runs wrote down, as independent; empty where one did not."""
    n_first, n_second = _recorded(first, _ENDS), _recorded(second, _ENDS)
    if not n_first or not n_second:
        return []
    first_share = wilson(_recorded(first, ["accepted"]), n_first)
    second_share = wilson(_recorded(second, ["accepted"]), n_second)
    return [
        Change(
            "accepted, as the runs wrote it down",
            "share",
            first_share,
            second_share,
            n_first,
            n_second,
            independent_difference(first_share, second_share),
        )
    ]


def _recorded(side: Side, verdicts: Iterable[str]) -> int:
    """Return how many briefs a run wrote down with any of these verdicts."""
    return sum(int(side.counts.get(verdict) or 0) for verdict in verdicts)


def _changes_json(changes: list[Change]) -> list[dict[str, Any]]:
    return [{**asdict(change), "clear": change.is_clear} for change in changes]


def _counts(matched: Matched) -> dict[str, int]:
    pairs = matched.pairs
    return {
        "on both sides": len(pairs),
        "changed": sum(pair.differs for pair in pairs),
        "other words": sum(pair.first.text_hash != pair.second.text_hash for pair in pairs),
        "other verdict": sum(pair.first.verdict != pair.second.verdict for pair in pairs),
        "added": len(matched.added),
        "gone": len(matched.gone),
    }


def _overall(compared: Compared) -> list[Change]:
    return [
        share_change("accepted", compared, _accepted),
        share_change("accepted at the first attempt", compared, _accepted_first),
        mean_change("dollars a dialogue", "dollars", compared, _dollars),
        mean_change("tokens a dialogue", "tokens", compared, _tokens),
    ]


def _of_rules(compared: Compared) -> tuple[list[Change], list[Change]]:
    """Return the changes of each rule: how many first attempts break it, and what those cost.

    The cost is that of all attempts at the dialogues whose first attempt broke the rule.
    """
    broken: set[str] = set()
    for dialogue in (*compared.first, *compared.second):
        broken |= dialogue.broken or frozenset()
    rules = sorted(broken)
    shares = [share_change(rule, compared, partial(_broke, rule=rule)) for rule in rules]
    # Which dialogues break a rule differs from side to side: there are no pairs whose cost could
    # be compared.
    independent = replace(compared, paired=False)
    costs = [
        mean_change(rule, "dollars", independent, partial(_dollars_where_broken, rule=rule))
        for rule in rules
    ]
    return shares, costs


def _accepted(dialogue: ComparedDialogue) -> float | None:
    return float(dialogue.verdict == "accepted") if dialogue.asked else None


def _accepted_first(dialogue: ComparedDialogue) -> float | None:
    return (
        float(dialogue.verdict == "accepted" and dialogue.attempt == 1) if dialogue.asked else None
    )


def _dollars(dialogue: ComparedDialogue) -> float | None:
    return dialogue.dollars if dialogue.asked else None


def _tokens(dialogue: ComparedDialogue) -> float | None:
    return float(dialogue.tokens) if dialogue.asked and dialogue.tokens is not None else None


def _broke(dialogue: ComparedDialogue, rule: str) -> float | None:
    return None if dialogue.broken is None else float(rule in dialogue.broken)


def _dollars_where_broken(dialogue: ComparedDialogue, rule: str) -> float | None:
    return dialogue.dollars if dialogue.broken and rule in dialogue.broken else None
