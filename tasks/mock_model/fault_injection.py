"""Faults on demand, so that demos and tests have something to filter and to repair."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from random import Random

from tasks.mock_model.prompt_reader import Asked, Line

KINDS = ("cut_off", "garbled", "slot_left", "wrong_length", "ungrounded")
_GARBAGE = (
    "\ufffd\ufffd\ufffd",
    "\u00c3\u00a2\u00e2\u201a\u00ac\u00e2\u201e\u00a2",
    "\x07\x02\x1b",
    "\ufffd\x00\ufffd",
    "\u00e2\u20ac\u0153\u00c3\u00a9\ufffd",
)
_SLOTS = (
    "[USER_HIS_LIKES]",
    "[USER_MIGHT_LIKES]",
    "[OTHER_REVIEW]",
    "[USER_HIS_DISLIKES_REVIEW]",
    "{{item:9}}",
)


@dataclass
class Draft:
    """A dialogue on its way: the lines to answer and what is said for each."""

    turns: list[tuple[Line, str]]


def inject_faults(draft: Draft, asked: Asked, rng: Random, rates: Mapping[str, float]) -> str:
    """Spoil a draft in at most one way, drawn by the rates; return the kind or "".

    A rate is that of a whole template written at once; an answer of fewer turns has a chance in
    proportion, as faults fall on turns.
    `cut_off` changes nothing here: it is done to the finished text.
    """
    drawn = rng.random()
    share = min(1.0, len(draft.turns) / max(1, len(asked.lines)))
    for kind in KINDS:
        drawn -= share * rates.get(kind, 0.0)
        if drawn < 0:
            if kind in _SPOILERS and draft.turns:
                _SPOILERS[kind](draft, asked, rng)
            return kind
    return ""


def _turn(draft: Draft, rng: Random) -> int:
    return rng.randrange(len(draft.turns))


def _insert(draft: Draft, at: int, piece: str, rng: Random) -> None:
    line, text = draft.turns[at]
    words = text.split(" ")
    words.insert(rng.randrange(len(words) + 1), piece)
    draft.turns[at] = (line, " ".join(words))


def _garble(draft: Draft, asked: Asked, rng: Random) -> None:
    at = _turn(draft, rng)
    for _ in range(2):
        _insert(draft, at, rng.choice(_GARBAGE), rng)


def _leave_slot(draft: Draft, asked: Asked, rng: Random) -> None:
    _insert(draft, _turn(draft, rng), rng.choice(_SLOTS), rng)


def _wrong_length(draft: Draft, asked: Asked, rng: Random) -> None:
    at = _turn(draft, rng)
    if len(draft.turns) > 1 and rng.random() < 0.5:
        del draft.turns[at]
    else:
        draft.turns.insert(at, draft.turns[at])


def _ungrounded(draft: Draft, asked: Asked, rng: Random) -> None:
    kinds = [_wrong_title, _praise_dislike, _leak_goal, _early_target, _copy_review]
    rng.shuffle(kinds)
    for spoil in kinds:
        if spoil(draft, asked, rng):
            return


def _append(draft: Draft, at: int, sentence: str) -> bool:
    line, text = draft.turns[at]
    draft.turns[at] = (line, f"{text} {sentence}")
    return True


def _wrong_title(draft: Draft, asked: Asked, rng: Random) -> bool:
    return _append(draft, _turn(draft, rng), f'It reminds me of "{rng.choice(_TITLES)}".')


def _praise_dislike(draft: Draft, asked: Asked, rng: Random) -> bool:
    for at, (line, _) in enumerate(draft.turns):
        slots = [
            slot
            for slot in line.introduces
            if slot in asked.items and asked.items[slot].collection == "DISLIKES"
        ]
        if line.role == "user" and slots:
            draft.turns[at] = (
                line,
                f"Hello! I loved {{{{item:{slots[0]}}}}}. It was wonderful, brilliant and a "
                f"perfect delight from start to finish.",
            )
            return True
    return False


def _leak_goal(draft: Draft, asked: Asked, rng: Random) -> bool:
    at = _turn(draft, rng)
    goals = draft.turns[at][0].goals
    return bool(goals) and _append(
        draft, at, f"My goal here: {rng.choice(goals).replace('_', ' ')}."
    )


def _early_target(draft: Draft, asked: Asked, rng: Random) -> bool:
    targets = [
        (at, slot)
        for at, (line, _) in enumerate(draft.turns)
        for slot in line.introduces
        if at and line.role == "agent"
    ]
    if not targets:
        return False
    at, slot = targets[-1]
    return _append(draft, rng.randrange(at), f"Or maybe {{{{item:{slot}}}}}.")


def _copy_review(draft: Draft, asked: Asked, rng: Random) -> bool:
    reviews = [
        review
        for item in asked.items.values()
        for review in (item.user_review, item.other_review)
        if len(review.split()) >= 14
    ]
    if not reviews:
        return False
    review = rng.choice(reviews).split()
    start = rng.randrange(len(review) - 13)
    return _append(draft, _turn(draft, rng), " ".join(review[start : start + 14]) + ".")


_TITLES = (
    "The Lantern Keepers",
    "A Winter in Brackwater",
    "Copperhead Alley",
    "The Seventh Ferryman",
    "Northbound Echo",
    "Paper Tigers of Quill Street",
)
_SPOILERS: dict[str, Callable[[Draft, Asked, Random], None]] = {
    "garbled": _garble,
    "slot_left": _leave_slot,
    "wrong_length": _wrong_length,
    "ungrounded": _ungrounded,
}
