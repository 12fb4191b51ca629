"""Compares two sides: settings, dialogues, acceptance and cost, in all, by rule and by template, with intervals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Literal

import numpy as np

from tasks.diff.pairs import DialoguePair, Matched, match
from tasks.diff.values import ComparedDialogue, Side
from tasks.intervals import (
    Interval,
    PairedCounts,
    bootstrap_mean,
    independent_difference,
    paired_difference,
    wilson,
)

LEAST_PAIRED = (
    0.5  # of either side's asked briefs; with fewer in common the sides are compared as independent
)
Pairs = Sequence[DialoguePair]
Unit = Literal["share", "dollars", "tokens"]


@dataclass(frozen=True)
class Change:
    """A share or a mean on both sides, and the difference (second less first).

    Attributes:
        name: what is measured, or the rule or template it is measured of.
        unit: of the values; a share is a number from 0 to 1.
        first: over `n_first` dialogues; None where there are none.
        difference: None where a side has none.
        pairs: how many pairs the difference is over; 0 where it takes the sides as independent.
    """

    name: str
    unit: Unit
    first: Interval | None
    second: Interval | None
    n_first: int
    n_second: int
    difference: Interval | None
    pairs: int = 0

    @property
    def is_clear(self) -> bool:
        """Whether the difference's 95 % interval leaves 0 out."""
        return self.difference is not None and (self.difference.low > 0 or self.difference.high < 0)


@dataclass(frozen=True)
class Diff:
    """What differs between two sides.

    Attributes:
        settings: each setting whose values differ, with both; a side without it has None.
        counts: how many dialogues are on both sides, on one alone, and said or ended otherwise;
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
        groups = ("overall", "rules", "templates", "template_costs", "rule_costs")
        return {
            "first": {**self.first.summary(), "counts": dict(self.first.counts)},
            "second": {**self.second.summary(), "counts": dict(self.second.counts)},
            "settings": self.settings,
            "counts": self.counts,
            **{
                name: [{**asdict(one), "clear": one.is_clear} for one in getattr(self, name)]
                for name in groups
            },
            "added": [one.dialogue_id for one in self.matched.added],
            "gone": [one.dialogue_id for one in self.matched.gone],
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
    known = first.dialogues is not None and second.dialogues is not None
    compared = _Compared(
        first.dialogues or (),
        second.dialogues or (),
        matched.pairs,
        _is_paired(first, second, matched.pairs),
    )
    settings = different_settings(first.settings, second.settings)
    counts = _counts(matched) if known else None
    if not (first.complete and second.complete):
        return Diff(first, second, settings, counts, matched, recorded_acceptance(first, second))
    parts = compared.by_template()
    rules, rule_costs = _of_rules(compared)
    return Diff(
        first,
        second,
        settings,
        counts,
        matched,
        _overall(compared),
        rules,
        [_share(name, part, _accepted) for name, part in parts.items()],
        [_mean(name, "dollars", part, _dollars) for name, part in parts.items()],
        rule_costs,
    )


def different_settings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the settings whose values differ, by name."""
    names = sorted({*first, *second})
    pairs = [
        {"setting": name, "first": first.get(name), "second": second.get(name)} for name in names
    ]
    return [pair for pair in pairs if pair["first"] != pair["second"]]


def recorded_acceptance(first: Side, second: Side) -> list[Change]:
    """Return the acceptance that two runs wrote down, as independent; empty where one did not."""
    shares = []
    for side in (first, second):
        asked = sum(int(side.counts.get(name) or 0) for name in ("accepted", "rejected", "failed"))
        if not asked:
            return []
        shares.append((wilson(int(side.counts.get("accepted") or 0), asked), asked))
    (one, n_one), (other, n_other) = shares
    return [
        Change(
            "accepted, as the runs wrote it down",
            "share",
            one,
            other,
            n_one,
            n_other,
            independent_difference(one, other),
        )
    ]


def _counts(matched: Matched) -> dict[str, int]:
    changed = sum(pair.differs for pair in matched.pairs)
    words = sum(pair.first.text_hash != pair.second.text_hash for pair in matched.pairs)
    verdicts = sum(pair.first.verdict != pair.second.verdict for pair in matched.pairs)
    return {
        "on both sides": len(matched.pairs),
        "changed": changed,
        "other words": words,
        "other verdict": verdicts,
        "added": len(matched.added),
        "gone": len(matched.gone),
    }


Measure = Callable[[ComparedDialogue], float | None]


@dataclass(frozen=True)
class _Compared:
    """Dialogues of both sides and the pairs among them; `paired` says whether differences are over the pairs."""

    first: Sequence[ComparedDialogue]
    second: Sequence[ComparedDialogue]
    pairs: Pairs
    paired: bool

    def by_template(self) -> dict[str, _Compared]:
        """Return a part for each template, by its id."""
        first, second = _by_template(self.first), _by_template(self.second)
        pairs: defaultdict[str, list[DialoguePair]] = defaultdict(list)
        for pair in self.pairs:
            pairs[pair.first.template_id].append(pair)
        names = sorted({*first, *second})
        return {
            name: _Compared(first[name], second[name], pairs[name], self.paired) for name in names
        }


