"""What the accepted dialogues look like: lengths, goals, sequences of goals, templates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb

from tasks.goals import Goals
from tasks.verdicts import ACCEPTED
from tasks.warehouse import Rows, rows

MOST_SEQUENCES = 12

_WORDS = f"""
WITH {ACCEPTED}
SELECT role, words, count(*) AS utterances
FROM utterances SEMI JOIN accepted USING (dialogue_id, attempt)
GROUP BY role, words ORDER BY role, words
"""
_WORD_SPREAD = f"""
WITH {ACCEPTED}
SELECT role, count(*) AS utterances, avg(words) AS mean, median(words) AS median,
       quantile_cont(words, 0.95) AS long, max(words) AS longest
FROM utterances SEMI JOIN accepted USING (dialogue_id, attempt)
GROUP BY role ORDER BY role DESC
"""
_LENGTHS = f"""
WITH {ACCEPTED},
said AS (
    SELECT dialogue_id, utterances FROM dialogues SEMI JOIN accepted USING (dialogue_id, attempt)
)
SELECT utterances, sum(planned)::BIGINT AS planned, sum(accepted)::BIGINT AS accepted FROM (
    SELECT turns AS utterances, count(*) AS planned, 0 AS accepted FROM briefs GROUP BY turns
    UNION ALL SELECT utterances, 0, count(*) FROM said GROUP BY utterances
) GROUP BY utterances ORDER BY utterances
"""
_GOALS = f"""
WITH {ACCEPTED},
said AS (
    SELECT turn, unnest(goals) AS goal
    FROM utterances SEMI JOIN accepted USING (dialogue_id, attempt)
)
SELECT turn, goal, count(*) AS times FROM said GROUP BY turn, goal ORDER BY turn, goal
"""
_TEMPLATES = f"""
WITH {ACCEPTED},
planned AS (
    SELECT template_id, count(*) AS briefs, count(a.dialogue_id) AS accepted
    FROM briefs LEFT JOIN accepted a USING (dialogue_id) GROUP BY template_id
),
known AS (
    SELECT template_id, any_value(recommendations) AS recommendations, count(*) AS turns
    FROM template_turns GROUP BY template_id
)
"""
_COVERAGE = f"""{_TEMPLATES}
SELECT k.recommendations, count(*) AS templates, count(p.briefs) AS planned,
       count(*) FILTER (p.accepted > 0) AS accepted,
       coalesce(sum(p.briefs), 0)::BIGINT AS briefs,
       coalesce(sum(p.accepted), 0)::BIGINT AS dialogues,
       min(k.turns) AS shortest, max(k.turns) AS longest
FROM known k LEFT JOIN planned p USING (template_id) GROUP BY k.recommendations
ORDER BY k.recommendations
"""
_USES = f"""{_TEMPLATES}
SELECT coalesce(p.accepted, 0) AS dialogues
FROM known LEFT JOIN planned p USING (template_id) ORDER BY 1 DESC
"""
_SEQUENCES = f"""
WITH {ACCEPTED},
used AS (
    SELECT template_id, count(*) AS dialogues
    FROM briefs SEMI JOIN accepted USING (dialogue_id) GROUP BY template_id
)
SELECT template_id, any_value(u.dialogues) AS dialogues, list(role ORDER BY turn) AS roles,
       list(goals ORDER BY turn) AS goals
FROM template_turns JOIN used u USING (template_id) GROUP BY template_id
"""


@dataclass(frozen=True)
class Lengths:
    """Words per utterance by role, and utterances per dialogue planned and accepted."""

    words: Rows
    spread: Rows
    utterances: Rows


@dataclass(frozen=True)
class GoalUse:
    """How goals are used.

    Attributes:
        turns: the turns of the longest dialogue, from 1.
        grid: primary goal -> its share of the goals said in each turn (percent).
        sub_goals: one row a sub-goal: goal, primary, times, percent of all.
        sequences: the most frequent sequences of primary goals: steps, dialogues, percent.
        distinct: how many different sequences there are.
        coverage: percent of dialogues that the 1, 2, 3 ... most frequent sequences cover.
    """

    turns: list[int]
    grid: dict[str, list[float]]
    sub_goals: Rows
    sequences: Rows
    distinct: int
    coverage: list[float]


@dataclass(frozen=True)
class Templates:
    """How much of the template set was used.

    Attributes:
        by_recommendations: a row for each number of recommendations.
        uses: accepted dialogues of each template, most first.
    """

    by_recommendations: Rows
    uses: list[int]


def lengths(con: duckdb.DuckDBPyConnection) -> Lengths:
    """Return the lengths of utterances (words) and of dialogues (utterances)."""
    return Lengths(rows(con, _WORDS), rows(con, _WORD_SPREAD), rows(con, _LENGTHS))


def goal_use(con: duckdb.DuckDBPyConnection, goals: Goals) -> GoalUse:
    """Return how the goals of accepted dialogues are spread over turns, and their sequences."""
    primary = {goal.id: goals.primary_goals[goal.primary] for goal in goals.sub_goals}
    counted = rows(con, _GOALS)
    turns = list(range(1, max((row["turn"] for row in counted), default=0) + 1))
    grid = {name: [0] * len(turns) for name in goals.primary_goals.values()}
    times: Counter[str] = Counter()
    for row in counted:
        times[row["goal"]] += row["times"]
        name = primary.get(row["goal"])
        if name and row["turn"] >= 1:
            grid[name][row["turn"] - 1] += row["times"]
    whole = [sum(column) or 1 for column in zip(*grid.values(), strict=True)]
    shares = {
        name: [100.0 * count / total for count, total in zip(counts, whole, strict=True)]
        for name, counts in grid.items()
    }
    total = times.total() or 1
    used = sorted({*times, *primary}, key=lambda goal: (-times[goal], goal))
    sub_goals = [
        {
            "goal": goal,
            "primary": primary.get(goal, ""),
            "times": times[goal],
            "percent": 100.0 * times[goal] / total,
        }
        for goal in used
    ]
    return GoalUse(turns, shares, sub_goals, *_sequences(con, primary))


def _sequences(
    con: duckdb.DuckDBPyConnection, primary: Mapping[str, str]
) -> tuple[Rows, int, list[float]]:
    """Return the most frequent sequences of primary goals, their number, and what they cover."""
    counted: Counter[tuple[tuple[str, str], ...]] = Counter()
    for row in rows(con, _SEQUENCES):
        steps = [_step(goals, primary) for goals in row["goals"]]
        counted[tuple(zip(row["roles"], steps, strict=True))] += row["dialogues"]
    total = counted.total() or 1
    ordered = sorted(counted.items(), key=lambda entry: (-entry[1], entry[0]))
    coverage: list[float] = []
    reached = 0
    for _, count in ordered:
        reached += count
        coverage.append(100.0 * reached / total)
    sequences: Rows = []
    for sequence, count in ordered[:MOST_SEQUENCES]:
        shown = [{"role": role, "goals": step} for role, step in sequence]
        sequences.append({"steps": shown, "dialogues": count, "percent": 100.0 * count / total})
    return sequences, len(ordered), coverage


def _step(goals: Sequence[str], primary: Mapping[str, str]) -> str:
    """Return the primary goals of one utterance, each once, as one text."""
    return " + ".join(dict.fromkeys(primary.get(goal, goal) for goal in goals))


def templates(con: duckdb.DuckDBPyConnection) -> Templates:
    """Return how much of the template set briefs and accepted dialogues use."""
    return Templates(rows(con, _COVERAGE), [row["dialogues"] for row in rows(con, _USES)])
