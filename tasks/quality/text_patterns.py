"""What can be seen in an utterance's text alone (2.5.2).

That is: unreadable characters, pieces of the template left over, personal data. Patterns are in the
syntax of polars (Rust), whose time is linear in any text. Python reads them too, to show the piece.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from tasks.dialogues import is_title_of
from tasks.languages import UNSPACED_TEXT, Language

# Replacement, control and private characters, marks that reverse the direction of reading, UTF-8
# read as Latin-1 (also of kana) or as Shift JIS, symbol salad.
_UNREADABLE: Final = (
    "[\ufffd\ufeff\u200b\u202a-\u202e\u2066-\u2069\x00-\x1f\x7f-\x9f\ue000-\uf8ff\ufff0-\uffff]"
    "|[\u00c2\u00c3\u00d0\u00d1][\u0080-\u00bf]|\u00e2\u20ac|\u00ef\u00bf\u00bd"
    "|(?:\u00e3[\u0080-\u00bf\u201a\u0192].?){2}|[\u7e3a\u7e67\u7e5d].{0,3}[\u7e3a\u7e67\u7e5d]"
    r"|[#$%&@^~|\\<>/;]{4,}"
)
# Braces, slots in capitals as Table 6 prints them, bracketed or underlined blanks, names of blanks
# between underscores or percent signs, a placeholder without its braces; tokens of a chat template,
# tags, code fences, and the label of a speaker inside a speech.
TEMPLATE_LEFT: Final = (
    r"\{+[^{}]{0,60}\}*|\}"
    r"|\[?(?:USER|OTHER)_[A-Z_]*\]?|\b[A-Z]+_(?:LIKES|DISLIKES|REVIEW)\b|\bMIGHT_?LIKES\b"
    r"|(?i:\[[a-z' ]{0,30}"
    r"\b(?:items?|titles?|names?|movie|film|book|product|slot|review|reason|agent|user|placeholder"
    r"|blank)\b[^\[\]]{0,30}\])"
    r"|(?i:<(?:item|title|slot|name|product|movie|book)[^<>]{0,20}>)"
    r"|(?i:\bitem ?[:#_]\d)"
    r"|(?i:\((?:insert|add|your) [a-z' ]{1,30}\))"
    r"|_{3,}|__[A-Z]{2}|%[A-Z_]{2,20}%|\[\[|\[/?INST\]"
    r"|<\|[^|<>]{0,40}\|>|</?[a-zA-Z][a-zA-Z0-9 =\"'/:.;,()#_-]{0,80}>|```"
    r"|(?:^|[.!?\u2026\"\u201d)*] ?)[*_]{0,2}"
    r"(?:User|Agent|Assistant|Recommender|Seeker|Customer|Human|AI)(?: ?\d)?[*_]{0,2}:"
)
# E-mail, web address, a name in a network (@name), telephone number (seven digits and more, written
# as one), an Amazon customer id, a name given as the writer of a review.
PERSONAL: Final = (
    r"(?i:[a-z0-9._%+-]+ ?(?:@|\(at\)|\[at\]) ?[a-z0-9-]+(?:\.| ?\(dot\) ?|\[dot\])[a-z]{2,})"
    r"|(?i:\bhttps?:|\bwww\.|\b[a-z0-9-]{2,}\.(?:com|net|org|info|co\.uk|de|io)\b"
    r"|\b[a-z0-9-]{2,}\.[a-z]{2,4}/[a-z0-9])"
    r"|(?:^|[ (])@[a-zA-Z]\w{2,}"
    r"|(?:\+\d{1,3}[ .-]?)?(?:\(\d{2,4}\)[ .-]?|\b\d{2,4}[ .-])\d{3}[ .-]?\d{3,4}\b"
    r"|\b\d{3}[.-]\d{4}\b|\+\d{8,15}\b"
    r"|\+\d{1,3}(?:[ .-]\(?\d{2,4}\)?){3,4}\b|\(0\d{1,4}\) ?\d{3,4}[ -]?\d{3,4}\b"
    r"|\b[2-9]\d{2}[2-9]\d{6}\b"
    r"|\bA[0-9A-Z]{12,13}\b"
    r"|\b(?i:review(?:ed)? (?:is |was )?(?:written )?(?:by|from)|reviewer(?: named| called)?|"
    r"(?:a |the )?(?:customer|user) (?:named|called)) "
    r"[A-Z][a-z]+(?: [A-Z][a-z]*\.?)?"
    r"|\b(?:[A-SU-Z][a-z]+|T[a-gi-z][a-z]*|Th[a-df-z][a-z]*) [A-Z][a-z]+['\u2019]s review\b"
)
QUOTED: Final = (
    '["\u201c\u00ab*_](?P<marked>[A-Z0-9][^"\u201c\u201d\u00ab\u00bb*_]{2,80})["\u201d\u00bb*_]'
    "|[\u201e\u00bb](?P<low>[\\p{Lu}0-9][^\u201e\u201c\u00ab\u00bb]{2,80})[\u201c\u00ab]"
    "|\u300e(?P<work>[^\u300e\u300f]{2,80})\u300f"
    "|(?:^|[ (])['\u2018](?P<single>[A-Z0-9][^\"\u2018\u201c\u201d*_]{2,80}?)['\u2019]"
    "(?:[ .,!?;:)]|$)"
)
_QUOTED: Final = re.compile(QUOTED.replace(r"\p{Lu}", "A-Z\u00c0-\u00d6\u00d8-\u00de"))
_DECADE: Final = re.compile(r"[ (]?['\u2018]\d0s\b")
# One word in marks is a title where the word before it says so.
_CALLED: Final = re.compile(
    r"(?i)\b(?:watch(?:ed|ing)?|see|seen|saw|read|suggest|recommend|try|tried|than|movie|film|book"
    r"|novel|series)"
    '\\s+(?-i:["\u201c\u00ab*_](?P<one>[A-Z][a-z]{3,30})["\u201d\u00bb*_])'
)
_AWARD: Final = re.compile(
    r"(?i)(?:best|outstanding) (?:\w+ )?"
    r"(?:picture|film|director|actor|actress|score|screenplay|song|album|book|novel)"
)
_SMALL: Final = frozenset(
    {
        "a",
        "an",
        "and",
        "as",
        "at",
        "by",
        "for",
        "from",
        "in",
        "of",
        "on",
        "or",
        "the",
        "to",
        "with",
        "de",
        "la",
        "vs",
    }
)


def garbled_pattern(language: Language) -> str:
    """Return a pattern of what nobody can read.

    That is unreadable characters, too many consonants in a row, or a chain without a space. How
    many are too many depends on the language: German has "Angstschwei\u00df". Letters of scripts
    without spaces belong to no chain.
    """
    most = language.unreadable
    consonants = f"[bcdfghjklmnpqrstvwxz]{{{most.consonants},}}"
    return f"{_UNREADABLE}|{consonants}|[^\\s{UNSPACED_TEXT}]{{{most.chain},}}"


def template_pattern(language: Language) -> str:
    """Return a pattern of pieces of the template, with a language's words for placeholders."""
    if not language.placeholders:
        return TEMPLATE_LEFT
    either = "|".join(map(re.escape, language.placeholders))
    inside = r"[^\[\]<>\u3010\u3011]{0,30}"
    return rf"{TEMPLATE_LEFT}|(?i:[\[<\u3010]{inside}(?:{either}){inside}[\]>\u3011])"


