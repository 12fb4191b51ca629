"""Checks and counts of template sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain

from tasks.goals import load_goals
from tasks.settings import Home
from tasks.templates.enumeration import enumerate_templates, sample_templates
from tasks.templates.files import TemplateSet, load_templates, unused_goals
from tasks.templates.grammar import load_grammar
from tasks.templates.values import Template


@dataclass(frozen=True)
class CheckReport:
    """The numbers of a template set that passed every check.

    Attributes:
        by_kind: templates by (recommendations, utterances).
        by_pattern: templates by (recommendations, liked items, disliked items of the history).
        goal_uses: how often each sub-goal is said over all templates, in the goals' order.
        unused: sub-goals no template uses.
    """

    name: str
    templates: int
    by_kind: Mapping[tuple[int, int], int]
    by_pattern: Mapping[tuple[int, int, int], int]
    goal_uses: Mapping[str, int]
    unused: tuple[str, ...]


def pattern(template: Template) -> tuple[int, int]:
    """Return how many liked and how many disliked items of the history a template uses."""
    collections = [slot.collection for slot in template.slots]
    return collections.count("LIKES"), collections.count("DISLIKES")


def check_templates(home: Home, name: str = "curated") -> CheckReport:
    """Check a template set, each template legal and all distinct, and count it.

    Raises UserError as `load_templates` does.
    """
    return report(home, load_templates(home, name))


def report(home: Home, template_set: TemplateSet) -> CheckReport:
    """Count a template set by kind, by pattern and by sub-goal."""
    grammar = load_grammar(home, load_goals(home))
    templates = template_set.templates
    kinds = Counter((template.recommendations, len(template.turns)) for template in templates)
    patterns = Counter((template.recommendations, *pattern(template)) for template in templates)
    uses: Counter[str] = Counter()
    for template in templates:
        uses.update(chain.from_iterable(turn.goals for turn in template.turns))
    return CheckReport(
        name=template_set.name,
        templates=len(templates),
        by_kind=dict(sorted(kinds.items())),
        by_pattern=dict(sorted(patterns.items())),
        goal_uses={goal: uses[goal] for goal in grammar.goals},
        unused=unused_goals(grammar, templates),
    )


def expand(home: Home, n: int | None = None, seed: int = 2024) -> Iterator[Template]:
    """Yield n distinct templates of the grammar, seeded; with None all of them, kind by kind.

    Raises:
        UserError: broken goals or grammar, or fewer than n templates.
    """
    grammar = load_grammar(home, load_goals(home))
    yield from enumerate_templates(grammar) if n is None else sample_templates(grammar, n, seed)
