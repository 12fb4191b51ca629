"""Settings: a domain's YAML file and the caller's options become one frozen, validated configuration."""

from tasks.settings.complaints import alike_names, validation_line
from tasks.settings.home import DOMAIN_NAME, PROJECT, Home
from tasks.settings.loading import load_domain, merge, parse_yaml, read_yaml
from tasks.settings.models import (
    Bias,
    Briefs,
    BudgetScope,
    Domain,
    Generate,
    Limits,
    Misbehave,
    Pages,
    Preprocess,
    Quality,
)
from tasks.settings.sources import Columns, Endpoint, Source, Sources, plain_word

__all__ = [
    "DOMAIN_NAME",
    "PROJECT",
    "Bias",
    "Briefs",
    "BudgetScope",
    "Columns",
    "Domain",
    "Endpoint",
    "Generate",
    "Home",
    "Limits",
    "Misbehave",
    "Pages",
    "Preprocess",
    "Quality",
    "Source",
    "Sources",
    "alike_names",
    "load_domain",
    "merge",
    "parse_yaml",
    "plain_word",
    "read_yaml",
    "validation_line",
]
