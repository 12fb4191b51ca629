"""Do trained heads see D1 to D4 better than the word lists?

    python -m tests.benchmarks.trained_heads [--false-alarms 0.005]

Three logistic regressions read the sentence embeddings of `tasks.semantic` and what the word lists
count, and are trained from one seed on the training half alone: the demo's reviews with their
ratings (without those that tests/recorded retells), the sentences of the split "train", and every
second accepted dialogue of the demo in both profiles.

| head | says | trained on |
|---|---|---|
| opinion | whether a turn speaks for the item | sentences of reviews by their stars; greetings |
| decision | whether a turn accepts | turns that decide |
| retelling | whether a sentence tells what its nearest review sentence says | turns with a fact of another review |

A head speaks only where it is surer than of all but a share (`--false-alarms`) of the good turns of
the training half, scored by heads that did not see them. The tables show how many turns with a defect
the head and the word lists name, and how many good turns, with Wilson's intervals of 95 %: on the
split "test" and on tests/recorded. Nothing is stored: the project ships no head that does not win.
"""

from __future__ import annotations

import argparse
import re
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from flows.options import BuildOptions
from tasks.calibration.planted import SENTENCES, Split, Spoilt, spoilt
from tasks.calibration.talks import Talk, read_talks
from tasks.fingerprint import shipped_yaml, unit
from tasks.intervals import wilson
from tasks.languages import Language, words
from tasks.quality import load_lexicon
from tasks.quality.facts import opinion_facts
from tasks.semantic import encode
from tasks.settings import Home
from tasks.warehouse import read_warehouse
from tests.support.plain_build import plain_briefs
from tests.support.recorded_answers import SEED, matched, read_recorded, recorded_talks
from tests.support.two_profiles import build_variants

FOLDS: Final = 5
RIDGE: Final = 3.0  # of the sum of log losses, each class weighing as much as the other
_END: Final = re.compile(r"(?<=[.!?])\s+")
_LEAST_WORDS: Final = 3
_LIKING: Final = frozenset({"greeting_likes"})
_DISLIKING: Final = frozenset({"greeting_dislikes", "dislikes_review"})
_ACCEPTING: Final = frozenset({"accept_with_reason", "accept_without_reason", "accept_gratitude"})
_REJECTING: Final = frozenset({"reject_with_reason", "reject_without_reason"})
_TELLING: Final = frozenset(load_lexicon(Home()).goals.tells)

Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Turn:
    """A turn that a head judges.

    Attributes:
        owner: what must not stand on both sides of a fold.
        bare: the text without titles.
        says: what it is to say: for the item, or accepting; of a retelling always True.
        is_spoilt: it has a defect of the head's kind.
        reviews: texts of which a retelling must tell; empty for the other heads.
    """

    owner: str
    bare: str
    says: bool
    is_spoilt: bool = False
    reviews: tuple[str, ...] = ()


@dataclass(frozen=True)
class Head:
    """A logistic regression.

    Attributes:
        weights: one for each feature, and the constant.
        limit: log odds against what a turn is to say, from which it counts as wrong.
    """

    weights: Numbers
    limit: float


def fitted(features: Numbers, yes: Flags) -> Numbers:
    """Return the weights of a ridge-penalised logistic regression, by Newton's method."""
    inputs = np.c_[features, np.ones(len(features))]
    share = yes.mean()
    weight = np.where(yes, 0.5 / share, 0.5 / (1 - share))
    penalty = RIDGE * np.eye(inputs.shape[1])
    penalty[-1, -1] = 1e-6
    found = np.zeros(inputs.shape[1])
    for _ in range(12):
        chance = 1 / (1 + np.exp(-np.clip(inputs @ found, -30, 30)))
        slope = inputs.T @ (weight * (chance - yes)) + penalty @ found
        curve = (inputs * (weight * chance * (1 - chance))[:, None]).T @ inputs + penalty
        found = found - np.linalg.solve(curve, slope)
    return found


