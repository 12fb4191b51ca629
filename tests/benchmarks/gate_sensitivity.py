"""What the gate sees of defects as models make them, by kind.

    python -m tests.benchmarks.gate_sensitivity [--profiles grounded paper] [--split test]
    python -m tests.benchmarks.gate_sensitivity --recorded

Builds the demo, spoils one turn of every second accepted dialogue in each of the ways of
tasks/calibration/planted.py, and judges them by the rules of the two suites. "named" are those
that a rule for their kind rejects in the spoilt turn, "rejected" those that any rule rejects.
Intervals are Wilson's, at 95 %. The last row are the retellings of tests/quality/corpora, of which
none should fall to a rule on what is said. Rules were chosen while looking at the split "train"; what they are
worth is shown by "test".

With `--recorded` the defects are those of tests/recorded, which a language model wrote; the last
row are its good dialogues.
"""

from __future__ import annotations

import argparse
import tempfile
from contextlib import ExitStack
from pathlib import Path

import duckdb
import yaml

from flows.options import BuildOptions
from tasks.calibration.gate_readings import copied_accepted, read_by_rules
from tasks.calibration.planted import KINDS, Split, spoilt
from tasks.calibration.talks import read_talks
from tasks.intervals import wilson
from tasks.languages import Language
from tasks.quality import load_lexicon
from tasks.quality.specifics import Finder, Support
from tasks.settings import Domain, Home, load_domain
from tasks.warehouse import read_warehouse
from tasks.word_runs import longest_near_copy
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

RETELLINGS = Path(__file__).parents[1] / "quality" / "corpora" / "retellings.yaml"
DOMAIN = Domain.model_validate(
    {"name": "spoilt", "sources": {"format": "amazon_2014", "reviews": ["none"]}}
)


def sensitivity(con: duckdb.DuckDBPyConnection, kind: str, split: Split) -> tuple[int, int, int]:
    """Return how many dialogues were spoilt, how many of them named, and how many rejected."""
    turns = spoilt(read_talks(con), kind, split)
    fell = read_by_rules(con, rules_of(Home(), DOMAIN), DOMAIN, turns)
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
        _print(home, given.profiles, given.split)


def _print(home: Home, profiles: list[str], split: Split) -> None:
    with ExitStack() as stack:
        opened = []
        for profile in profiles:
            con = stack.enter_context(read_warehouse(home.warehouse(profile)))
            opened.append(stack.enter_context(copied_accepted(con)))
        _print_kinds(opened, split)
    told, fell = retellings_that_fall()
    print(f"{'good retellings of a review':34} {told:6}  {'':>20}  {_shown(fell, told):>20}")


def _print_kinds(opened: list[duckdb.DuckDBPyConnection], split: Split) -> None:
    print(f"{'kind':34} {'spoilt':>6}  {'named':>20}  {'rejected':>20}")
    for kind in KINDS:
        counts = [sensitivity(con, kind, split) for con in opened]
        spoilt_ones, named, fell = (sum(column) for column in zip(*counts, strict=True))
        print(
            f"{kind:34} {spoilt_ones:6}  {_shown(named, spoilt_ones):>20}  {_shown(fell, spoilt_ones):>20}",
            flush=True,
        )


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
    pairs = yaml.safe_load(RETELLINGS.read_text("utf-8"))
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
