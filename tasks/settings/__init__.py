"""Settings: a domain's YAML file and the caller's options become one frozen, validated configuration."""

from tasks.settings.home import Home
from tasks.settings.loading import load_domain
from tasks.settings.models import (
    Bias,
    Briefs,
    BudgetScope,
    Domain,
    Generate,
    Limits,
    Misbehave,
    Preprocess,
    Quality,
)
from tasks.settings.sources import Columns, Endpoint, Source, Sources

__all__ = [
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
    "Preprocess",
    "Quality",
    "Source",
    "Sources",
    "load_domain",
]
