"""Dialogue templates (2.4.2).

In: goal_specs/grammar.yaml and template sets in goal_specs/templates. Out: checked `Template`
values, counts and samples. Start with `files.load_templates`; `grammar` reads the rules, `legality`
applies them to one template, `enumeration` counts and samples all there are.
"""

from tasks.templates.assembly import build_template
from tasks.templates.checks import CheckReport, check_templates, expand, pattern, report
from tasks.templates.enumeration import Cell, count_templates, enumerate_templates, sample_templates
from tasks.templates.files import (
    SET_NAME,
    TemplateSet,
    load_templates,
    save_templates,
    template_file,
    template_set_names,
)
from tasks.templates.grammar import Grammar, load_grammar, parse_grammar
from tasks.templates.legality import legal
from tasks.templates.values import Collection, Role, Slot, Template, Turn

__all__ = [
    "SET_NAME",
    "Cell",
    "CheckReport",
    "Collection",
    "Grammar",
    "Role",
    "Slot",
    "Template",
    "TemplateSet",
    "Turn",
    "build_template",
    "check_templates",
    "count_templates",
    "enumerate_templates",
    "expand",
    "legal",
    "load_grammar",
    "load_templates",
    "parse_grammar",
    "pattern",
    "report",
    "sample_templates",
    "save_templates",
    "template_file",
    "template_set_names",
]
