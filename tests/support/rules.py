"""The rules of a domain, read as a build reads them."""

from __future__ import annotations

from tasks.quality import (
    Rules,
    check_alert_rules,
    check_language,
    fit_suites,
    load_causes,
    load_lexicon,
    load_suites,
)
from tasks.settings import Domain, Home


def rules_of(home: Home, domain: Domain) -> Rules:
    """Return what a domain's dialogues are judged by. Raises UserError."""
    suites = load_suites(home, domain.quality.suites, domain.quality.severities)
    lexicon = load_lexicon(home)
    check_alert_rules(suites, domain.quality, domain.alert)
    check_language(suites, domain.language)
    return Rules(fit_suites(suites, lexicon, domain.language), lexicon, load_causes(home))
