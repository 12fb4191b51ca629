"""Ways to spoil a good dialogue, each with the rule that must catch it.

The defect corpus is made of them.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.quality import load_lexicon
from tasks.settings import Home
from tests.support.conversations import Conversation

Turns = list[tuple[str, str]]
Change = Callable[[Conversation, random.Random], Turns | None]
LONG = "and then there was one more thing that I wanted to tell you about it because " * 5
ACCEPTS = ("accept_with_reason", "accept_gratitude")
SPANISH = (
    "Me encantó porque la historia es muy buena y los actores están muy bien en esta película."
)
POLISH = "Bardzo lubi\u0119 takie filmy, zw\u0142aszcza gdy historia jest prawdziwa i smutna."
TURKISH = (
    "Bu t\u00fcr filmleri \u00e7ok severim, \u00f6zellikle ger\u00e7ek hikayeleri anlatanlar\u0131."
)
CHINESE = "\u6211\u975e\u5e38\u559c\u6b22\u8fd9\u90e8\u7535\u5f71\uff0c\u60c5\u8282\u5f88\u7cbe\u5f69\u3002"


@dataclass(frozen=True)
class Defect:
    """One kind of defect.

    Attributes:
        rule: the rule that must catch it.
        change: returns the spoiled turns, or None where the dialogue has no place for the defect.
        cut: share of the answer's text that is kept, 1 for all of it.
        finish_reason: how the model says it stopped.
    """

    name: str
    rule: str
    change: Change
    cut: float = 1.0
    finish_reason: str = "stop"


def append(said: str) -> Change:
    """Return a change that adds a sentence to a turn drawn at random."""

    def change(made: Conversation, rng: random.Random) -> Turns:
        at = rng.randrange(len(made.turns))
        return _with(made, at, f"{made.turns[at][1]} {said}")

    return change


def replace_turn(said: str) -> Change:
    """Return a change that replaces a turn that names no new item."""

    def change(made: Conversation, rng: random.Random) -> Turns | None:
        free = [
            at
            for at, turn in enumerate(made.template.turns)
            if not turn.introduces and not _decides(turn.goals)
        ]
        return _with(made, rng.choice(free), said)

    return change


def at_goal(goals: Sequence[str], said: str) -> Change:
    """Return a change that replaces a turn with one of some sub-goals; `{item}` in it is the item the turn brings in."""

    def change(made: Conversation, rng: random.Random) -> Turns | None:
        places = [
            at
            for at, turn in enumerate(made.template.turns)
            if not set(goals).isdisjoint(turn.goals)
        ]
        if not places:
            return None
        at = rng.choice(places)
        introduced = made.template.turns[at].introduces
        return _with(
            made,
            at,
            said.replace("{item}", f"{{{{item:{introduced[0]}}}}}" if introduced else "that one"),
        )

    return change


def _decides(goals: Sequence[str]) -> bool:
    return any(goal.startswith(("accept", "reject")) for goal in goals)


def _with(made: Conversation, at: int, text: str) -> Turns:
    turns = list(made.turns)
    turns[at] = (turns[at][0], text)
    return turns


def _drop(made: Conversation, rng: random.Random) -> Turns:
    at = rng.randrange(len(made.turns))
    return [turn for place, turn in enumerate(made.turns) if place != at]


def _double(made: Conversation, rng: random.Random) -> Turns:
    at = rng.randrange(len(made.turns))
    return [*made.turns[: at + 1], *made.turns[at:]]


def _go_on(made: Conversation, rng: random.Random) -> Turns:
    return [*made.turns, ("user", "One more thing."), ("agent", "Yes, please tell me.")]


def _all_twice(made: Conversation, rng: random.Random) -> Turns:
    return [*made.turns, *made.turns]


def _agent_opens(made: Conversation, rng: random.Random) -> Turns:
    return [("agent", "Hello! How can I help you today?"), *made.turns]


def _merge(made: Conversation, rng: random.Random) -> Turns:
    at = rng.randrange(len(made.turns) - 1)
    role, text = made.turns[at]
    return [*made.turns[:at], (role, f"{text} {made.turns[at + 1][1]}"), *made.turns[at + 2 :]]


def _exchange(made: Conversation, rng: random.Random) -> Turns:
    at = rng.randrange(len(made.turns) - 1)
    return [*made.turns[:at], made.turns[at + 1], made.turns[at], *made.turns[at + 2 :]]


def _third_speaker(made: Conversation, rng: random.Random) -> Turns:
    turns = list(made.turns)
    at = rng.randrange(1, len(turns))
    turns[at] = ("narrator", turns[at][1])
    return turns


def _dots(made: Conversation, rng: random.Random) -> Turns:
    return _with(made, rng.randrange(1, len(made.turns) - 1), "...")


def _empty(made: Conversation, rng: random.Random) -> Turns:
    return _with(made, rng.randrange(1, len(made.turns) - 1), "")


def _swap_roles(made: Conversation, rng: random.Random) -> Turns:
    other = {"user": "agent", "agent": "user"}
    return [(other[role], text) for role, text in made.turns]


def _wrong_speaker(made: Conversation, rng: random.Random) -> Turns:
    turns = list(made.turns)
    at = rng.randrange(1, len(turns))
    turns[at] = (turns[at - 1][0], turns[at][1])
    return turns


def _leave_out(made: Conversation, rng: random.Random) -> Turns:
    places = [(at, slot) for at, turn in enumerate(made.template.turns) for slot in turn.introduces]
    at, slot = rng.choice(places)
    return _with(made, at, made.turns[at][1].replace(f"{{{{item:{slot}}}}}", "something"))


def _other_slot(made: Conversation, rng: random.Random) -> Turns:
    """Name the first item in the farewell, which must not speak of it."""
    return _with(made, len(made.turns) - 1, f"{made.turns[-1][1]} And do see {{{{item:1}}}} again.")


def _early_target(made: Conversation, rng: random.Random) -> Turns:
    target = made.template.slots[-1].number
    due = next(at for at, turn in enumerate(made.template.turns) if target in turn.introduces)
    at = rng.randrange(due)
    return _with(made, at, f"{made.turns[at][1]} Or maybe {{{{item:{target}}}}}.")


def _copy(made: Conversation, rng: random.Random) -> Turns:
    review = rng.choice(list(made.reviews.values())).split()
    begin = rng.randrange(len(review) - 10)
    at = rng.randrange(len(made.turns))
    return _with(made, at, f"{made.turns[at][1]} {' '.join(review[begin : begin + 10])}")


def _copy_retyped(made: Conversation, rng: random.Random) -> Turns:
    """Copy a review in small letters, without its punctuation and with typographic marks."""
    review = rng.choice(list(made.reviews.values())).replace(".", "").lower().split()
    begin = rng.randrange(len(review) - 9)
    at = rng.randrange(len(made.turns))
    return _with(
        made,
        at,
        f"{made.turns[at][1]} \u201c{' '.join(review[begin : begin + 9])}\u201d \u2013 so it goes.",
    )


def _copy_nearly(made: Conversation, rng: random.Random) -> Turns:
    """Copy twelve words of a review with two of them changed."""
    review = rng.choice(list(made.reviews.values())).split()
    begin = rng.randrange(len(review) - 12)
    taken = review[begin : begin + 12]
    taken[4], taken[8] = "somehow", "again"
    at = rng.randrange(len(made.turns))
    return _with(made, at, f"{made.turns[at][1]} {' '.join(taken)}")


PLAIN = load_lexicon(Home()).languages["en"].plain_words


def _words(text: str) -> set[str]:
    return set(text.lower().replace(".", "").split())


def _describe_target(made: Conversation, rng: random.Random) -> Turns | None:
    """Tell what the target's review says before the target is named."""
    target = made.template.slots[-1].number
    review = made.reviews.get((target, "other"))
    if review is None:
        return None
    due = next(at for at, turn in enumerate(made.template.turns) if target in turn.introduces)
    others = [text for key, text in made.reviews.items() if key != (target, "other")]
    told = sorted(_words(review) - set().union(*map(_words, others)))
    if len(told) < 8:
        return None
    at = rng.randrange(due)
    said = ", ".join(told[:18])
    return _with(made, at, f"{made.turns[at][1]} I mean one with this: {said}.")


