"""What the gate's tests share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.settings import Domain, Home

MakeDomain = Callable[..., Domain]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """The project's suites, a data folder of the test's own."""
    return Home(data=tmp_path)


@pytest.fixture(scope="session")
def domain() -> MakeDomain:
    """Return a maker of domains by suites and severities."""

    def make(*suites: str, name: str = "test", **severities: str) -> Domain:
        named = {rule.replace("_", "-"): severity for rule, severity in severities.items()}
        return Domain.model_validate(
            {
                "name": name,
                "sources": {"format": "amazon_2014", "reviews": ["none"]},
                "quality": {"suites": suites or ("paper", "grounded"), "severities": named},
            }
        )

    return make
