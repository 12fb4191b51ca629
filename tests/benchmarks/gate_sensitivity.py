"""What the gate sees of defects as models make them, by kind.

    python -m tests.benchmarks.gate_sensitivity [--profiles grounded paper] [--split test]
    python -m tests.benchmarks.gate_sensitivity --recorded

Builds the demo, spoils one turn of every second accepted dialogue in each of the ways of
tests/support/model_defects.py, and judges them by the rules of the two suites. "named" are those
that a rule for their kind rejects in the spoilt turn, "rejected" those that any rule rejects.
Intervals are Wilson's, at 95 %. The last row are the retellings of tests/quality/corpora, of which
none should fall to a rule on what is said. Rules were chosen while looking at the split "train"; what they are
worth is shown by "test".

With `--recorded` the defects are those of tests/recorded, which a language model wrote; the last
row are its good dialogues.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import duckdb
import yaml

from flows.options import BuildOptions
from tasks.intervals import wilson
from tasks.quality import judge, load_lexicon
from tasks.quality.lexicon import Language
from tasks.quality.specifics import Finder, Support
from tasks.settings import Domain, Home, load_domain
from tasks.warehouse import create_table
from tasks.word_runs import longest_near_copy
from tests.support.model_defects import KINDS, SENTENCES, Split, read_talks, spoilt
from tests.support.plain_build import plain_briefs
from tests.support.recorded_answers import (
    NAMED_BY,
    SEED,
    is_named,
    matched,
    read_recorded,
    rejections,
)
from tests.support.rules import rules_of
from tests.support.two_profiles import build_variants

_ONLY_ACCEPTED = """
CREATE OR REPLACE TEMP TABLE kept AS
SELECT rows_.* REPLACE (1 AS attempt)
FROM {table} rows_
SEMI JOIN accepted USING (dialogue_id, attempt)
"""
_SPOIL = """
UPDATE utterances
SET text = spoilt.text, words = len(string_split(spoilt.text, ' '))
FROM spoilt
WHERE utterances.dialogue_id = spoilt.dialogue_id AND utterances.turn = spoilt.turn
"""


def accepted_only(con: duckdb.DuckDBPyConnection) -> None:
    """Keep the accepted dialogues of a warehouse, as their first attempt, unjudged."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE accepted AS "
        "SELECT dialogue_id, attempt FROM verdicts WHERE verdict = 'accepted'"
    )
    for table in ("dialogues", "utterances"):
        con.execute(_ONLY_ACCEPTED.format(table=table))
        con.execute(f"DELETE FROM {table}")
        con.execute(f"INSERT INTO {table} SELECT * FROM kept")
    for table in ("dialogue_facts", "utterance_facts", "rejections"):
        create_table(con, table, replace=True)


def rejected(
    con: duckdb.DuckDBPyConnection, turns: Mapping[str, tuple[int, str]]
) -> dict[str, set[tuple[str, int]]]:
    """Judge dialogues with a turn replaced; return what rejects each: (rule, turn).

    The warehouse is as it was before when this returns.
    """
    con.execute("BEGIN")
    con.execute(
        "DELETE FROM dialogues WHERE dialogue_id NOT IN (SELECT unnest($ids))", {"ids": list(turns)}
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE spoilt (dialogue_id VARCHAR, turn INTEGER, text VARCHAR)"
    )
    con.executemany(
        "INSERT INTO spoilt VALUES (?, ?, ?)", [(key, *turn) for key, turn in turns.items()]
    )
    con.execute(_SPOIL)
    domain = Domain.model_validate(
        {"name": "spoilt", "sources": {"format": "amazon_2014", "reviews": ["none"]}}
    )
    judge(con, rules_of(Home(), domain), domain, 1)
    found: dict[str, set[tuple[str, int]]] = {dialogue_id: set() for dialogue_id in turns}
    rows = con.execute("SELECT dialogue_id, rule, turn FROM rejections WHERE severity = 'reject'")
    for dialogue_id, rule, turn in rows.fetchall():
        found[dialogue_id].add((rule, turn))
    con.execute("ROLLBACK")
    return found