def scores(weights: Numbers, features: Numbers) -> Numbers:
    """Return the log odds that turns say yes."""
    logits: Numbers = features @ weights[:-1] + weights[-1]
    return logits


def trained(features: Numbers, turns: Sequence[Turn], known: Flags, false_alarms: float) -> Head:
    """Train a head; its limit comes from good dialogue turns that each fold has not seen.

    Args:
        features: of the turns.
        turns: examples; those with an owner of "" are no turns of a dialogue and set no limit.
        known: what each really says.
        false_alarms: share of the good turns that the limit lets fall.
    """
    fold = np.array([int(FOLDS * unit(1, "fold", turn.owner or turn.bare)) for turn in turns])
    out = np.zeros(len(turns))
    for number in range(FOLDS):
        seen = fold != number
        out[~seen] = scores(fitted(features[seen], known[seen]), features[~seen])
    good = np.array([bool(turn.owner) and not turn.is_spoilt for turn in turns])
    against = np.where([turn.says for turn in turns], -out, out)[good]
    return Head(fitted(features, known), float(np.quantile(against, 1 - false_alarms)))


def wrong(head: Head, features: Numbers, turns: Sequence[Turn]) -> Flags:
    """Return which turns a head takes for wrong."""
    logits = scores(head.weights, features)
    flags: Flags = np.where([turn.says for turn in turns], -logits, logits) > head.limit
    return flags


def lexical(bare: Sequence[str], language: Language) -> Numbers:
    """Return what the word lists count in texts, at most 3 each."""
    kinds = ("clear_praise", "praise", "clear_blame", "blame", "accepts", "rejects", "negation")
    texts = pl.Series(bare, dtype=pl.String)
    counted = [texts.str.count_matches(words(getattr(language, kind))) for kind in kinds]
    return np.stack([one.to_numpy().clip(0, 3) / 3 for one in counted], axis=1).astype(np.float64)


def spoken_features(turns: Sequence[Turn], language: Language) -> Numbers:
    """Return embedding and lexical counts of each turn's text."""
    bare = [turn.bare for turn in turns]
    return np.c_[encode(bare).astype(np.float64), lexical(bare, language)]


def retold_features(turns: Sequence[Turn], language: Language) -> Numbers:
    """Return how the last sentence of each turn differs from the nearest sentence of its reviews."""
    said = [_END.split(turn.bare)[-1] for turn in turns]
    sources = [[part for text in turn.reviews for part in _END.split(text)] for turn in turns]
    distinct = list(dict.fromkeys(part for parts in sources for part in parts))
    place = {text: row for row, text in enumerate(distinct)}
    held, own = encode(distinct).astype(np.float64), encode(said).astype(np.float64)
    rows = []
    for vector, parts in zip(own, sources, strict=True):
        near = held[[place[part] for part in parts]]
        cosines = near @ vector
        nearest = near[int(cosines.argmax())]
        rows.append(np.r_[np.abs(vector - nearest), vector * nearest, cosines.max()])
    return np.array(rows)


def bare_text(talk: Talk, text: str) -> str:
    """Return a text without the titles of its brief."""
    for title, _ in sorted(talk.items, key=lambda item: -len(item[0])):
        text = text.replace(title, "~")
    return text


def opinions(talk: Talk, changed: Spoilt | None = None) -> list[Turn]:
    """Return the turns that open with or complain of an item, or the spoilt one alone."""
    return _turns(talk, changed, _LIKING, _DISLIKING)


def decisions(talk: Talk, changed: Spoilt | None = None) -> list[Turn]:
    """Return the turns that decide, or the spoilt one alone."""
    return _turns(talk, changed, _ACCEPTING, _REJECTING)


