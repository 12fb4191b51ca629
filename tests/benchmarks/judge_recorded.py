"""What rules, a judge whose verdicts are recorded, and both together see of recorded dialogues.

    python -m tests.benchmarks.judge_recorded ANSWERS.jsonl ... --verdicts VERDICTS.jsonl

ANSWERS.jsonl has dialogues as in tests/recorded: those with a `kind` have one defect, the others
are good. Without files those of tests/recorded are read. Intervals are Wilson's, at 95 %.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from tasks.intervals import wilson
from tasks.judge import Unreadable
from tasks.quality import judge
from tasks.settings import Home
from tests.support.record_judge import found_by
from tests.support.recorded import (
    by_domain,
    judge_rollout,
    read_rows,
    recorded_warehouse,
    to_be_judged,
)
from tests.support.rules import rules_of

FOLDER = Path(__file__).parents[1] / "recorded"
_REJECTED = """
SELECT DISTINCT dialogue_id, attempt
FROM rejections
WHERE severity = 'reject'
"""
Seen = dict[str, list[tuple[bool, bool]]]
"""By kind, for each dialogue whether a rule rejects it and whether the judge does."""


def seen_in(answers: Path, verdicts: Mapping[str, str]) -> Seen:
    """Return what is seen of the dialogues of a file that have a verdict that can be read."""
    seen: Seen = defaultdict(list)
    for (name, seed), rows in by_domain(read_rows(answers)).items():
        with (
            tempfile.TemporaryDirectory() as place,
            recorded_warehouse(Path(place), name, seed, rows) as (con, domain, matched, _),
        ):
            for attempt in range(1, max(one.attempt for one in matched) + 1):
                judge(con, rules_of(Home(), domain), domain, attempt)
            fell = set(con.execute(_REJECTED).fetchall())
            dialogues = to_be_judged(con, domain, matched)
            for one, dialogue in zip(matched, dialogues, strict=True):
                try:
                    found = found_by(verdicts, dialogue, judge_rollout(domain, one.row["profile"]))
                except Unreadable:
                    continue
                if found is not None:
                    by_rule = (one.dialogue_id, one.attempt) in fell
                    seen[one.row.get("kind", "good")].append((by_rule, bool(found)))
    return seen


def _shown(count: int, total: int) -> str:
    share = wilson(count, total)
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    recorded = [FOLDER / "defective.jsonl", FOLDER / "good.jsonl"]
    arguments.add_argument("answers", nargs="*", type=Path, default=recorded)
    arguments.add_argument("--verdicts", type=Path, default=FOLDER / "verdicts.jsonl")
    given = arguments.parse_args()
    verdicts = {row["key"]: row["answer"] for row in read_rows(given.verdicts)}
    seen: Seen = defaultdict(list)
    for file in given.answers:
        for kind, pairs in seen_in(file, verdicts).items():
            seen[kind] += pairs
    defective = [pair for kind, pairs in seen.items() if kind != "good" for pair in pairs]
    good = seen.pop("good", [])
    rows = {
        **dict(sorted(seen.items(), key=lambda entry: int(entry[0][1:]))),
        "all defects": defective,
        "good": good,
    }
    print(f"{'kind':12} {'n':>4}  {'rules':>22}  {'judge':>22}  {'rules or judge':>22}")
    for kind, pairs in rows.items():
        if pairs:
            by_rules = _shown(sum(rule for rule, _ in pairs), len(pairs))
            by_judge = _shown(sum(judged for _, judged in pairs), len(pairs))
            both = _shown(sum(rule or judged for rule, judged in pairs), len(pairs))
            print(f"{kind:12} {len(pairs):4}  {by_rules:>22}  {by_judge:>22}  {both:>22}")


if __name__ == "__main__":
    main()
