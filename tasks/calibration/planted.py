"""Defects as models make them, put into good dialogues: most are made from the data.

Whoever chooses words or limits for a rule looks at the split "train" only.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from tasks.calibration.talks import Talk
from tasks.fingerprint import shipped_yaml, unit

Split = Literal["train", "test"]
SENTENCES: Final = Path(__file__).with_name("sentences.yaml")
_TWO_NAMES: Final = re.compile(r"[a-z] ([A-Z][a-z]{2,}) ([A-Z][a-z]{2,})")
_TITLE_WORD: Final = re.compile(r"[A-Z][a-z]{3,}")
_SENTENCE_END: Final = re.compile(r"(?<=[.!?])\s+")
_OF_THE_SPEAKER: Final = re.compile(r"\b(?:I|my|My)\b")
_ASKS: Final = frozenset({"ask_item_detail", "ask_preference"})
_ACCEPTS: Final = frozenset({"accept_with_reason", "accept_without_reason", "accept_gratitude"})
_REJECTS: Final = frozenset({"reject_with_reason", "reject_without_reason"})
_ASKS_NOTHING: Final = (("respond_simply",), ("respond_mood",), ("express_interest",))
_PIECE: Final = 7  # words of a piece of a review
_WORD: Final = re.compile(r"[^\W\d_]+")
# A thing: a word after an article, before a word that no thing is called by.
_THING: Final = re.compile(
    r"\b(?:the|a|an|his|her) ([a-z]{4,})(?=[.,;!?]| (?:and|in|on|at|with|that|who|is|was|to|of)\b)"
)


@dataclass(frozen=True)
class Materials:
    """What defects are made from: the other dialogues, and the written sentences of one split."""

    talks: Sequence[Talk]
    sentences: Mapping[str, Sequence[str]]
    rng: random.Random

    def one(self, kind: str) -> str:
        """Return one of the sentences of a kind."""
        return self.rng.choice(self.sentences[kind])

    def name(self) -> str:
        """Return two names of other briefs' reviews as one person's; a made-up one without any."""
        pairs: list[tuple[str, str]] = []
        for talk in self.talks:
            for text in talk.reviews:
                pairs += _TWO_NAMES.findall(text)
        (first, _), (_, last) = self.rng.choice(pairs or _NAMES), self.rng.choice(pairs or _NAMES)
        return f"{first}elle {last}by"

    def title(self) -> str:
        """Return a title that no item has, of the words of two others."""
        words: list[str] = []
        for talk in self.talks:
            for title, _ in talk.items:
                words += _TITLE_WORD.findall(title)
        return f"The {self.rng.choice(words or _WORDS)}en {self.rng.choice(words or _WORDS)}"


_NAMES: Final = [("Abel", "Thorn"), ("Mira", "Walden")]
_WORDS: Final = ["Golden", "Harbour"]
Spoilt = tuple[int, str]
"""The number of a turn, and its text with the defect."""
Change = Callable[[Talk, Materials], Spoilt | None]


def near_copy(talk: Talk, made: Materials) -> Spoilt | None:
    """Take over a sentence of a review with one or two words from elsewhere."""
    sentences = [one for one in _sentences(talk.reviews) if 10 <= len(one.split()) <= 26]
    if not sentences:
        return None
    words = made.rng.choice(sentences).split()
    others = " ".join(made.rng.choice(made.talks).reviews).split()
    if not others:
        return None
    step = len(words) // 3
    for at in (step, 2 * step):
        words[at] = made.rng.choice(others).strip('.,!?"').lower()
    return _said(talk, made, made.rng.choice(("user", "agent")), " ".join(words))


def invented(talk: Talk, made: Materials) -> Spoilt | None:
    """Add a person, a year or a director to what the agent tells."""
    said = made.one("invented").format(name=made.name(), year=made.rng.randrange(1931, 2019))
    return _said(talk, made, "agent", said)


def other_work(talk: Talk, made: Materials) -> Spoilt | None:
    """Name a work that does not exist."""
    role = made.rng.choice(("user", "agent"))
    return _said(talk, made, role, made.one("works").format(name=made.title()))


def chatbot(talk: Talk, made: Materials) -> Spoilt | None:
    """Add a phrase of customer service."""
    return _said(talk, made, "agent", made.one("chatbot"))


def own_life(talk: Talk, made: Materials) -> Spoilt | None:
    """Have the agent tell of a life."""
    return _said(talk, made, "agent", made.one("own_life"))


def users_review(talk: Talk, made: Materials) -> Spoilt | None:
    """Have the agent tell a piece of the user's own review as its own."""
    pieces = [piece for piece in _pieces(talk.own_reviews, 6) if _OF_THE_SPEAKER.search(piece)]
    return _said(talk, made, "agent", f"{made.rng.choice(pieces)}.") if pieces else None


