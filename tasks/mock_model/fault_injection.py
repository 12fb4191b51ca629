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
_SLOTS = ("[USER_HIS_LIKES]", "[USER_MIGHT_LIKES]", "[OTHER_REVIEW]", "{{item:9}}")
_TITLES = ("The Lantern Keepers", "A Winter in Brackwater", "Copperhead Alley", "Northbound Echo")
_COPIED = 14  # words in a row


@dataclass
class Draft:
    """A dialogue on its way: the lines to answer and what is said for each."""

    turns: list[tuple[Line, str]]

    def append(self, at: int, sentence: str) -> bool:
        """Add a sentence to a turn; return True."""
        line, text = self.turns[at]
        self.turns[at] = (line, f"{text} {sentence}")
        return True

    def insert(self, at: int, piece: str, rng: Random) -> None:
        """Put a piece somewhere between the words of a turn."""
        line, text = self.turns[at]
        words = text.split(" ")
        words.insert(rng.randrange(len(words) + 1), piece)
        self.turns[at] = (line, " ".join(words))


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


def _garble(draft: Draft, asked: Asked, rng: Random) -> None:
    at = _turn(draft, rng)
    for _ in range(2):
        draft.insert(at, rng.choice(_GARBAGE), rng)


def _leave_slot(draft: Draft, asked: Asked, rng: Random) -> None:
    draft.insert(_turn(draft, rng), rng.choice(_SLOTS), rng)


def _wrong_length(draft: Draft, asked: Asked, rng: Random) -> None:
    at = _turn(draft, rng)
    if len(draft.turns) > 1 and rng.random() < 0.5:
        del draft.turns[at]
    else:
        draft.turns.insert(at, draft.turns[at])


def _ungrounded(draft: Draft, asked: Asked, rng: Random) -> None:
    kinds = [_wrong_title, _praise_dislike, _leak_goal, _early_target, _copy_review]
    rng.shuffle(kinds)
    any(spoil(draft, asked, rng) for spoil in kinds)


def _wrong_title(draft: Draft, asked: Asked, rng: Random) -> bool:
    return draft.append(_turn(draft, rng), f'It reminds me of "{rng.choice(_TITLES)}".')


def _praise_dislike(draft: Draft, asked: Asked, rng: Random) -> bool:
    for at, (line, _) in enumerate(draft.turns):
        items = [asked.items[slot] for slot in line.introduces if slot in asked.items]
        slots = [item.slot for item in items if item.collection == "DISLIKES"]
        if line.role == "user" and slots:
            text = (
                f"Hello! I loved {{{{item:{slots[0]}}}}}. It was wonderful, brilliant and a "
                f"perfect delight from start to finish."
            )
            draft.turns[at] = (line, text)
            return True
    return False


def _leak_goal(draft: Draft, asked: Asked, rng: Random) -> bool:
    at = _turn(draft, rng)
    goals = draft.turns[at][0].goals
    return bool(goals) and draft.append(at, f"My goal here: {rng.choice(goals).replace('_', ' ')}.")


def _early_target(draft: Draft, asked: Asked, rng: Random) -> bool:
    targets = [
        (at, line.introduces[-1])
        for at, (line, _) in enumerate(draft.turns)
        if at and line.role == "agent" and line.introduces
    ]
    if not targets:
        return False
    at, slot = targets[-1]
    return draft.append(rng.randrange(at), f"Or maybe {{{{item:{slot}}}}}.")


def _copy_review(draft: Draft, asked: Asked, rng: Random) -> bool:
    texts = [
        text for item in asked.items.values() for text in (item.user_review, item.other_review)
    ]
    reviews = [text.split() for text in texts if len(text.split()) >= _COPIED]
    if not reviews:
        return False
    review = rng.choice(reviews)
    start = rng.randrange(len(review) - _COPIED + 1)
    return draft.append(_turn(draft, rng), " ".join(review[start : start + _COPIED]) + ".")


_SPOILERS: dict[str, Callable[[Draft, Asked, Random], None]] = {
    "garbled": _garble,
    "slot_left": _leave_slot,
    "wrong_length": _wrong_length,
    "ungrounded": _ungrounded,
}
