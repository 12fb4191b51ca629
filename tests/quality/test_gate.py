"""From answers to facts, rejections, verdicts: counted by hand, and over random faults."""

from __future__ import annotations

import itertools
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tasks.dialogues import parse_transcripts
from tasks.quality import GateError, JudgeCounts, VerdictCounts, judge, set_verdicts
from tasks.quality.great_expectations import with_rows
from tasks.settings import Domain, Home
from tests.support import conversations as made
from tests.support import defects
from tests.support.rules import rules_of

MakeDomain = Callable[..., Domain]
CATALOGUE = made.titles(80)
ONE, TWO, THREE = (made.conversation(number, CATALOGUE) for number in range(3))


def test_facts_counted_by_hand(home: Home, domain: MakeDomain) -> None:
    turns = list(TWO.turns)
    turns[1] = ("agent", "[USER_HIS_LIKES] " + " ".join(["a word"] * 35))
    # Names 1 (allowed), 3 (target, early), not 2 (due).
    turns[3] = (
        "agent",
        "Maybe {{item:1}} or {{item:3}}; write to a@b.org, \ufffd.",
    )
    turns[4] = ("agent", "")
    turns[6] = (
        "user",
        f"{' '.join(TWO.reviews[1, 'user'].split()[3:14])}. My goal here is lead the conversation "
        f"to {{{{item:2}}}}.",
    )
    con = made.warehouse([TWO], CATALOGUE)
    made.answer(con, [(TWO.dialogue_id, TWO.with_turns(turns[:9]).grounded())], "grounded")
    parse_transcripts(con, domain(), 1)
    judge(con, rules_of(home, domain()), domain(), 1)
    row = con.sql("FROM dialogue_facts").pl().row(0, named=True)
    facts = {name: value for name, value in row.items() if name not in ("dialogue_id", "attempt")}
    assert facts == {
        "complete": True, "utterances": 9, "length_difference": -1, "garbled": 1,
        "template_left": 1, "longest_words": 71, "empty_turns": 1,
        "role_errors": 1, "missing_items": 1, "foreign_items": 1, "unknown_titles": 0,
        "early_targets": 1, "sentiment_errors": 0,
        "decision_errors": 1, "copied_words": 11, "wording_leaks": 1, "personal_data": 1,
        "foreign_turns": 0, "near_duplicates": 0, "near_copied_words": 0, "unsupported_names": 0,
        "unsupported_facts": 0, "unsupported_details": 0, "other_works": 0, "chatbot_habits": 0,
        "wrong_speakers": 0, "goals_missed": 1, "target_hints": 3, "self_contradictions": 0,
        "judged": 0, "judge_unread": 0, "judge_contradicted": 0, "judge_not_told": 0,
        "judge_opinion": 0, "judge_decision": 0, "judge_goals": 0, "judge_speech": 0,
        "judge_gives_away": 0, "judge_self_contradiction": 0,
        "target_nearness": 0, "target_allusion": 3, "far_claims": 0,
    }  # fmt: skip
    broken = con.execute(
        "SELECT rule, turn, evidence FROM rejections ORDER BY rule, turn"
    ).fetchall()
    title = {item.slot: item.title for item in TWO.items}
    assert [(rule, turn) for rule, turn, _ in broken] == [
        ("decision-fits", 5), ("goals-carried-out", 2), ("items-named", 4), ("no-copied-review", 7), ("no-empty-turns", 5),
        ("no-goal-wording", 7),
        ("no-other-items", 7), ("no-personal-data", 4), ("readable", 4), ("roles-alternate", 5),
        ("slots-filled", 2), ("target-in-time", 4),
        ("template-length", 0), ("utterance-length", 2),
    ]  # fmt: skip
    told = {rule: evidence for rule, _, evidence in broken}
    assert (
        told["no-personal-data"] == "a@b.org"
        and told["readable"] == "\ufffd"
        and told["slots-filled"] == "[USER_HIS_LIKES]"
    )
    assert (
        told["no-other-items"] == f"names {title[2]}"
        and told["target-in-time"] == f"names {title[3]}"
    )
    assert told["items-named"].startswith(f"does not name {title[2]}: Maybe")
    assert told["no-copied-review"].rstrip(".") == " ".join(
        TWO.reviews[1, "user"].split()[3:14]
    ).rstrip(".")
    assert told["template-length"] == "9 utterances where the template has 10"
    assert (
        told["utterance-length"].startswith("71 words: [USER")
        and len(told["utterance-length"]) == 200
    )


