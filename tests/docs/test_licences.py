"""The page of licences lists every library that is pinned."""

from __future__ import annotations

import re

from tests.docs.licences import ELSEWHERE, PAGE, licence_of, locked


def test_every_pinned_library_is_listed_with_its_licence() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("| library |")[2]
    listed = dict(re.findall(r"(?m)^\| ([A-Za-z0-9._-]+) \| (.+) \|$", table))
    assert list(listed) == locked(), "run `make licences`"
    assert listed["duckdb"] == licence_of("duckdb")


def test_a_package_that_is_not_installed_is_named_as_such() -> None:
    assert licence_of("no-such-package-of-anybody") == ELSEWHERE
