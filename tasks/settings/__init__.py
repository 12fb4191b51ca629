"""Settings of a domain.

In: a domain's YAML file and the caller's options. Out: one frozen, validated `Domain`. Start with
`loading.load_domain`; `domain` and `sources` define the settings, `validation_errors` puts their
errors into one line, `paths` names the folders.
"""

from tasks.settings.domain import (
    Alert,
    Bias,
    Briefs,
    BudgetScope,
    Domain,
    Generate,
    Limits,
    Pages,
    Preprocess,
    Quality,
)
from tasks.settings.judge import Judge
from tasks.settings.loading import (
    ReadYaml,
    YamlFiles,
    load_domain,
    merge,
    parse_yaml,
    read_yaml,
)
from tasks.settings.models import MOCK_MODEL, CascadeModel, Misbehave
from tasks.settings.paths import DOMAIN_NAME, PROJECT, Home
from tasks.settings.sources import Columns, Endpoint, Source, Sources, plain_word
from tasks.settings.validation_errors import similar_names, validation_line

__all__ = [
    "DOMAIN_NAME",
    "MOCK_MODEL",
    "PROJECT",
    "Alert",
    "Bias",
    "Briefs",
    "BudgetScope",
    "CascadeModel",
    "Columns",
    "Domain",
    "Endpoint",
    "Generate",
    "Home",
    "Judge",
    "Limits",
    "Misbehave",
    "Pages",
    "Preprocess",
    "Quality",
    "ReadYaml",
    "Source",
    "Sources",
    "YamlFiles",
    "similar_names",
    "load_domain",
    "merge",
    "parse_yaml",
    "plain_word",
    "read_yaml",
    "validation_line",
]
