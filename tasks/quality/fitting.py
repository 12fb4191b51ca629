"""Fits rules to a language: what its pack does not let them judge is switched off, one by one.

Each rule that is off, or judges in part, says which parts of the pack it lacks; the funnel, the
Data Docs and the card repeat it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Final

from tasks.errors import UserError
from tasks.languages import PACKS, Language
from tasks.quality.lexicon import Lexicon
from tasks.quality.values import Rule, Suite, Unjudged

LENGTHS: Final = {"longest_words", "words"}


@dataclass(frozen=True)
class _Need:
    """Parts of a pack that a fact is made from, and how many of them it needs at least."""

    parts: tuple[str, ...]
    least: int


_NEEDS: Final[Mapping[str, _Need]] = {
    "sentiment_error": _Need(("clear_praise", "clear_blame"), 2),
    "decision_error": _Need(("accepts", "rejects"), 2),
    "foreign_language": _Need(("function_words",), 1),
    "near_copied_words": _Need(("function_words",), 1),
    "chatbot_habit": _Need(("chatbot",), 1),
    "wrong_speaker": _Need(("own_life", "own_things", "agents_words"), 1),
    "goal_missed": _Need(("asking", "requesting", "thanking"), 1),
    "target_hint": _Need(("function_words", "common_words"), 2),
    "target_allusion": _Need(("function_words", "common_words"), 2),
    "self_contradiction": _Need(("claims_seen", "claims_unseen"), 2),
    "unsupported_names": _Need(("familiar", "name_cues"), 2),
    "other_works": _Need(("familiar", "work_cues", "close_work_cues"), 3),
    "unsupported_facts": _Need(("checkable",), 0),
    "unsupported_details": _Need(("familiar",), 0),
}
# The facts of a dialogue that sum up those of its utterances under another name.
_SUMS: Final[Mapping[str, str]] = {
    "sentiment_errors": "sentiment_error",
    "decision_errors": "decision_error",
    "foreign_turns": "foreign_language",
    "chatbot_habits": "chatbot_habit",
    "wrong_speakers": "wrong_speaker",
    "goals_missed": "goal_missed",
    "target_hints": "target_hint",
    "target_allusions": "target_allusion",
    "self_contradictions": "self_contradiction",
}


def can_judge(fact: str, language: Language) -> bool:
    """Return True if a language has what a fact of utterances or dialogues is made from."""
    need = _need(fact)
    return len(need.parts) - len(_missing(need, language)) >= need.least


def fit_suites(suites: Sequence[Suite], lexicon: Lexicon, code: str) -> tuple[Suite, ...]:
    """Return suites as they judge in a language.

    Rules without what they need are taken out and named in `Suite.unjudged`, as are those that
    judge in part. The limit of an utterance's length is that of the language's pack, where it has
    one.

    Raises:
        UserError: no rule is left that rejects.
    """
    language = lexicon.language(code)
    fitted = tuple(_fitted(suite, language, code) for suite in suites)
    rules = chain.from_iterable(suite.rules for suite in fitted)
    if all(rule.severity != "reject" for rule in rules):
        raise UserError(
            f"no rule is left that rejects in the language {code!r}: add what the rules need to "
            f"{PACKS}/{code}.yaml (docs/how-to/languages.md)"
        )
    return fitted


def _fitted(suite: Suite, language: Language, code: str) -> Suite:
    notes = [note for rule in suite.rules if (note := _note(rule, language, code))]
    off = {note.rule for note in notes if note.is_off}
    kept = [_with_limit(rule, language) for rule in suite.rules if rule.rule not in off]
    return replace(suite, rules=tuple(kept), unjudged=tuple(notes))


def _note(rule: Rule, language: Language, code: str) -> Unjudged | None:
    """Return what a rule lacks in a language; None if it lacks nothing."""
    lacking = [column for column in rule.columns if _missing(_need(column), language)]
    if not lacking:
        return None
    missing = dict.fromkeys(
        part for column in lacking for part in _missing(_need(column), language)
    )
    is_off = not all(can_judge(column, language) for column in lacking)
    parts = ", ".join(missing)
    why = f"{PACKS}/{code}.yaml lacks {parts}"
    return Unjudged(rule.rule, rule.says, why, is_off)


def _need(fact: str) -> _Need:
    return _NEEDS.get(_SUMS.get(fact, fact), _Need((), 0))


def _missing(need: _Need, language: Language) -> list[str]:
    return [part for part in need.parts if not language.has(part)]


def _with_limit(rule: Rule, language: Language) -> Rule:
    """Return a rule on an utterance's length with the limit of the language's pack."""
    longest = language.longest
    if longest is None or LENGTHS.isdisjoint(rule.columns) or "max_value" not in rule.kwargs:
        return rule
    says = f"No utterance has more than {longest.most} {longest.unit}."
    return rule.model_copy(
        update={"says": says, "kwargs": {**rule.kwargs, "max_value": longest.most}}
    )
