"""The answer in a model's output: without reasoning, chat tokens and invented turns."""

from __future__ import annotations

import re

from tasks.model_output.chat_tokens import first_message, without_tokens
from tasks.model_output.limits import MOST_REPLY_CHARACTERS, capped
from tasks.model_output.reasoning import strip_reasoning

_FENCE = re.compile(r"```|~~~")
_OPENING = re.compile(r"(?:```|~~~)[a-zA-Z0-9_+-]{0,20}")
_LANGUAGE = re.compile(r"[\w+-]{0,20}[ \t]{0,8}\r?\n|[a-zA-Z]{1,10}[ \t]{1,8}(?=[\[{])")


def unfenced(text: str) -> str:
    """Return the inside of the one code fence that holds at least half of a text; else the text."""
    pieces = _FENCE.split(text, maxsplit=3)
    if len(pieces) != 3 or 2 * len(pieces[1]) < len(text):
        return text
    language = _LANGUAGE.match(pieces[1])
    return pieces[1][language.end() :] if language else pieces[1]


def without_fences(text: str) -> str:
    """Return text without its fences; what is inside them and around them stays."""
    return _OPENING.sub("", text) if "```" in text or "~~~" in text else text


_SPEAKER = re.compile(
    r"\s*+(?:#{2,4}\s*+(?P<hashed>human|user|assistant|instruction|response)\s{0,8}:"
    r"|(?P<plain>human|user|assistant|agent)\s{0,8}:)",
    re.IGNORECASE,
)
_ANSWERS = frozenset({"assistant", "agent", "response"})
_FINAL_LIST = re.compile(
    r"^[^\w\n]*+(?:(?:my|the)\s)?final\s(?:answer|list|ranking|recommendations?|selection"
    r"|top[ -]?\d{1,3})\b[^\n:]{0,60}:[^\w\n]*+$"
    r"|^[^\w\n]*+final answer:[^\w\n]*+(?=\S)",
    re.IGNORECASE | re.MULTILINE,
)
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")  # no width, but they break every comparison
_WIDE = re.compile(r"(?<=[^\S\n]{16})[^\S\n]+")  # deeper than any list is indented
_EMPTY_LINES = re.compile(r"\n(?:[^\S\n]{0,16}\n){3,}")


def message_text(text: str) -> str:
    """Return the answer itself: no reasoning, one message, the inside of one code fence."""
    return unfenced(first_message(strip_reasoning(capped(text))))


def looks_like_json(text: str) -> bool:
    """Return True if the answer begins as JSON does."""
    return message_text(text).lstrip().startswith(("{", "["))


def reply_text(text: str) -> str:
    """Return a short answer: as `message_text`, fences kept, without turns made up behind it.

    Below a line that announces the final answer only what follows it counts. Invisible characters,
    left-over tokens and long runs of white space are taken out.
    """
    text = _UNSEEN.sub("", capped(text, MOST_REPLY_CHARACTERS).replace("\u00a0", " "))
    if "\n" not in text and text.count("\\n") > 1 and text.lstrip()[:1] not in {"[", "{", '"'}:
        text = text.replace("\\n", "\n")  # stored with its line breaks written out
    text = first_message(strip_reasoning(text))
    text = without_tokens("\n".join(_first_turn(text.splitlines()))).strip()
    return _last_list(_EMPTY_LINES.sub("\n\n", _WIDE.sub("", text)))


def _last_list(text: str) -> str:
    """Return what is below the line that announces the final answer, if anything is."""
    announced = list(_FINAL_LIST.finditer(text))
    below = text[announced[-1].end() :].strip() if announced else ""
    return below or text


def _first_turn(lines: list[str]) -> list[str]:
    """Return the lines of the answer itself: a line that begins another speaker's turn ends it."""
    kept: list[str] = []
    has_text = False
    for line in lines:
        speaker = _SPEAKER.match(line)
        if speaker is None:
            kept.append(line)
            has_text = has_text or bool(line.strip())
            continue
        if has_text:
            break
        if (speaker["hashed"] or speaker["plain"]).lower() in _ANSWERS:
            kept.append(line[speaker.end() :])
            has_text = bool(kept[-1].strip())
    return kept