def opinion(talk: Talk, made: Materials) -> Spoilt | None:
    """Replace the greeting's opinion by the opposite one."""
    greetings = talk.turns_with(frozenset({"greeting_likes", "greeting_dislikes"}))
    if not greetings:
        return None
    turn = greetings[0]
    title, collection = talk.items[0]
    kind = "opinion_praise" if collection == "DISLIKES" else "opinion_blame"
    asks = " What would you suggest?" if "ask_recommendation" in talk.turns[turn - 1][2] else ""
    return turn, made.one(kind).format(item=title) + asks


def moved_opinion(talk: Talk, made: Materials) -> Spoilt | None:
    """Greet with the opinion that another dialogue has of an item of the other collection."""
    others = [other for other in made.talks if other.items[0][1] != talk.items[0][1]]
    if not others:
        return None
    other = made.rng.choice(others)
    said = other.turns[0][1].replace(other.items[0][0], talk.items[0][0])
    return (1, said) if talk.items[0][0] in said else None


def decision(talk: Talk, made: Materials) -> Spoilt | None:
    """Replace a decision by an indirect one of the other kind."""
    turns = talk.turns_with(_ACCEPTS | _REJECTS)
    if not turns:
        return None
    turn = made.rng.choice(turns)
    goals = talk.turns[turn - 1][2]
    kind = "accept_as_reject" if _ACCEPTS & set(goals) else "reject_as_accept"
    thanks = " Thank you." if "accept_gratitude" in goals else ""
    return turn, made.one(kind) + thanks


def nothing_asked(talk: Talk, made: Materials) -> Spoilt | None:
    """Say in a turn that is to ask what another dialogue says in one that is not."""
    turns = [turn for turn in talk.turns_with(_ASKS) if len(talk.turns[turn - 1][2]) == 1]
    spoken = [turn for other in made.talks for turn in other.turns]
    said = [text for _, text, goals in spoken if goals in _ASKS_NOTHING]
    said = [text for text in said if "?" not in text]
    return (made.rng.choice(turns), made.rng.choice(said)) if turns and said else None


def swapped_fact(talk: Talk, made: Materials) -> Spoilt | None:
    """Tell of an item what another item's review says, in half a sentence."""
    other = made.rng.choice(made.talks)
    pieces = _pieces(other.reviews, _PIECE)
    if not pieces or other.dialogue_id == talk.dialogue_id:
        return None
    piece = made.rng.choice(pieces).rstrip(".,")
    return _said(talk, made, "agent", f"They say this of it: {piece}.")


def given_away(talk: Talk, made: Materials) -> Spoilt | None:
    """Speak of two things of the item to be recommended before its turn, without its name."""
    targets = [title for title, collection in talk.items if collection == "MIGHT_LIKES"]
    turns = talk.turns_before(targets)
    others = " ".join(text for text in talk.reviews if text not in talk.target_reviews)
    known = {word.lower() for word in _WORD.findall(f"{others} {' '.join(targets)}")}
    things = [thing for text in talk.target_reviews for thing in _THING.findall(text)]
    things = [thing for thing in dict.fromkeys(things) if thing not in known]
    if len(things) < 2 or len(turns) < 2:
        return None
    turn = made.rng.choice(turns[1:])
    first, second = (f"the {thing}" for thing in made.rng.sample(things, 2))
    said = made.one("given_away").format(first=first, second=second)
    return turn, f"{talk.turns[turn - 1][1]} {said}"


