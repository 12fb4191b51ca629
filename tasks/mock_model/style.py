"""Final edits of an utterance: capitals, articles and contractions."""

from __future__ import annotations

import re

_SENTENCE = re.compile(r"([.!?] +)([a-z])")
_ARTICLE = re.compile(r" ([Aa]) (?=[aeiouAEIOU])(?!uni|use|usu|eu|one\b|once)")
_HAVING = frozenset(
    [
        "already",
        "just",
        "been",
        "never",
        "not",
        "got",
        "looked",
        "read",
        "come",
        "found",
        "had",
        "heard",
    ]
)
_SHORT_FORMS = {
    "is": "'s",
    "am": "'m",
    "will": "'ll",
    "would": "'d",
    "are": "'re",
    "have": "'ve",
    "not": "n't",
}
# What may stand before each; "I have a cat" is not shortened, so `have` also looks at what follows.
_AFTER = {
    "is": frozenset(["it", "that", "there", "what", "here"]),
    "am": frozenset(["i"]),
    "will": frozenset(["i", "they", "you", "we", "it", "that"]),
    "would": frozenset(["i"]),
    "are": frozenset(["they", "you", "we"]),
    "have": frozenset(["i", "they", "you"]),
    "not": frozenset(["could", "would", "do", "does", "did", "is", "was", "have", "has"]),
}


def tidy(text: str) -> str:
    """Put in capitals after full stops, and `an` where it belongs."""
    text = _SENTENCE.sub(lambda found: found[1] + found[2].upper(), text[:1].upper() + text[1:])
    return _ARTICLE.sub(r" \1n ", f" {text}")[1:]


def contracted(text: str) -> str:
    """Write `I am` as `I'm` and the like, as most people do; never before a pause."""
    words = text.split(" ")
    for at in range(len(words) - 3, -1, -1):
        second = words[at + 1]
        if second in _SHORT_FORMS and words[at].lower() in _AFTER[second] and _goes_on(words, at):
            words[at : at + 2] = [words[at] + _SHORT_FORMS[second]]
    return " ".join(words)


def _goes_on(words: list[str], at: int) -> bool:
    third = words[at + 2]
    if words[at + 1] == "have" and third not in _HAVING:
        return False
    return third[:1].islower() and not (at and words[at - 1] == "of")
