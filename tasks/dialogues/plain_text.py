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
    # Notes: ...
    r"\W{0,4}(?:notes?|summary|explanation|commentary|analysis|disclaimer|word counts?"
    r"|goals? covered|total (?:turns|words|utterances)"
    r"|key (?:points|features|elements)|breakdown|checklist)\b\W{0,4}[:\uff1a]"
    # This dialogue follows the template ...
    r"|\W{0,4}(?:this|that|the above|above|i hope|i've|i have|let me know|here|in this|feel free"
    r"|please|each|all|the|end of|\d+)\b[^\n]{0,80}"
    r"\b(?:dialogue|conversation|template|utterances?|turns|word limit|sub-?goals?|placeholders?"
    r"|requirements)\b"
    # Would you like me to adjust it?
    r"|\W{0,4}(?:would you like|do you want|shall i|should i|want me)\b[^\n]{0,12}"
    r"\b(?:write|create|generate|adjust|revise|modify)\b"
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
    """Read the turns of a plain-text answer.

    Labels are those of `speaker_labels`; unlabelled lines continue the turn before them. Text
    before the first label is dropped, as are headings, and remarks on the dialogue set off by an
    empty line or a rule. The line of a third speaker is a turn of its own, with the speaker's name.
    `whole` is False when the last turn ends without a mark that ends a sentence.
    """
    body = _unquoted(message_text(text))
    if "\n" not in body.strip() and "\\n" in body:  # line breaks written out
        body = body.replace("\\n", "\n")
    reader = _LineReader()
    for line in lines_of(body):
        reader.read(line)
    turns = _without_marks([RawTurn(label.role, " ".join(lines)) for label, lines in reader.turns])
    if not turns:
        return Reading((), whole=False, error="no line is labelled User or Agent")
    return Reading(tuple(turns), whole=_ends(turns[-1].text.rstrip()))


def _ends(text: str) -> bool:
    """Return True if a text ends with a mark that ends a sentence, or with a smile."""
    return bool(text) and (not _UNFINISHED.search(text) or bool(_SMILE.search(text)))


@dataclass
class _LineReader:
    """Reads an answer line by line.

    Attributes:
        turns: the turns so far, each as its label and lines.
        pending: the label of a speaker alone on a line, whose words are on the next one.
        after_gap: whether the line before was empty, a rule or a heading.
        in_remark: whether the lines are a remark on the dialogue, up to the next label.
    """

    turns: list[tuple[Label, list[str]]] = field(default_factory=list)
    pending: Label | None = None
    after_gap: bool = False
    in_remark: bool = False

    def read(self, line: str) -> None:
        if not line:
            self.after_gap = True
            return
        label = labelled(line) or (self._third_speaker(line) if ":" in line else None)
        if label is not None:
            self._begin_turn(label, line)
        elif _is_separator(line):
            self._separate(line)
        elif self.pending is not None:
            self.turns.append((self.pending, [line]))
            self.pending = None
        elif self.turns:
            self._continue_turn(line)

    def _begin_turn(self, label: Label, line: str) -> None:
        self.after_gap = self.in_remark = False
        is_name_alone = not label.text and _COLONS.isdisjoint(line)
        self.pending = label if is_name_alone else None
        if not is_name_alone:
            self.turns.append((label, [label.text]))

    def _separate(self, line: str) -> None:
        """Read a line without speech; a rule or a later heading begins a remark."""
        self.after_gap = True
        is_later_heading = bool(self.turns) and line.lstrip().startswith("#")
        if is_later_heading or _RULE.fullmatch(line):
            self.in_remark = True

    def _continue_turn(self, line: str) -> None:
        if self.after_gap and _ASIDE.match(line):
            self.in_remark = True
        if not self.in_remark:
            self.turns[-1][1].append(line)

    def _third_speaker(self, line: str) -> Label | None:
        """Return the label of a third speaker, where the line before ends a sentence."""
        if not self.turns or self.in_remark or (self.after_gap and _ASIDE.match(line)):
            return None
        last_line = self.turns[-1][1][-1]
        return labelled_otherwise(line) if _SENTENCE_END.search(last_line) else None


def _is_separator(line: str) -> bool:
    """Return True for a line without speech: a rule, an end mark, a heading or a word count."""
    matches = _NOISE.fullmatch(line) or _HEADING.match(line) or _COUNTED.fullmatch(line)
    return matches is not None


def _unquoted(text: str) -> str:
    """Return the dialogue inside quotation marks around all of it; decode a JSON string."""
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
    """Return turns without quotation marks, where every one of them is between such marks."""
    texts = [turn.text.strip() for turn in turns]
    alone = [sum(text.count(mark) for mark in '"\u201c\u201d') == 2 for text in texts]
    if not all(map(_is_quoted, texts)) or 2 * sum(alone) < len(turns):
        return list(turns)
    return [RawTurn(turn.role, text[1:-1]) for turn, text in zip(turns, texts, strict=True)]


def _is_quoted(text: str) -> bool:
    return len(text) > 1 and _QUOTES.get(text[0]) == text[-1] and text[0] != "'"
