"""Reads the paper profile's answers: plain text, one labelled line a turn."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tasks.dialogues.speaker_labels import Label, labelled, labelled_otherwise, lines_of
from tasks.dialogues.values import RawTurn, Reading
from tasks.model_output import message_text, parse_json

_NOISE = re.compile(
    r"[\s>\-=*_#~`.\u2014\u2500]*(?:[\[(<{*]\s*(?:the\s+)?end\b[^\n]{0,40}|the end[.!*_]*)?",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*(?:[-=*_~\u2014\u2500]{3,}|`{3,}\w*)\s*")
_HEADING = re.compile(
    r"\s*(?:#{1,6}\s|\W{0,4}(?:turn|round|utterance|dialogue|conversation|scene)\s*#?\d{1,3}\W*\Z)",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"\W{0,4}(?:notes?|summary|explanation|commentary|analysis|disclaimer|word counts?|goals? covered|total (?:turns|words|utterances)"
    r"|key (?:points|features|elements)|breakdown|checklist)\b\W{0,4}[:\uff1a]"
    r"|\W{0,4}(?:this|that|the above|above|i hope|i've|i have|let me know|here|in this|feel free|please|each|all|the|end of|\d+)\b"
    r"[^\n]{0,80}"
    r"\b(?:dialogue|conversation|template|utterances?|turns|word limit|sub-?goals?|placeholders?|requirements)\b"
    r"|\W{0,4}(?:would you like|do you want|shall i|should i|want me)\b[^\n]{0,12}\b(?:write|create|generate|adjust|revise|modify)\b"
    r"|\|[^|\n]*\|",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"\W*(?:word count\W{1,4}\d{1,3}(?: words?)?|\d{1,3} words)\W*", re.IGNORECASE
)
_UNFINISHED = re.compile(r"[\w,;:(\[{<\\/-]\Z")
_SMILE = re.compile(
    r"(?:<3|[:;=]-?[DPpOo3]|[.!?] (?:(?:ha){2,}|(?:he){2,}|lol|xo+))\Z", re.IGNORECASE
)
_SENTENCE_END = re.compile(r"[.!?\u2026)\]\"\u201d*]\s*\Z")
_COLONS = frozenset(":\uff1a")
_QUOTES = {'"': '"', "\u201c": "\u201d", "'": "'"}


def read_plain(text: str) -> Reading:
    """Take a plain-text answer apart.

    Labels are read as `labels` says, unlabelled lines continue the turn before them, and what
    stands before the first label is dropped, as are headings, and remarks on the dialogue set off
    by an empty line or a rule. Somebody else's line is a turn of its own, with the name it bears.
    `whole` is False when the last turn ends without a mark that ends a sentence.
    """
    body = _unquoted(message_text(text))
    if "\n" not in body.strip() and "\\n" in body:  # line breaks written out
        body = body.replace("\\n", "\n")
    heard = _LineReader()
    for line in lines_of(body):
        heard.line(line)
    turns = _without_marks([RawTurn(label.role, " ".join(lines)) for label, lines in heard.spoken])
    if not turns:
        return Reading((), whole=False, error="no line is labelled User or Agent")
    return Reading(tuple(turns), whole=_ends(turns[-1].text.rstrip()))


def _ends(text: str) -> bool:
    """Tell whether a text ends with a mark that ends a sentence, or with a smile."""
    return bool(text) and (not _UNFINISHED.search(text) or bool(_SMILE.search(text)))


@dataclass
class _LineReader:
    """What has been heard.

    Attributes:
        spoken: turns as their label and lines.
        named: a speaker's name that stood alone on its line and waits for its words.
        gap: whether an empty line or a rule came last.
        aside: whether a remark goes on.
    """

    spoken: list[tuple[Label, list[str]]] = field(default_factory=list)
    named: Label | None = None
    gap: bool = False
    aside: bool = False

    def line(self, line: str) -> None:
        if not line:
            self.gap = True
            return
        label = labelled(line) or (self._somebody(line) if ":" in line else None)
        if label is not None:
            self.named = label if not label.text and _COLONS.isdisjoint(line) else None
            if self.named is None:
                self.spoken.append((label, [label.text]))
            self.gap = self.aside = False
        elif _NOISE.fullmatch(line) or _HEADING.match(line) or _COUNTED.fullmatch(line):
            self.gap = True
            self.aside = (
                self.aside
                or bool(_RULE.fullmatch(line))
                or (bool(self.spoken) and line.lstrip().startswith("#"))
            )
        elif self.named is not None:
            self.spoken.append((self.named, [line]))
            self.named = None
        elif self.spoken:
            self.aside = self.aside or (self.gap and bool(_ASIDE.match(line)))
            if not self.aside:
                self.spoken[-1][1].append(line)

    def _somebody(self, line: str) -> Label | None:
        """Return the label of a third speaker, where a line before it has come to an end."""
        if (
            not self.spoken
            or self.aside
            or not _SENTENCE_END.search(self.spoken[-1][1][-1])
            or (self.gap and _ASIDE.match(line))
        ):
            return None
        return labelled_otherwise(line)


def _unquoted(text: str) -> str:
    """Return the dialogue inside quotation marks that stand around all of it; a JSON string is decoded."""
    body = text.strip()
    if (
        len(body) < 2
        or _QUOTES.get(body[0]) != body[-1]
        or not labelled(body[1:].split("\n", 1)[0])
    ):
        return text
    decoded = parse_json(body) if body[0] == '"' else None
    return decoded if isinstance(decoded, str) else body[1:-1]


def _without_marks(turns: Sequence[RawTurn]) -> list[RawTurn]:
    """Return turns without quotation marks, where every one of them stands between such marks."""
    said = [turn.text.strip() for turn in turns]
    marked = [
        len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] != "'" for text in said
    ]
    alone = [sum(text.count(mark) for mark in '"\u201c\u201d') == 2 for text in said]
    if not all(marked) or 2 * sum(alone) < len(turns):
        return list(turns)
    return [RawTurn(turn.role, text[1:-1]) for turn, text in zip(turns, said, strict=True)]