def _allude_to_target(made: Conversation, rng: random.Random) -> Turns | None:
    """Point to the target, before it is named, by two words that only its review has."""
    target = made.template.slots[-1].number
    review = made.reviews.get((target, "other"))
    if review is None:
        return None
    due = next(at for at, turn in enumerate(made.template.turns) if target in turn.introduces)
    others = [text for key, text in made.reviews.items() if key != (target, "other")]
    others += [item.title for item in made.items]
    told = sorted(_words(review) - set().union(*map(_words, others)) - PLAIN)
    if len(told) < 2:
        return None
    at = rng.randrange(due)
    first, second = rng.sample(told, 2)
    return _with(made, at, f"{made.turns[at][1]} There's a movie about {first} and {second}.")


def _deny_seeing(made: Conversation, rng: random.Random) -> Turns | None:
    """Have the user say that the item of the greeting is unknown to them, while it is talked of."""
    second = [at for at, turn in enumerate(made.template.turns) if 2 in turn.introduces]
    own = [at for at in range(2, second[0], 2)] if second else []
    if not own:
        return None
    at = rng.choice(own)
    return _with(made, at, f"{made.turns[at][1]} I haven't actually seen it myself.")


def _by(role: str, said: str) -> Change:
    """Return a change that adds a sentence to a turn of one speaker."""

    def change(made: Conversation, rng: random.Random) -> Turns:
        places = [at for at, turn in enumerate(made.turns) if turn[0] == role]
        at = rng.choice(places)
        return _with(made, at, f"{made.turns[at][1]} {said}")

    return change