def _turns(
    talk: Talk, changed: Spoilt | None, yes: frozenset[str], no: frozenset[str]
) -> list[Turn]:
    found = []
    for turn, (_, text, goals) in enumerate(talk.turns, 1):
        if yes & set(goals) or no & set(goals):
            is_spoilt = changed is not None and changed[0] == turn
            said = changed[1] if changed and is_spoilt else text
            one = Turn(talk.dialogue_id, bare_text(talk, said), bool(yes & set(goals)), is_spoilt)
            found.append(one)
    return found if changed is None else [turn for turn in found if turn.is_spoilt]


def retellings(talk: Talk, changed: Spoilt | None = None) -> list[Turn]:
    """Return the agent's turns that tell of an item, or the spoilt one alone."""
    found = []
    for turn, (role, text, goals) in enumerate(talk.turns, 1):
        is_spoilt = changed is not None and changed[0] == turn
        if role == "agent" and talk.reviews and (is_spoilt or _TELLING & set(goals)):
            said = changed[1] if changed and is_spoilt else text
            bare = bare_text(talk, said)
            found.append(Turn(talk.dialogue_id, bare, True, is_spoilt, talk.reviews))
    return found if changed is None else [turn for turn in found if turn.is_spoilt]


HEADS: Final = {
    "opinion": (
        opinions,
        spoken_features,
        ("D1, D2 opinion by other words", "D1, D2 opinion of another item"),
        ("D1", "D2"),
    ),
    "decision": (decisions, spoken_features, ("D3 indirect decision",), ("D3",)),
    "retelling": (retellings, retold_features, ("D4 fact of another review",), ("D4",)),
}


def written_examples(name: str) -> list[tuple[Turn, bool]]:
    """Return the training sentences of a head with what they say."""
    sets: Mapping[str, Mapping[str, list[str]]] = shipped_yaml(SENTENCES)
    kinds = {
        "opinion": (("opinion_praise", True), ("opinion_blame", False)),
        "decision": (("reject_as_accept", True), ("accept_as_reject", False)),
    }
    return [
        (Turn("", said.replace("{item}", "~"), says), says)
        for kind, says in kinds.get(name, ())
        for said in sets[kind]["train"]
    ]


def review_examples(con: duckdb.DuckDBPyConnection, kept_out: Iterable[str]) -> list[Turn]:
    """Return the sentences of reviews, and each two in a row, by whether they liked the item."""
    rows = con.execute(
        "SELECT review_id, text, rating FROM reviews WHERE rating <> 3 ORDER BY review_id"
    ).fetchall()
    hidden, found = set(kept_out), []
    for review_id, text, rating in rows:
        parts = [part for part in _END.split(text) if len(part.split()) >= _LEAST_WORDS]
        pairs = [" ".join(parts[at : at + 2]) for at in range(len(parts) - 1)]
        if review_id not in hidden:
            found += [Turn("", said, rating >= 4) for said in parts + pairs]
    return found


def by_words(turns: Sequence[Turn], name: str, language: Language) -> Flags:
    """Return which turns the word lists take for wrong."""
    if name == "retelling":
        return np.zeros(len(turns), np.bool_)
    column, yes, no = {
        "opinion": ("opinion", "LIKES", "DISLIKES"),
        "decision": ("decision", "accept", "reject"),
    }[name]
    said = pl.DataFrame(
        {
            "bare": [turn.bare for turn in turns],
            "opinion": pl.Series([None] * len(turns), dtype=pl.String),
            "decision": pl.Series([None] * len(turns), dtype=pl.String),
        }
    ).with_columns(pl.Series(column, [yes if turn.says else no for turn in turns]))
    fact = "sentiment_error" if name == "opinion" else "decision_error"
    flags: Flags = opinion_facts(said, language)[fact].to_numpy()
    return flags


def half(talks: Sequence[Talk], split: Split) -> Sequence[Talk]:
    """Return the dialogues of a split, as `spoilt` takes them."""
    return talks[0::2] if split == "train" else talks[1::2]


