"""The three-way comparison of a deployment: what a person changed on the server stays, what the file adds is added."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.server.deployment_merge import ABSENT, compare, hashes_of, merged

VALUES = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["", "a", "b"]), st.just(["a"]))
FIELDS = st.dictionaries(
    st.sampled_from(
        [
            *("description", "tag x", "tag y", "parameter domains", "parameter at_once"),
            *(f"schedule {name} {part}" for name in ("nightly", "of my own") for part in ("when", "active")),
        ]
    ),
    VALUES,
)


def after(before: dict[str, Any] | None, file: dict[str, Any], server: dict[str, Any]) -> dict[str, Any]:
    """Return what the server holds after a deployment; `before` is the file as last deployed, if it was."""
    return merged(server, compare(hashes_of(before) if before is not None else {}, file, server))


@pytest.mark.parametrize(
    ("before", "file", "server", "expected"),
    [
        ({"d": "a"}, {"d": "a"}, {"d": "a"}, {"d": "a"}),
        ({"d": "a"}, {"d": "b"}, {"d": "a"}, {"d": "b"}),  # the file changed
        ({"d": "a"}, {"d": "a"}, {"d": "mine"}, {"d": "mine"}),  # a person did
        ({"d": "a"}, {"d": "b"}, {"d": "mine"}, {"d": "mine"}),  # both did
        ({"d": "a"}, {"d": "b"}, {"d": "b"}, {"d": "b"}),  # both, to the same
        ({"d": "a"}, {}, {"d": "a"}, {}),  # the file leaves it out
        ({"d": "a"}, {}, {"d": "mine"}, {"d": "mine"}),
        ({"d": "a"}, {"d": "a"}, {}, {}),  # a person took it away
        ({}, {"d": "a"}, {}, {"d": "a"}),  # the file adds it
        ({}, {}, {"d": "mine"}, {"d": "mine"}),  # a person added it
        (None, {"d": "a"}, {"d": "mine"}, {"d": "mine"}),  # deployed before anything was remembered
        (None, {"d": "a", "e": "b"}, {"d": "a"}, {"d": "a", "e": "b"}),
        ({"d": None}, {"d": "a"}, {"d": None}, {"d": "a"}),  # null is a value
        ({"d": True}, {"d": True}, {"d": 1}, {"d": 1}),
    ],
)
def test_what_the_server_holds_afterwards(
    before: dict[str, Any] | None, file: dict[str, Any], server: dict[str, Any], expected: dict[str, Any]
) -> None:
    assert after(before, file, server) == expected


NIGHTLY = {"schedule nightly when": "0 3", "schedule nightly active": False}


def test_a_schedule_a_person_deleted_does_not_come_back_when_the_file_changes_it() -> None:
    changed = {**NIGHTLY, "schedule nightly when": "0 4", "schedule nightly parameters": {}}
    assert after(NIGHTLY, changed, {}) == {}


def test_a_schedule_that_left_the_file_stays_whole_if_a_person_changed_it() -> None:
    switched_on = {**NIGHTLY, "schedule nightly active": True}
    assert after(NIGHTLY, {}, switched_on) == switched_on
    assert after(NIGHTLY, {}, NIGHTLY) == {}


def test_a_schedule_that_is_there_gets_the_files_cron_and_stays_switched_on() -> None:
    later = {**NIGHTLY, "schedule nightly when": "0 4"}
    assert after(NIGHTLY, later, {**NIGHTLY, "schedule nightly active": True}) == {**later, "schedule nightly active": True}


@given(before=FIELDS, file=FIELDS)
def test_without_a_persons_changes_the_server_holds_what_the_file_says(before: dict[str, Any], file: dict[str, Any]) -> None:
    assert after(before, file, before) == file


@given(before=FIELDS, file=FIELDS, server=FIELDS)
def test_what_a_person_changed_stays(before: dict[str, Any], file: dict[str, Any], server: dict[str, Any]) -> None:
    held = after(before, file, server)
    for field in before:
        if hashes_of({field: server[field]} if field in server else {}) != hashes_of({field: before[field]}):
            assert held.get(field, ABSENT) == server.get(field, ABSENT)
    assert not server.keys() - before.keys() - held.keys()  # what a person added


@given(before=FIELDS, file=FIELDS, server=FIELDS)
def test_a_second_time_changes_nothing(before: dict[str, Any], file: dict[str, Any], server: dict[str, Any]) -> None:
    held = after(before, file, server)
    assert after(file, file, held) == held


def test_differences_are_told_as_a_person_writes_them() -> None:
    server = {"schedule nightly active": True, "parameter domains": ["a", "b"], "parameter at_once": 2}
    file = {"schedule nightly active": False, "parameter domains": ["demo"], "parameter at_once": 3, "description": "New"}
    before = {**file, "parameter at_once": 2}
    told = [each.line() for each in compare(hashes_of(before), file, server)]
    assert told == [
        "description: stays nothing, as set on the server; the file says New",
        "parameter at_once: 2 -> 3, as the file says now",
        "parameter domains: stays a, b, as set on the server; the file says demo",
        "schedule nightly active: stays on, as set on the server; the file says off",
    ]