def unseen(talk: Talk, made: Materials) -> Spoilt | None:
    """Have the user say that the item of the greeting, still talked of, is unknown to them."""
    turns = talk.turns_before([title for title, _ in talk.items[1:]])
    own = [turn for turn in talk.turns_of("user") if 1 < turn <= len(turns)]
    if not own:
        return None
    turn = made.rng.choice(own)
    return turn, f"{made.one('unseen')} {talk.turns[turn - 1][1]}"


def _sentences(texts: Sequence[str]) -> Iterator[str]:
    for text in texts:
        yield from _SENTENCE_END.split(text)


def _pieces(texts: Sequence[str], least: int) -> list[str]:
    """Return the beginnings of the sentences that have so many words at least."""
    split = [sentence.split() for sentence in _sentences(texts)]
    return [" ".join(words[:_PIECE]) for words in split if len(words) >= least]


def _said(talk: Talk, made: Materials, role: str, sentence: str) -> Spoilt:
    turn = made.rng.choice(talk.turns_of(role))
    return turn, f"{talk.turns[turn - 1][1]} {sentence}"


KINDS: Final[Mapping[str, tuple[Change, frozenset[str]]]] = {
    "D1, D2 opinion by other words": (opinion, frozenset({"sentiment-fits"})),
    "D1, D2 opinion of another item": (moved_opinion, frozenset({"sentiment-fits"})),
    "D3 indirect decision": (decision, frozenset({"decision-fits"})),
    "D4 fact of another review": (swapped_fact, frozenset({"names-supported", "facts-supported"})),
    "D5 invented name or year": (invented, frozenset({"names-supported", "facts-supported"})),
    "D6 other work": (other_work, frozenset({"no-other-works"})),
    "D7 near-copy": (near_copy, frozenset({"no-near-copy", "no-copied-review"})),
    "D8 nothing asked": (nothing_asked, frozenset({"goals-carried-out"})),
    "D9 target given away, unnamed": (
        given_away,
        frozenset({"target-not-hinted", "target-not-alluded-to", "target-not-described"}),
    ),
    "D10 life of the agent": (own_life, frozenset({"speaks-as-itself"})),
    "D10 the user's review as its own": (users_review, frozenset({"speaks-as-itself"})),
    "D11 seen, then not": (unseen, frozenset({"no-self-contradiction"})),
    "D12 chatbot habit": (chatbot, frozenset({"no-chatbot-habits"})),
}
"""Each kind with the rules that name it."""


def spoilt(talks: Sequence[Talk], kind: str, split: Split, seed: int = 1) -> dict[str, Spoilt]:
    """Return a spoilt turn for every second dialogue, by its id."""
    rng = random.Random(f"{seed}-{kind}-{split}")  # noqa: S311 - no secret
    written = shipped_yaml(SENTENCES)
    made = Materials(talks, {name: sets[split] for name, sets in written.items()}, rng)
    change, _ = KINDS[kind]
    mine = talks[0::2] if split == "train" else talks[1::2]
    changed = {talk.dialogue_id: change(talk, made) for talk in mine}
    return {dialogue_id: turn for dialogue_id, turn in changed.items() if turn is not None}


def drawn(turns: Mapping[str, Spoilt], most: int, seed: int) -> dict[str, Spoilt]:
    """Return at most so many of some spoilt turns, drawn by a hash."""
    ids = sorted(turns, key=lambda dialogue_id: unit(seed, "calibrate", dialogue_id))[:most]
    return {dialogue_id: turns[dialogue_id] for dialogue_id in ids}
