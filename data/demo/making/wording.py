"""Turns one line of material into a sentence: alternatives picked, slots and names filled, case put right."""

from __future__ import annotations

import random
import re

from making.material import Film, Line, Person

INNERMOST = re.compile(r"\{([^{}]*)\}")
SLOT = re.compile(r"<(\w+)>")
NAME = re.compile(r"@([abcd])('s)?")
# Words that lose their capital when something is put in front of the sentence.
FUNCTION_WORDS = frozenset(
    "The It It's There There's They They're You You're That That's This A An Some Half Most When What Nobody Everybody Everyone Not No "
    "Watching Even Just Each Every If By Two Three Four His Her Their Its These Those We Our All Whoever Somebody Someone Why How "
    "Nothing Something People One Once After Before Until Only Whole Very Never At In On".split()
)
FAMILY = re.compile(r"\b[Mm]y (wife|husband|girlfriend|boyfriend|fiance)\b")
CHILDREN = re.compile(r"\b[Mm]y (kids|kid|son|daughter|sons|daughters|children|youngest|oldest|two)\b|\b[Mm]ine (were|was|wandered|gave)\b")


def spin(text: str, rng: random.Random) -> str:
    """Pick one of each `{a|b}`, inside out."""
    while (found := INNERMOST.search(text)) is not None:
        text = text[: found.start()] + rng.choice(found.group(1).split("|")) + text[found.end() :]
    return text


def capitalised(text: str) -> str:
    """Return the text with its first letter large."""
    for position, letter in enumerate(text):
        if letter.isalpha():
            return text[:position] + letter.upper() + text[position + 1 :]
        if letter.isdigit():
            break
    return text


def lowered(text: str) -> str:
    """Return the text with its first letter small if its first word is a plain function word."""
    first = text.split(" ", 1)[0].rstrip(",.")
    return text[0].lower() + text[1:] if first in FUNCTION_WORDS else text


def suits(text: str, person: Person) -> bool:
    """Tell whether a sentence is true to the person: no wife for the unmarried, no children for the childless."""
    family = FAMILY.search(text)
    if family and family.group(1) not in person.tags:
        return False
    if CHILDREN.search(text) and "kids" not in person.tags:
        return False
    return not ("grown man" in text and "husband" in person.tags)


class Speaker:
    """One review's memory of what was named: players by full name first, by surname after."""

    def __init__(self, film: Film, person: Person, slots: dict[str, str], rng: random.Random) -> None:
        self.film = film
        self.person = person
        self.slots = slots
        self.rng = rng
        self.named: set[str] = set()

    def say(self, line: Line, extra: dict[str, str] | None = None) -> str | None:
        """Return the line as a sentence, or None if it cannot be said by this person of this film."""
        slots = {**self.slots, **(extra or {})}
        for _ in range(8):
            text = spin(line.text, self.rng)
            if any(name not in slots and name.lower() not in slots for name in SLOT.findall(text)):
                continue
            text = spin(SLOT.sub(lambda found: self._slot(found.group(1), slots), text), self.rng)
            if suits(text, self.person):
                return capitalised(self._names(text))
        return None

    def _slot(self, name: str, slots: dict[str, str]) -> str:
        value = slots.get(name) or slots[name.lower()]
        return value if name in slots or value[0] == "@" else capitalised(value)

    def _names(self, text: str) -> str:
        return NAME.sub(lambda found: self._name(found.group(1), found.group(2) or "", text), text)

    def _name(self, letter: str, possessive: str, text: str) -> str:
        if letter == "d":
            full, character, sex = self.film.facts["director"], "", ""
        else:
            actor = self.film.cast["abc".index(letter)]
            full, character, sex = actor.name, actor.character, actor.sex
        if letter in self.named:
            return full.split(" ")[-1] + possessive
        self.named.add(letter)
        by_part = character[:1].isupper() and not possessive and character.split()[-1] not in text and " as " not in text
        if by_part and self.person.voice not in {"film", "collector", "measured"} and self.rng.random() < 0.3:
            words = {"m": ("the guy who plays", "the man playing"), "f": ("the woman who plays", "the actress playing")}[sex]
            return f"{self.rng.choice(words)} {character}"
        return full + possessive