def spoilt_turns(name: str, talks: Sequence[Talk], kind: str, split: Split) -> list[Turn]:
    """Return the turns of a split with a defect of a kind."""
    of = {talk.dialogue_id: talk for talk in talks}
    turns = HEADS[name][0]
    return [one for key, turn in spoilt(talks, kind, split).items() for one in turns(of[key], turn)]


def examples(
    name: str, several: Sequence[Sequence[Talk]], reviews: Sequence[Turn]
) -> tuple[list[Turn], Flags]:
    """Return the training half of a head, with what each example really says."""
    turns_of, _, kinds, _ = HEADS[name]
    good = [one for talks in several for talk in half(talks, "train") for one in turns_of(talk)]
    bad = [
        one
        for talks in several
        for kind in kinds
        for one in spoilt_turns(name, talks, kind, "train")
    ]
    written = written_examples(name)
    others = list(reviews) if name == "opinion" else []
    turns = [*good, *bad, *(turn for turn, _ in written), *others]
    known = [turn.says for turn in good] + [not turn.says for turn in bad]
    known += [says for _, says in written] + [turn.says for turn in others]
    return turns, np.array(known)


def main() -> None:
    """Train the heads and print the tables."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--false-alarms", type=float, default=0.005)
    arguments.add_argument("--heads", nargs="+", choices=list(HEADS), default=list(HEADS))
    given = arguments.parse_args()
    language = load_lexicon(Home()).languages["en"]
    with tempfile.TemporaryDirectory() as folder:
        home = build_variants(
            Path(folder) / "two",
            10_000,
            grounded={"profile": "grounded"},
            paper={"profile": "paper"},
        )
        several = []
        for profile in ("grounded", "paper"):
            with read_warehouse(home.warehouse(profile)) as con:
                several.append(read_talks(con))
        briefed = Home.find(Path(folder) / "recorded")
        plain_briefs(briefed, "demo", BuildOptions(seed=SEED))
        with duckdb.connect(str(briefed.warehouse("demo"))) as con:
            answers = {name: matched(con, read_recorded(name)) for name in ("good", "defective")}
            recorded = {name: recorded_talks(con, briefed, some) for name, some in answers.items()}
            retold = {
                text for talks in recorded.values() for talk in talks for text in talk.reviews
            }
            rows = con.execute("SELECT review_id, text FROM reviews").fetchall()
            reviews = review_examples(con, [key for key, text in rows if text in retold])
    print(f"{'head, turns':46} {'n':>5} {'head':>22} {'word lists':>22} {'either':>22}")
    for name in given.heads:
        turns_of, features_of, kinds, letters = HEADS[name]
        turns, known = examples(name, several, reviews)
        head = trained(features_of(turns, language), turns, known, given.false_alarms)
        tests = {
            kind: [one for talks in several for one in spoilt_turns(name, talks, kind, "test")]
            for kind in kinds
        }
        tests["good"] = [
            one for talks in several for t in half(talks, "test") for one in turns_of(t)
        ]
        of = {talk.dialogue_id: talk for talk in recorded["defective"]}
        tests[f"recorded {', '.join(letters)}"] = [
            one
            for key, answer in answers["defective"].items()
            if answer.kind in letters
            for one in turns_of(of[key], (answer.turn, of[key].turns[answer.turn - 1][1]))
        ]
        tests["recorded good"] = [one for talk in recorded["good"] for one in turns_of(talk)]
        for kind, some in tests.items():
            flags = wrong(head, features_of(some, language), some)
            lists = by_words(some, name, language)
            shown = " ".join(f"{_shown(one):>22}" for one in (flags, lists, flags | lists))
            print(f"{name}, {kind:{44 - len(name)}} {len(some):5} {shown}", flush=True)


def _shown(flags: Flags) -> str:
    share = wilson(int(flags.sum()), len(flags))
    return f"{100 * share.value:.1f} % [{100 * share.low:.1f}, {100 * share.high:.1f}]"


if __name__ == "__main__":
    main()