def test_a_title_in_place_of_a_placeholder_counts_as_one_word(
    home: Home, domain: MakeDomain
) -> None:
    talks = {}
    for talk, words in ((ONE, 60), (TWO, 61)):
        spoken = list(talk.turns)
        spoken[0] = (spoken[0][0], " ".join(["{{item:1}}", *["well"] * (words - 1)]))
        talks[talk.dialogue_id] = talk.with_turns(spoken).grounded()
        assert " " in talk.items[0].title
    con = made.warehouse([ONE, TWO], CATALOGUE)
    made.answer(con, list(talks.items()), "grounded")
    parse_transcripts(con, domain(), 1)
    judge(con, rules_of(home, domain()), domain(), 1)
    facts = con.execute("SELECT dialogue_id, longest_words FROM dialogue_facts").fetchall()
    assert dict(facts) == {ONE.dialogue_id: 60, TWO.dialogue_id: 61}
    too_long = "SELECT dialogue_id, evidence[:9] FROM rejections WHERE rule = 'utterance-length'"
    assert con.execute(too_long).fetchall() == [(TWO.dialogue_id, "61 words:")]


def test_judging_again_changes_nothing(home: Home, domain: MakeDomain) -> None:
    con = made.warehouse([ONE, TWO, THREE], CATALOGUE)
    made.answer(
        con,
        [(ONE.dialogue_id, ONE.grounded()), (TWO.dialogue_id, TWO.grounded()[:-60])],
        "grounded",
    )
    parse_transcripts(con, domain(), 1)
    first = judge(con, rules_of(home, domain()), domain(), 1)
    tables = [
        con.execute(f"FROM {table} ORDER BY ALL").fetchall()
        for table in ("dialogue_facts", "utterance_facts", "rejections")
    ]
    assert judge(con, rules_of(home, domain()), domain(), 1) == first
    assert (first.judged, first.rejected) == (2, 1)
    assert [
        con.execute(f"FROM {table} ORDER BY ALL").fetchall()
        for table in ("dialogue_facts", "utterance_facts", "rejections")
    ] == tables
    assert set_verdicts(con) == VerdictCounts(3, 1, 1, 0, 1)


def test_nothing_to_judge_is_no_fault(home: Home, domain: MakeDomain) -> None:
    con = made.warehouse([ONE], CATALOGUE)
    assert judge(con, rules_of(home, domain()), domain(), 1) == JudgeCounts(0, 0, 0)
    assert set_verdicts(con) == VerdictCounts(1, 0, 0, 0, 1)


def test_a_warning_is_written_down_and_rejects_nothing(home: Home, domain: MakeDomain) -> None:
    con = made.warehouse([ONE], CATALOGUE)
    made.answer(
        con,
        [
            (
                ONE.dialogue_id,
                ONE.with_turns([*ONE.turns[:-1], ("agent", "See www.x.org, will you?")]).grounded(),
            )
        ],
        "grounded",
    )
    lenient = domain(no_personal_data="warn")
    parse_transcripts(con, lenient, 1)
    counts = judge(con, rules_of(home, lenient), lenient, 1)
    assert (counts.rejected, counts.rejections) == (0, 1)
    assert con.execute("SELECT rule, severity, turn FROM rejections").fetchall() == [
        ("no-personal-data", "warn", 6)
    ]
    assert set_verdicts(con).accepted == 1
    assert judge(con, rules_of(home, domain()), domain(), 1).rejected == 1
    assert (
        judge(
            con, rules_of(home, domain(no_personal_data="off")), domain(no_personal_data="off"), 1
        ).rejections
        == 0
    )


def test_a_suite_of_ones_own_over_utterances_and_without_evidence(
    tmp_path: Path, domain: MakeDomain
) -> None:
    shutil.copytree(Home().project / "expectations", tmp_path / "expectations")
    rules = [
        {"rule": "terse", "table": "utterance_facts",
        "expect": "expect_column_values_to_be_between",
         "kwargs": {"column": "words", "max_value": 12}},
        {"rule": "even", "table": "dialogue_facts", "expect": "expect_column_values_to_be_in_set",
         "kwargs": {"column": "utterances", "value_set": [8, 10]}},
        {"rule": "more-than", "table": "dialogue_facts",
        "expect": "expect_column_pair_values_a_to_be_greater_than_b",
         "kwargs": {"column_A": "utterances", "column_B": "longest_words"}, "severity": "warn"},
    ]  # fmt: skip
    content = {
        "suite": "mine",
        "about": "Mine.",
        "rules": [{"severity": "reject", "says": "So.", "source": "Me.", **rule} for rule in rules],
    }
    (tmp_path / "expectations" / "mine.yaml").write_text(yaml.safe_dump(content), encoding="utf-8")
    con = made.warehouse([ONE], CATALOGUE)
    made.answer(con, [(ONE.dialogue_id, ONE.grounded())], "grounded")
    parse_transcripts(con, domain(), 1)
    longest = max(len(text.split()) for _, text in ONE.turns)
    judge(con, rules_of(Home(project=tmp_path, data=tmp_path), domain("mine")), domain("mine"), 1)
    found = con.execute("SELECT rule, severity, turn FROM rejections ORDER BY rule").fetchall()
    assert longest > 12
    assert found == [("even", "reject", 0), ("more-than", "warn", 0), ("terse", "reject", 0)]
    assert con.execute("SELECT evidence FROM rejections WHERE rule = 'even'").fetchall() == [
        ("utterances = 6",)
    ]