def offending(pattern: str, text: str) -> str:
    """Return the first piece of a text that matches a pattern, or an empty string."""
    found = re.search(pattern, text)
    return found[0] if found else ""


def titles_in_quotes(text: str, own: Sequence[str]) -> list[str]:
    """Return what is quoted like a title, but is none of the dialogue's own and no award.

    That is: two words or more, all but the small ones with a capital; or one such word after
    "watched", "read", "suggest" and the like; or whatever stands in the marks of Japanese titles.
    """
    quoted = []
    for mark in _QUOTED.finditer(text):
        piece = (mark["work"] or mark["marked"] or mark["low"] or mark["single"]).strip(" .,!?;:~")
        is_award = _AWARD.fullmatch(piece) is not None
        is_title = bool(mark["work"]) or (_looks_like_title(piece) and not is_award)
        if piece and is_title and not _DECADE.match(mark[0]):
            quoted.append(piece)
    quoted += [mark["one"] for mark in _CALLED.finditer(text)]
    return [piece for piece in quoted if not any(is_title_of(piece, title) for title in own)]


def _looks_like_title(piece: str) -> bool:
    words = piece.split()
    main_words = [word for word in words if word.lower() not in _SMALL]
    return (
        len(main_words) >= 2
        and all(not word[0].islower() for word in main_words)
        and any(word[0].isalpha() for word in main_words)
    )
