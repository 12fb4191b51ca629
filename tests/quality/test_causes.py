"""Root causes: what one dropped turn causes follows from it; each rejected dialogue keeps one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.errors import UserError
from tasks.quality.causes import Cause, Finding, load_causes, root_causes
from tasks.settings import Home

CAUSES = load_causes(Home())
RULES = sorted({name for entry in CAUSES for name in (entry.cause, *entry.explains)})
FINDINGS = st.lists(
    st.builds(
        Finding,
        st.sampled_from([*RULES, "no-copied-review", "a-rule-of-somebody"]),
        st.sampled_from(["reject", "warn"]),
        st.integers(0, 12),
    ),
    max_size=15,
    unique=True,
)


def because(
    *findings: tuple[str, int], utterances: int = 8, difference: int = -1
) -> list[str | None]:
    """Return the causes of findings that all reject."""
    rejecting = [Finding(rule, "reject", turn) for rule, turn in findings]
    return root_causes(rejecting, CAUSES, utterances, difference)


def test_what_a_dropped_turn_moves_follows_from_it() -> None:
    found = because(
        ("template-length", 0),
        ("items-named", 2),
        ("roles-alternate", 4),
        ("decision-fits", 5),
        ("items-named", 6),
        ("no-copied-review", 6),
    )
    shifted = "template-length"
    assert found == [None, None, shifted, shifted, shifted, None]


def test_a_turn_missing_at_the_end_explains_only_what_is_due_there() -> None:
    assert because(("template-length", 0), ("items-named", 3), ("items-named", 8)) == [
        None,
        None,
        "template-length",
    ]


def test_two_turns_too_few_keep_the_speakers_and_may_move_everything() -> None:
    findings = (("template-length", 0), ("items-named", 3))
    assert because(*findings, difference=-2) == [None, "template-length"]


def test_a_chain_leads_to_its_root() -> None:
    findings = (("completely-generated", 7), ("template-length", 0), ("roles-alternate", 4))
    assert because(*findings) == [None, "completely-generated", "completely-generated"]


def test_findings_of_one_turn_follow_only_from_that_turn() -> None:
    findings = (("slots-filled", 3), ("items-named", 3), ("items-named", 5))
    assert because(*findings, difference=0) == [None, "slots-filled", None]


def test_a_warning_explains_no_rejection() -> None:
    warning, rejecting = Finding("slots-filled", "warn", 3), Finding("items-named", "reject", 3)
    assert root_causes([warning, rejecting], CAUSES, 8, 0) == [None, None]
    follower = Finding("items-named", "warn", 3)
    assert root_causes([warning, follower], CAUSES, 8, 0) == [None, "slots-filled"]


@given(FINDINGS, st.integers(0, 12), st.integers(-4, 4))
def test_every_cause_is_a_root_and_every_rejected_dialogue_has_one(
    findings: list[Finding], utterances: int, difference: int
) -> None:
    found = root_causes(findings, CAUSES, utterances, difference)
    roots = {finding.rule for finding, cause in zip(findings, found, strict=True) if cause is None}
    assert {cause for cause in found if cause is not None} <= roots
    rejecting = [place for place, finding in enumerate(findings) if finding.severity == "reject"]
    assert not rejecting or any(found[place] is None for place in rejecting)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("causes: [{cause: readable, turns: same, explains: [langauge], why: x}]", "langauge"),
        ("causes: [{cause: readable, turns: after, explains: [language], why: x}]", "shifted_by"),
        (
            "causes: [{cause: readable, turns: same, explains: [readable], why: x}]",
            "explain itself",
        ),
        (
            "causes: [{cause: readable, turns: same, explains: [language], why: x},"
            " {cause: language, turns: same, explains: [readable], why: x}]",
            "explain itself",
        ),
        ("causes: [{cause: readable, turns: often, explains: [language], why: x}]", "turns"),
        ("[]", "mapping"),
    ],
)
def test_a_broken_file_is_refused_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    folder = tmp_path / "expectations"
    folder.mkdir()
    for file in (Home().project / "expectations").glob("*.yaml"):
        (folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    (folder / "causes.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(UserError, match=message) as refused:
        load_causes(Home(project=tmp_path))
    assert "\n" not in str(refused.value)


def test_the_shipped_entries_say_why() -> None:
    assert all(isinstance(entry, Cause) and entry.why.endswith(".") for entry in CAUSES)