def _by_template(dialogues: Sequence[ComparedDialogue]) -> defaultdict[str, list[ComparedDialogue]]:
    found: defaultdict[str, list[ComparedDialogue]] = defaultdict(list)
    for one in dialogues:
        found[one.template_id].append(one)
    return found


def _is_paired(first: Side, second: Side, pairs: Pairs) -> bool:
    asked = sum(pair.first.asked and pair.second.asked for pair in pairs)
    most = max(sum(one.asked for one in side.dialogues or ()) for side in (first, second))
    return asked > 0 and asked >= LEAST_PAIRED * most


def _overall(compared: _Compared) -> list[Change]:
    return [
        _share("accepted", compared, _accepted),
        _share("accepted at the first attempt", compared, _accepted_first),
        _mean("dollars a dialogue", "dollars", compared, _dollars),
        _mean("tokens a dialogue", "tokens", compared, _tokens),
    ]


def _share(name: str, compared: _Compared, measure: Measure) -> Change:
    """Return the share of dialogues that a measure of 0 or 1 holds for, on both sides."""
    shares = [
        [value for one in side if (value := measure(one)) is not None]
        for side in (compared.first, compared.second)
    ]
    one, other = (wilson(int(sum(values)), len(values)) if values else None for values in shares)
    pairs = _measured(compared, measure)
    difference = None
    if compared.paired and pairs:
        difference = paired_difference(_paired_counts(pairs))
    elif one and other and not compared.paired:
        difference = independent_difference(one, other)
    return Change(
        name,
        "share",
        one,
        other,
        len(shares[0]),
        len(shares[1]),
        difference,
        len(pairs) if compared.paired else 0,
    )


def _paired_counts(pairs: Sequence[tuple[str, float, float]]) -> PairedCounts:
    held = [(bool(one), bool(other)) for _, one, other in pairs]
    return PairedCounts(
        *(held.count(case) for case in ((True, True), (True, False), (False, True), (False, False)))
    )


def _mean(name: str, unit: Unit, compared: _Compared, measure: Measure) -> Change:
    """Return the mean of a measure on both sides, bootstrapped over users."""
    one, other = _estimated(compared.first, measure), _estimated(compared.second, measure)
    pairs = _measured(compared, measure)
    difference = None
    if compared.paired and pairs:
        difference = _bootstrapped(
            [second - first for _, first, second in pairs], [user for user, _, _ in pairs]
        )
    elif one and other and not compared.paired:
        difference = independent_difference(one, other)
    n_one, n_other = (
        sum(measure(dialogue) is not None for dialogue in side)
        for side in (compared.first, compared.second)
    )
    return Change(
        name, unit, one, other, n_one, n_other, difference, len(pairs) if compared.paired else 0
    )


def _measured(compared: _Compared, measure: Measure) -> list[tuple[str, float, float]]:
    """Return the user and both values of each pair that has both."""
    found = []
    for pair in compared.pairs:
        one, other = measure(pair.first), measure(pair.second)
        if one is not None and other is not None:
            found.append((pair.first.user_id, one, other))
    return found


def _estimated(dialogues: Sequence[ComparedDialogue], measure: Measure) -> Interval | None:
    known = [(one.user_id, value) for one in dialogues if (value := measure(one)) is not None]
    return (
        _bootstrapped([value for _, value in known], [user for user, _ in known]) if known else None
    )


def _bootstrapped(values: Sequence[float], users: Sequence[str]) -> Interval:
    mean = bootstrap_mean(np.array(values, dtype=np.float64), users)
    return Interval(mean.value, min(mean.low, mean.value), max(mean.high, mean.value))


def _of_rules(compared: _Compared) -> tuple[list[Change], list[Change]]:
    """Return for each rule how many first attempts break it, and what the dialogues cost whose first attempt did."""
    rules = sorted(
        {rule for one in (*compared.first, *compared.second) for rule in one.broken or ()}
    )
    shares = [_share(rule, compared, partial(_broke, rule=rule)) for rule in rules]
    # Which dialogues break a rule differs from side to side, so that there are no pairs to compare
    # the cost of.
    apart = replace(compared, paired=False)
    return shares, [
        _mean(rule, "dollars", apart, partial(_dollars_where_broken, rule=rule)) for rule in rules
    ]


def _accepted(one: ComparedDialogue) -> float | None:
    return float(one.verdict == "accepted") if one.asked else None


def _accepted_first(one: ComparedDialogue) -> float | None:
    return float(one.verdict == "accepted" and one.attempt == 1) if one.asked else None


def _dollars(one: ComparedDialogue) -> float | None:
    return one.dollars if one.asked else None


def _tokens(one: ComparedDialogue) -> float | None:
    return float(one.tokens) if one.asked and one.tokens is not None else None


def _broke(one: ComparedDialogue, rule: str) -> float | None:
    return None if one.broken is None else float(rule in one.broken)


def _dollars_where_broken(one: ComparedDialogue, rule: str) -> float | None:
    return one.dollars if one.broken and rule in one.broken else None
