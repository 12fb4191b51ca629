"""The figures in docs/explanation/templates.md are those the code counts."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from tasks.briefs.template_choice import make_choice
from tasks.goals import load_goals
from tasks.settings import Briefs, Home
from tasks.templates import load_templates
from tasks.templates.enumeration import count_templates
from tasks.templates.grammar import load_grammar


def test_the_table_and_the_tilt_are_the_counted_ones() -> None:
    page = (Home().project / "docs" / "explanation" / "templates.md").read_text(encoding="utf-8")
    grammar = load_grammar(Home(), load_goals(Home()))
    in_set = Counter(
        template.recommendations for template in load_templates(Home(), "curated").templates
    )
    in_grammar: Counter[int] = Counter()
    for cell, count in count_templates(grammar).items():
        in_grammar[cell.recommendations] += count
    rows = [
        f"| {many} | {fewest} to {most} | {in_set[many]} | {in_grammar[many]:,} |"
        for many, (fewest, most) in sorted(grammar.lengths.items())
    ]
    assert "\n".join(rows) in page
    said = re.search(r"it is (-[0-9.]+);", page)
    assert said and float(said[1]) == pytest.approx(
        make_choice(load_templates(Home()).templates, Briefs()).tilt, abs=5e-4
    )


def test_the_example_set_on_the_page_is_legal(own_home: Home) -> None:
    page = (Home().project / "docs" / "explanation" / "templates.md").read_text(encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert example
    (own_home.project / "goal_specs" / "templates" / "mine.yaml").write_text(
        example[1], encoding="utf-8"
    )
    assert [
        template.recommendations for template in load_templates(own_home, "mine").templates
    ] == [1]