def sensitivity(con: duckdb.DuckDBPyConnection, kind: str, split: Split) -> tuple[int, int, int]:
    """Return how many dialogues were spoilt, how many of them named, and how many rejected."""
    turns = spoilt(read_talks(con), kind, split)
    fell = rejected(con, turns)
    rules = KINDS[kind][1]
    named = [
        key for key, found in fell.items() if any((rule, turns[key][0]) in found for rule in rules)
    ]
    return len(turns), len(named), sum(map(bool, fell.values()))


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--profiles", nargs="+", default=["grounded", "paper"])
    arguments.add_argument("--split", choices=["train", "test"], default="test")
    arguments.add_argument("--recorded", action="store_true")
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.recorded:
            _print_recorded(Home.find(Path(folder)), given.profiles)
            return
        home = build_variants(
            Path(folder), 10_000, **{name: {"profile": name} for name in given.profiles}
        )
        _print(home, given.profiles, given.split, Path(folder))


def _print(home: Home, profiles: list[str], split: Split, folder: Path) -> None:
    opened = []
    for profile in profiles:
        path = folder / f"{profile}.duckdb"
        shutil.copy(home.warehouse(profile), path)
        con = duckdb.connect(str(path))
        accepted_only(con)
        opened.append(con)
    print(f"{'kind':34} {'spoilt':>6}  {'named':>20}  {'rejected':>20}")
    for kind in KINDS:
        counts = [sensitivity(con, kind, split) for con in opened]
        spoilt_ones, named, fell = (sum(column) for column in zip(*counts, strict=True))
        print(
            f"{kind:34} {spoilt_ones:6}  {_shown(named, spoilt_ones):>20}  {_shown(fell, spoilt_ones):>20}",
            flush=True,
        )
    told, fell = retellings_that_fall()
    print(f"{'good retellings of a review':34} {told:6}  {'':>20}  {_shown(fell, told):>20}")


def _print_recorded(home: Home, profiles: list[str]) -> None:
    plain_briefs(home, "demo", BuildOptions(seed=SEED))
    domain = load_domain(home, "demo")
    judged: dict[str, list[tuple[bool, bool]]] = {kind: [] for kind in NAMED_BY}
    judged |= {"all": [], "good": []}
    with duckdb.connect(str(home.warehouse("demo"))) as con:
        for name in ("defective", "good"):
            read = [one for one in read_recorded(name) if one.profile in profiles]
            answers = matched(con, read)
            fell = rejections(con, home, domain, answers)
            for key, one in answers.items():
                found = (bool(one.kind) and is_named(one, fell[key]), bool(fell[key]))
                for row in (one.kind, "all") if one.kind else ("good",):
                    judged[row].append(found)
    print(f"{'kind':8} {'n':>4}  {'named':>22}  {'rejected':>22}")
    for kind, rows in judged.items():
        named, lost = (_shown(sum(column), len(rows)) for column in zip(*rows, strict=True))
        print(f"{kind:8} {len(rows):4}  {'' if kind == 'good' else named:>22}  {lost:>22}")


def retellings_that_fall() -> tuple[int, int]:
    """Return how many good retellings there are, and how many of them a rule rejects."""
    lexicon = load_lexicon(Home())
    language = lexicon.languages.get("en", Language())
    pairs = yaml.safe_load(SENTENCES.with_name("retellings.yaml").read_text("utf-8"))
    told = [(text, pair["review"]) for pair in pairs for text in pair["told"]]
    finder, least = Finder(language), lexicon.near_copied_from
    fell = 0
    for text, review in told:
        copy = longest_near_copy(text, [review], language.plain_words, least)
        found = finder.find(text, "agent", Support([review]))
        fell += bool(copy.words) or any(one.kind != "detail" for one in found)
    return len(told), fell


def _shown(count: int, total: int) -> str:
    share = wilson(count, total)
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


if __name__ == "__main__":
    main()