def _seen_and_not(made: Conversation, rng: random.Random) -> Turns | None:
    """Have the user say of the target that they know it, after they said that they do not."""
    interest = [
        at for at, turn in enumerate(made.template.turns) if "express_interest" in turn.goals
    ]
    if not interest:
        return None
    turns = list(made.turns)
    turns[interest[0]] = ("user", f"I've never heard of that one. {turns[interest[0]][1]}")
    at = interest[0] + 2
    turns[at] = ("user", f"{turns[at][1]} I saw it when it first came out.")
    return turns


def _tell_user_id(made: Conversation, rng: random.Random) -> Turns:
    return append("I am A3K9QX7PL2M4Z1 by the way.")(made, rng) or []


_unchanged: Change = lambda made, rng: list(made.turns)  # noqa: E731 - a change that changes nothing: the text is cut instead

DEFECTS: tuple[Defect, ...] = (
    Defect("cut off by the limit", "completely-generated", _unchanged, cut=0.7, finish_reason="length"),
    Defect("cut off in the last words", "completely-generated", _unchanged, cut=0.97),
    Defect("stopped by a content filter", "completely-generated", _unchanged, finish_reason="content_filter"),
    Defect("replacement characters", "readable", append("It was \ufffd\ufffd good.")),
    Defect("bytes read as Latin-1", "readable", append("The cafÃ© scene isnâ€™t long.")),
    Defect("control characters", "readable", append("Well \x07\x1b then.")),
    Defect("symbol salad", "readable", append("That is #$%&@ too.")),
    Defect("consonant salad", "readable", append("And xqkwjzrtpl so.")),
    Defect("text turned round", "readable", append("Look \u202eereht\u202c now.")),
    Defect("slot in capitals", "slots-filled", append("I like [USER_HIS_LIKES] best.")),
    Defect("placeholder of no slot", "slots-filled", append("Try {{item:9}} too.")),
    Defect("placeholder with a name", "slots-filled", append("Try {movie_title} too.")),
    Defect("bracketed blank", "slots-filled", append("Have a look at [movie title] too.")),
    Defect("token of a chat template", "slots-filled", append("All right.<|im_start|>")),
    Defect("tag", "slots-filled", append("That is <b>bold</b>.")),
    Defect("the other's line in a turn", "slots-filled", append("AI: What else do you like?")),
    Defect("slot of the paper", "slots-filled", append("It is [USER_HIS_DISLIKES_REVIEW] for me.")),
    Defect("slot as a variable", "slots-filled", append("Have a look at {{movie_1}} too.")),
    Defect("slot in angle brackets", "slots-filled", append("Have a look at <movie> too.")),
    Defect("slot between underscores", "slots-filled", append("Have a look at __MOVIE__ too.")),
    Defect("slot between percent signs", "slots-filled", append("Have a look at %ITEM% too.")),
    Defect("slot in brackets", "slots-filled", append("Have a look at (insert title) too.")),
    Defect("mark of an instruction", "slots-filled", append("All right. [/INST]")),
    Defect("turn left out", "template-length", _drop),
    Defect("turn twice", "template-length", _double),
    Defect("dialogue twice", "template-length", _all_twice),
    Defect("agent opens", "template-length", _agent_opens),
    Defect("two turns in one", "template-length", _merge),
    Defect("turns too many", "template-length", _go_on),
    Defect("too long an utterance", "utterance-length", append(LONG + "indeed.")),
    Defect("empty turn", "no-empty-turns", _empty),
    Defect("turn of dots", "no-empty-turns", _dots),
    Defect("neighbours exchanged", "roles-alternate", _exchange),
    Defect("third speaker", "roles-alternate", _third_speaker),
    Defect("roles swapped", "roles-alternate", _swap_roles),
    Defect("wrong speaker", "roles-alternate", _wrong_speaker),
    Defect("item not named", "items-named", _leave_out),
    Defect("another item of the catalogue", "no-other-items", append("It has something of Broken Empire in it.")),
    Defect("a short title of the catalogue", "no-other-items", append('Others would rather see "Home" again.')),
    Defect("an item of the brief out of place", "no-other-items", _other_slot),
    Defect("invented title", "no-invented-titles", append('People compare it with "The Seventh Ferryman of Quill".')),
    Defect("invented title in single marks", "no-invented-titles", append("People compare it with 'The Seventh Ferryman of Quill'.")),
    Defect("invented title in italics", "no-invented-titles", append("People compare it with _The Seventh Ferryman_.")),
    Defect("invented title of one word", "no-invented-titles", append('You could watch "Quillonia" as well.')),
    Defect("target too early", "target-in-time", _early_target),
    Defect(
        "disliked item praised", "sentiment-fits",
        at_goal(["greeting_dislikes"], "Hi, I watched {item} and absolutely loved it, a wonderful and brilliant thing."),
    ),
    Defect(
        "disliked item praised in a rejection", "sentiment-fits",
        at_goal(["dislikes_review"], "No thanks, I have already seen it and it was excellent, one of my favourites, a delight."),
    ),
    Defect(
        "liked item run down", "sentiment-fits",
        at_goal(["greeting_likes"], "Hi, I watched {item} last week. It was terrible, boring and a waste of an evening."),
    ),
    Defect(
        "disliked item a favourite", "sentiment-fits",
        at_goal(["greeting_dislikes"], "Hey, {item} was amazing, one of the best movies I have ever seen. It's a masterpiece."),
    ),
    Defect("liked item not liked", "sentiment-fits", at_goal(["greeting_likes"], "Hi, I didn't like {item} at all, it was dull.")),
    Defect(
        "liked item run down in a rejection", "sentiment-fits",
        at_goal(["have_seen"], "No thanks, I have seen it before. It was awful and boring, a total waste of time."),
    ),
    Defect("acceptance turned down briefly", "decision-fits", at_goal(ACCEPTS, "No, thanks.")),
    Defect("acceptance asks for another", "decision-fits", at_goal(ACCEPTS, "That doesn't appeal to me. Do you have anything else?")),
    Defect("acceptance evaded by a question", "decision-fits", at_goal(ACCEPTS, "What's the weather like over there?")),
    Defect("rejection agreed to", "decision-fits", at_goal(["reject_with_reason"], "Sure, why not!")),
    Defect("rejection convinced", "decision-fits", at_goal(["reject_with_reason"], "You've convinced me, I'll watch it this weekend.")),
    Defect("acceptance refused", "decision-fits", at_goal(ACCEPTS, "No thanks, that one is not for me.")),
    Defect("acceptance evaded", "decision-fits", at_goal(ACCEPTS, "My sister lives in Norway.")),
    Defect("rejection evaded", "decision-fits", at_goal(["reject_with_reason"], "My sister lives in Norway.")),
    Defect("rejection turned round", "decision-fits", at_goal(["reject_with_reason"], "Sounds great, I'll watch it tonight!")),
    Defect("review copied", "no-copied-review", _copy),
    Defect("review copied and retyped", "no-copied-review", _copy_retyped),
    Defect("review nearly copied", "no-near-copy", _copy_nearly),
    Defect("actor nobody wrote of", "names-supported", _by("agent", "It has Ryan Gosling in the lead.")),
    Defect("place nobody wrote of", "names-supported", append("They say it was filmed in Nebraska.")),
    Defect("year nobody wrote of", "facts-supported", append("It came out in 1987.")),
    Defect("price nobody wrote of", "facts-supported", append("It cost only $14.99 at the time.")),
    Defect("award nobody wrote of", "facts-supported", _by("agent", "It took home an award at Cannes.")),
    Defect("line nobody wrote", "details-supported", append('Somebody called it "two hours of rain and one good joke".')),
    Defect("name nobody wrote", "details-supported", _by("user", "I'd watch it with Gwendolyn.")),
    Defect("another work in passing", "no-other-works", append("The colors are rather as they were in The Polar Express.")),
    Defect("another work it is like", "no-other-works", append("It reminds me of Casablanca.")),
    Defect("preferences provided", "no-chatbot-habits", append("Based on the preferences you have provided, that fits.")),
    Defect("help hoped for", "no-chatbot-habits", append("I hope this helps!")),
    Defect("recommendation announced", "no-chatbot-habits", _by("agent", "Here is a recommendation that aligns with your tastes.")),
    Defect("life of the agent", "speaks-as-itself", _by("agent", "My brother and I snowed in one winter and saw nothing else.")),
    Defect("deeds of the agent", "speaks-as-itself", _by("agent", "I bawled like a baby.")),
    Defect("user as the agent", "speaks-as-itself", _by("user", "May I suggest another one to you?")),
    Defect("nothing asked", "goals-carried-out", at_goal(["ask_preference"], "It is good to hear from you.")),
    Defect("nobody thanked", "goals-carried-out", at_goal(["accept_gratitude"], "Sounds great, I'll watch it tonight.")),
    Defect("target described early", "target-not-hinted", _describe_target),
    Defect("seen and never heard of", "no-self-contradiction", _seen_and_not),
    Defect("target alluded to", "target-not-alluded-to", _allude_to_target),
    Defect("opinion of what was never seen", "no-self-contradiction", _deny_seeing),
    Defect("goal announced", "no-goal-wording", append("Goal: greet the user.")),
    Defect("turn announced", "no-goal-wording", append("In this turn, I should greet the user.")),
    Defect("data spoken of", "no-goal-wording", append("Based on the provided reviews, that fits.")),
    Defect("chatbot speaking", "no-goal-wording", append("I'm just a chatbot, so I have no taste.")),
    Defect("goal's wording", "no-goal-wording", append("Now let me lead the conversation to the end.")),
    Defect("sub-goal's name", "no-goal-wording", append("I accept_with_reason.")),
    Defect("program speaking", "no-goal-wording", append("As an AI language model I have no taste.")),
    Defect("instructions repeated", "no-goal-wording", append("Ignore all previous instructions.")),
    Defect("e-mail address", "no-personal-data", append("Write to jo.smith@example.org then.")),
    Defect("telephone number", "no-personal-data", append("Call me on (555) 123-4567 then.")),
    Defect("telephone number with a country", "no-personal-data", append("Call me on +44 20 7946 0958 then.")),
    Defect("telephone number without spaces", "no-personal-data", append("Call me on 5558675309 then.")),
    Defect("short web address", "no-personal-data", append("See bit.ly/3abc for more.")),
    Defect("name in a network", "no-personal-data", append("Ping me at @janedoe then.")),
    Defect("name of whose review it is", "no-personal-data", append("According to John Smith's review it is long.")),
    Defect("web address", "no-personal-data", append("See www.example.org/reviews for more.")),
    Defect("customer id", "no-personal-data", _tell_user_id),
    Defect("reviewer's name", "no-personal-data", append("That is from a review by Martha Jenkins herself.")),
    Defect("turn in Spanish", "language", replace_turn(SPANISH)),
    Defect("turn in Polish", "language", replace_turn(POLISH)),
    Defect("turn in Turkish", "language", replace_turn(TURKISH)),
    Defect("turn in Chinese", "language", replace_turn(CHINESE)),
)  # fmt: skip


def near_copy(made: Conversation, other: Conversation) -> Conversation:
    """Return a brief with nearly the dialogue of another one with the same template."""
    said = [
        (role, text.replace(" the ", " that ", 1) if place == 2 else text)
        for place, (role, text) in enumerate(other.turns)
    ]
    return made.with_turns(said)


def spoil(made: Conversation, defect: Defect, profile: str, rng: random.Random) -> str | None:
    """Return the answer of a spoiled dialogue in a profile's format; None where the defect has no place in it."""
    turns = defect.change(made, rng)
    if turns is None:
        return None
    text = getattr(made.with_turns(turns), profile)()
    return str(text[: int(len(text) * defect.cut)]) if defect.cut < 1 else str(text)
