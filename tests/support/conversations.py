"""Made-up briefs and good dialogues to judge: as many as wanted, seeded, in both answer formats."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import duckdb
import pyarrow as pa

from tasks.dialogues import SlotItem
from tasks.fingerprint import content_id
from tasks.templates.values import Slot, Template, Turn
from tasks.warehouse import create_tables


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST = _words(
    "Silent Paper Golden Broken Distant Hidden Crimson Hollow Electric Midnight Winter Lonely Velvet Savage Gentle Copper"
)
SECOND = _words(
    "Harbour Lantern Garden Mirror Empire River Station Orchard Signal Horizon Carnival Kingdom Letter Passage Shadow Engine"
)
SHORT = ("It", "Home", "Big", "Heat", "Once", "Speed")
LOOKS = _words(
    "bright careful clumsy clever crisp daring dull earnest faded fierce frail gloomy grainy honest hushed jolly lavish muted quiet rough"
)
PARTS = _words(
    "opening ending villain score camera dialogue setting humour tension romance lighting casting rhythm mystery chase finale"
)
DOES = _words(
    "carries drifts lingers builds unfolds stumbles rises circles settles returns shifts glows wanders tightens"
)
HOW = _words(
    "slowly quickly nicely oddly almost twice everywhere afterwards throughout halfway sometimes steadily inside"
)

LIKED = (
    "I really enjoyed it",
    "I loved it",
    "it was wonderful for me",
    "I had a great time with it",
    "it was one of my favourites",
)
DISLIKED = (
    "I was disappointed by it",
    "it bored me",
    "I did not like it at all",
    "it was a letdown for me",
    "it felt like a waste of time",
)
PHRASES: dict[str, tuple[str, ...]] = {
    "greeting_likes": ("Hi, I recently watched {new} and {liked}; {detail}.", "Hello! I saw {new} last week, {liked} because {detail}."),
    "greeting_dislikes": ("Hi, I recently watched {new} and {disliked}; {detail}.", "Hello, I tried {new}, but {disliked} since {detail}."),
    "ask_recommendation": ("Could you suggest something where {detail}?", "What should I watch next? I want something where {detail}."),
    "respond_mood": ("I see how you feel about that, {detail} is how many put it.", "That makes sense to me, {detail} after all."),
    "respond_simply": ("Thank you for telling me about it.", "I understand, thanks for sharing that with me."),
    "ask_preference": ("What matters most to you, the {part} or the {part2}?", "Do you look at the {part} first, or at the {part2}?"),
    "recommend_likes": ("How about {new}? People say that {detail}.", "You could try {new}, where {detail}."),
    "recommend_dislikes": ("Maybe {new} would suit you, since {detail}.", "Have you thought about {new}? In it {detail}."),
    "recommend_might_likes": ("Then I would suggest {new}, as {detail}.", "In that case {new} may be for you: {detail}."),
    "introduce_other_mightlikes": ("Someone wrote that {detail}, and that {detail2}.", "Others mention how {detail} while {detail2}."),
    "reject_with_reason+have_seen": ("Thanks, but I have already seen {last}; {detail}.", "No, I have seen that one before, {detail}."),
    "reject_with_reason+dislikes_review": (
        "No thanks, I watched {last} and {disliked}, {detail}.",
        "I'd rather not, {disliked} when {detail}.",
    ),
    "accept_with_reason": ("That sounds good, I will watch it because {detail}.", "Great, I'd love to see it if {detail}."),
    "accept_gratitude": ("Sounds great, I'll give it a try. Thank you!", "I will watch it tonight, thanks a lot!"),
    "express_interest": ("Interesting, tell me more about how {detail}.", "Oh, I am curious about that, does it mean {detail}?"),
    "end_conversation": ("Enjoy it, and come back any time.", "Have a nice evening, and tell me how you found the {part}."),
}  # fmt: skip


def _template(
    name: str, recommendations: int, turns: Iterable[Turn], slots: Iterable[Slot]
) -> Template:
    return Template(name, recommendations, tuple(turns), tuple(slots))


TEMPLATES = (
    _template("one", 1, (
        Turn("user", ("greeting_likes",), (1,)),
        Turn("agent", ("respond_mood",), (), (1,)),
        Turn("user", ("ask_recommendation",), (), (1,)),
        Turn("agent", ("recommend_might_likes",), (2,), (1,)),
        Turn("user", ("accept_gratitude",), (), (2,)),
        Turn("agent", ("end_conversation",), (), (2,)),
    ), (Slot(1, "LIKES", user_review=True), Slot(2, "MIGHT_LIKES"))),
    _template("two", 2, (
        Turn("user", ("greeting_dislikes",), (1,)),
        Turn("agent", ("respond_simply", "ask_preference"), (), (1,)),
        Turn("user", ("ask_recommendation",), (), (1,)),
        Turn("agent", ("recommend_likes",), (2,), (1,)),
        Turn("user", ("reject_with_reason", "have_seen"), (), (2,)),
        Turn("agent", ("recommend_might_likes",), (3,), (1, 2)),
        Turn("user", ("express_interest",), (), (3,)),
        Turn("agent", ("introduce_other_mightlikes",), (), (3,)),
        Turn("user", ("accept_with_reason",), (), (1, 3)),
        Turn("agent", ("end_conversation",), (), (3,)),
    ), (Slot(1, "DISLIKES", user_review=True), Slot(2, "LIKES"), Slot(3, "MIGHT_LIKES", other_review=True))),
    _template("three", 3, (
        Turn("user", ("greeting_likes",), (1,)),
        Turn("agent", ("respond_mood",), (), (1,)),
        Turn("user", ("ask_recommendation",), (), (1,)),
        Turn("agent", ("recommend_dislikes",), (2,), (1,)),
        Turn("user", ("reject_with_reason", "dislikes_review"), (), (2,)),
        Turn("agent", ("recommend_likes",), (3,), (1, 2)),
        Turn("user", ("reject_with_reason", "have_seen"), (), (3,)),
        Turn("agent", ("respond_simply",), (), (3,)),
        Turn("user", ("ask_recommendation",), (), (1,)),
        Turn("agent", ("recommend_might_likes",), (4,), (1, 3)),
        Turn("user", ("express_interest",), (), (4,)),
        Turn("agent", ("introduce_other_mightlikes",), (), (4,)),
        Turn("user", ("accept_gratitude",), (), (4,)),
        Turn("agent", ("end_conversation",), (), (4,)),
    ), (Slot(1, "LIKES", user_review=True), Slot(2, "DISLIKES", user_review=True), Slot(3, "LIKES"),
        Slot(4, "MIGHT_LIKES", other_review=True))),
)  # fmt: skip


@dataclass(frozen=True)
class Conversation:
    """One brief with a good dialogue: `turns` are (role, text with placeholders); `reviews` are texts by (slot, "user" or "other")."""

    dialogue_id: str
    user_id: str
    template: Template
    items: tuple[SlotItem, ...]
    turns: tuple[tuple[str, str], ...]
    reviews: dict[tuple[int, str], str]

    def with_turns(self, turns: Sequence[tuple[str, str]]) -> Conversation:
        """Return the same brief with another dialogue."""
        return replace(self, turns=tuple(turns))

    def grounded(self) -> str:
        """Return the answer as the grounded profile writes it."""
        return json.dumps(
            {"turns": [{"role": role, "text": text} for role, text in self.turns]},
            ensure_ascii=False,
        )

    def paper(self) -> str:
        """Return the answer as the paper profile writes it, titles in quotation marks."""
        titles = {item.slot: f'"{item.title}"' for item in self.items}
        lines = []
        for role, text in self.turns:
            for slot, title in titles.items():
                text = text.replace(f"{{{{item:{slot}}}}}", title)
            lines.append(f"{role.capitalize()}: {text}")
        return "\n\n".join(lines)


def titles(count: int) -> list[str]:
    """Return distinct invented titles, some of them everyday words."""
    pairs = [
        f"The {a} {b}" if (i + j) % 3 == 0 else f"{a} {b}"
        for i, a in enumerate(FIRST)
        for j, b in enumerate(SECOND)
    ]
    numbered = (
        f"{pairs[n % len(pairs)]} {n // len(pairs) + 1}" if n >= len(pairs) else pairs[n]
        for n in range(count)
    )
    return [*SHORT, *numbered][:count]


def detail(rng: random.Random) -> str:
    """Return a clause that reads like a point of a review."""
    return f"the {rng.choice(LOOKS)} {rng.choice(PARTS)} {rng.choice(DOES)} {rng.choice(HOW)}"


def review(rng: random.Random, words: int = 90) -> str:
    """Return review text of about so many words."""
    return (
        ". ".join(f"{detail(rng).capitalize()} and {detail(rng)}" for _ in range(words // 11)) + "."
    )


def conversation(number: int, catalogue: Sequence[str], seed: int = 1) -> Conversation:
    """Return the good dialogue of one number."""
    rng = random.Random(f"{seed}-{number}")
    template = TEMPLATES[number % len(TEMPLATES)]
    chosen = rng.sample(range(len(catalogue)), len(template.slots))
    items = tuple(
        SlotItem(slot.number, f"i{place:06d}", catalogue[place])
        for slot, place in zip(template.slots, chosen, strict=True)
    )
    turns, last = [], 0
    for turn in template.turns:
        last = max((last, *turn.introduces))
        turns.append((turn.role, _utterance(rng, turn, last)))
    reviews = {(slot.number, "user"): review(rng) for slot in template.slots if slot.user_review}
    reviews |= {(slot.number, "other"): review(rng) for slot in template.slots if slot.other_review}
    return Conversation(
        content_id(["made", seed, number]),
        f"u{number // 3}",
        template,
        items,
        tuple(turns),
        reviews,
    )


def _utterance(rng: random.Random, turn: Turn, last: int) -> str:
    joined = "+".join(turn.goals)
    keys = [joined] if joined in PHRASES else list(turn.goals)
    new = f"{{{{item:{turn.introduces[0]}}}}}" if turn.introduces else ""
    parts = rng.sample(PARTS, 2)
    return " ".join(
        rng.choice(PHRASES[key]).format(
            new=new, last=f"{{{{item:{last}}}}}", liked=rng.choice(LIKED), disliked=rng.choice(DISLIKED),
            detail=detail(rng), detail2=detail(rng), part=parts[0], part2=parts[1],
        )
        for key in keys
    )  # fmt: skip


def warehouse(
    conversations: Sequence[Conversation], catalogue: Sequence[str], path: str = ":memory:"
) -> duckdb.DuckDBPyConnection:
    """Return a warehouse with everything that stands before the transcripts: items, reviews, templates, briefs."""
    con = duckdb.connect(path, config={"threads": "2", "memory_limit": "600MB"})
    create_tables(con)
    _insert(
        con,
        "items",
        [(f"i{place:06d}", title, title, f"i{place:06d}") for place, title in enumerate(catalogue)],
    )
    _insert(con, "template_turns", [
        (template.template_id, template.recommendations, number, turn.role, list(turn.goals), list(turn.introduces), list(turn.refers))
        for template in TEMPLATES for number, turn in enumerate(template.turns, 1)
    ])  # fmt: skip
    plan(con, conversations)
    return con


def plan(
    con: duckdb.DuckDBPyConnection, conversations: Sequence[Conversation], first: int = 0
) -> None:
    """Add the briefs of conversations, numbered from `first`, with the reviews they draw on."""
    _insert(con, "briefs", [
        (c.dialogue_id, c.user_id, 1, c.items[-1].item_id, c.template.template_id, c.template.recommendations, len(c.template.turns), order)
        for order, c in enumerate(conversations, first)
    ])  # fmt: skip
    slots = [
        (c, item, slot)
        for c in conversations
        for item, slot in zip(c.items, c.template.slots, strict=True)
    ]
    _insert(con, "brief_items", [
        (c.dialogue_id, slot.number, item.item_id, item.title, slot.collection,
         _review_id(c, slot.number, "user"), _review_id(c, slot.number, "other"))
        for c, item, slot in slots
    ])  # fmt: skip
    _insert(con, "reviews", [
        (_review_id(c, slot, who), c.user_id if who == "user" else "other", "", 5.0, text, len(text.split()), 0, 0, True)
        for c in conversations for (slot, who), text in c.reviews.items()
    ])  # fmt: skip


def _review_id(made: Conversation, slot: int, who: str) -> str | None:
    return f"{made.dialogue_id}-{slot}-{who}" if (slot, who) in made.reviews else None


def answer(
    con: duckdb.DuckDBPyConnection,
    texts: Sequence[tuple[str, str]],
    profile: str,
    attempt: int = 1,
    finish_reason: str = "stop",
) -> None:
    """Add answered transcripts: (dialogue id, text)."""
    _insert(con, "transcripts", [
        (dialogue_id, attempt, "answered", text, finish_reason, "", [f"k-{dialogue_id}-{attempt}"], profile, "single", "r")
        for dialogue_id, text in texts
    ])  # fmt: skip


def _insert(con: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Sequence[object]]) -> None:
    if not rows:
        return
    names = [column[0] for column in con.execute(f"DESCRIBE {table}").fetchall()]
    con.register(
        "made_rows",
        pa.table(
            dict(zip(names, (list(column) for column in zip(*rows, strict=True)), strict=True))
        ),
    )
    con.execute(f"INSERT INTO {table} SELECT * FROM made_rows")
    con.unregister("made_rows")