def test_an_accepted_dialogue_is_not_said_again_at_a_later_attempt(
    home: Home, domain: MakeDomain
) -> None:
    four = made.conversation(3, CATALOGUE)  # of the same template as ONE
    con = made.warehouse([four, ONE], CATALOGUE)
    made.answer(
        con,
        [(ONE.dialogue_id, ONE.grounded()), (four.dialogue_id, four.grounded()[:50])],
        "grounded",
    )
    made.answer(
        con, [(four.dialogue_id, four.with_turns(ONE.turns).grounded())], "grounded", attempt=2
    )
    parse_transcripts(con, domain())
    assert judge(con, rules_of(home, domain()), domain(), 1).rejected == 1
    assert judge(con, rules_of(home, domain()), domain(), 2).rejected == 1
    assert con.execute(
        "SELECT rule, dialogue_id, evidence FROM rejections WHERE attempt = 2"
    ).fetchall() == [
        (
            "no-near-duplicate",
            four.dialogue_id,
            f"says nearly the same as dialogue {ONE.dialogue_id}",
        )
    ]


def test_a_null_among_the_facts_is_no_pass() -> None:
    frame = made.warehouse([], []).execute("SELECT 1 AS a, NULL::INTEGER AS b").df()
    with pytest.raises(GateError, match="'b' is NULL in 1 rows"):
        with_rows(frame)


def test_verdicts_wait_until_everything_answered_is_judged(home: Home, domain: MakeDomain) -> None:
    con = made.warehouse([ONE], CATALOGUE)
    made.answer(con, [(ONE.dialogue_id, ONE.grounded())], "grounded")
    with pytest.raises(GateError, match="1 answered attempts have not been judged"):
        set_verdicts(con)


KINDS = ("good", "spoiled", "failed", "unasked")
# Rules that a planted defect breaks and that reject nothing here.
WARNINGS = {"details-supported", "target-not-hinted", "target-not-alluded-to"}


@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from(KINDS), st.sampled_from(KINDS), st.sampled_from(KINDS)),
        min_size=1,
        max_size=25,
    ),
    st.integers(0, 99),
)
@example([("spoiled", "unasked", "good")], 59)  # an empty turn: there is nothing to show of it
def test_every_brief_ends_as_exactly_one_verdict(
    home: Home, domain: MakeDomain, fates: list[tuple[str, str, str]], seed: int
) -> None:
    """Random faults over up to three attempts; an unasked or a good one ends a brief's attempts."""
    rng = random.Random(seed)
    fatal = [one for one in defects.DEFECTS if one.cut == 1 and one.rule not in WARNINGS]
    some = [made.conversation(number, CATALOGUE, seed) for number in range(len(fates))]
    con = made.warehouse(some, CATALOGUE)
    expected: Counter[str] = Counter()
    for one, fate in zip(some, fates, strict=True):
        tried = list(itertools.takewhile(lambda kind: kind != "unasked", fate))
        tried = tried[: tried.index("good") + 1] if "good" in tried else tried
        for attempt, kind in enumerate(tried, 1):
            defect = rng.choice(fatal)
            text = (
                one.grounded()
                if kind == "good"
                else defects.spoil(one, defect, "grounded", rng) or "{}"
            )
            made.answer(
                con,
                [(one.dialogue_id, text)],
                "grounded",
                attempt,
                defect.finish_reason if kind == "spoiled" else "stop",
            )
            if kind == "failed":
                con.execute(
                    "UPDATE transcripts SET status = 'failed', text = NULL WHERE dialogue_id = ? "
                    "AND attempt = ?",
                    [one.dialogue_id, attempt],
                )
        expected[_verdict(tried)] += 1
    # Few phrases make many alike, and words that only one review has rare.
    strict = domain(no_near_duplicate="off", target_not_alluded_to="off")
    parse_transcripts(con, strict)
    for attempt in (1, 2, 3):
        judge(con, rules_of(home, strict), strict, attempt)
    counts = set_verdicts(con)
    assert (
        counts.accepted + counts.rejected + counts.failed + counts.unasked
        == counts.briefs
        == len(fates)
    )
    assert counts == VerdictCounts(
        len(fates),
        *(expected[verdict] for verdict in ("accepted", "rejected", "failed", "unasked")),
    )
    rejected = con.execute(
        "SELECT count(*) FROM verdicts v WHERE verdict = 'rejected' AND NOT EXISTS "
        "(FROM rejections r WHERE r.dialogue_id = v.dialogue_id AND r.attempt = v.attempt AND "
        "r.severity = 'reject' AND r.evidence <> '')"
    ).fetchall()
    assert rejected == [(0,)], "a rejection without rule and evidence"
    con.close()


def _verdict(tried: list[str]) -> str:
    if "good" in tried:
        return "accepted"
    if "spoiled" in tried:
        return "rejected"
    return "failed" if tried else "unasked"
