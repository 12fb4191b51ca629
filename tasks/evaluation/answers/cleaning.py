"""What of a model's output is its answer: no reasoning, no chat tokens, no further turns it made up."""

from __future__ import annotations

import re

_REASONING = r"(?:think|thinking|thought|reasoning|reflection|scratchpad|analysis)"
_CLOSED = re.compile(rf"<{_REASONING}>.*?</{_REASONING}>", re.DOTALL | re.IGNORECASE)
_CLOSE = re.compile(rf"</{_REASONING}>", re.IGNORECASE)
_OPEN = re.compile(rf"<{_REASONING}>", re.IGNORECASE)
_FINAL = re.compile(r"<\|channel\|>\s*final\s*(?:<\|[^|<>]{1,40}\|>)*")  # a model that names its channels
_SPEAKER = re.compile(
    r"^\s*(?:\[\|(?P<baize>human|ai)\|\]|<\|(?:im_start|start_header_id)\|>\s*(?P<chatml>user|system|assistant)\b|<\|(?P<tag>user|system|assistant)\|>"
    r"|#{2,4}\s*(?P<hashed>human|user|assistant|instruction|response)\s*:|(?P<plain>human|user|assistant|agent)\s*:|(?P<inst>\[INST\]))",
    re.IGNORECASE,
)
_ANSWERS = {"ai", "assistant", "agent", "response"}
_TOKEN = re.compile(r"<\|[^|<>\n]{1,40}\|>|\[/?INST\]|</?s>")
_FINAL_LIST = re.compile(
    r"^\W*(?:(?:my|the)\s+)?final\s+(?:answer|list|ranking|recommendations?|selection|top[ -]?\d+)\b[^\n]{0,60}:\W*$"
    r"|^\W*final answer:\W*(?=\S)",
    re.IGNORECASE | re.MULTILINE,
)
_TEN = "\U0001f51f"  # the key that reads 10
_KEYCAPS = re.compile(rf"(?m)^[^\S\n]*(?:(?:[0-9]\ufe0f?\u20e3)+|{_TEN})[^\S\n]*")  # digits drawn as keys
_ONE_LINE_TAGS = re.compile(r"(</[A-Za-z][\w-]{0,20}>)\s*(?=<[A-Za-z])")
_UNSEEN = re.compile("[\u200b-\u200f\u2060\ufeff]")  # no width, but in the way of every comparison


def said_aloud(text: str) -> str:
    """Return what a model answered: without its reasoning, chat tokens and the turns it went on to write for both sides.

    Reasoning that was never closed swallowed the answer; nothing is left then.
    """
    text = _UNSEEN.sub("", text.replace("\u00a0", " "))
    if "\n" not in text and text.count("\\n") > 1 and text.lstrip()[:1] not in {"[", "{", '"'}:
        text = text.replace("\\n", "\n")  # stored with its line breaks written out
    if channels := list(_FINAL.finditer(text)):
        text = text[channels[-1].end() :]
    text = _CLOSED.sub("\n", text)
    if closed := list(_CLOSE.finditer(text)):
        text = text[closed[-1].end() :]
    if opened := _OPEN.search(text):
        text = text[: opened.start()]
    text = _TOKEN.sub("", "\n".join(_first_turn(text.splitlines()))).strip()
    return _ONE_LINE_TAGS.sub(r"\1\n", _keycaps(_last_list(text)))


def _last_list(text: str) -> str:
    """Return what stands below the line that announces the final list, if anything does: what was weighed above it is no answer."""
    announced = list(_FINAL_LIST.finditer(text))
    below = text[announced[-1].end() :].strip() if announced else ""
    return below or text


def _keycaps(text: str) -> str:
    """Return text with the numbers that are drawn as keys written as numbers of a list."""
    return _KEYCAPS.sub(lambda found: "".join(filter(str.isdigit, found[0].replace(_TEN, "10"))) + ". ", text)


def _first_turn(lines: list[str]) -> list[str]:
    """Return the lines of the answer itself: a line that hands the word over ends it."""
    kept: list[str] = []
    for line in lines:
        speaker = _SPEAKER.match(line)
        if speaker is None:
            kept.append(line)
            continue
        name = next((name.lower() for name in speaker.groups() if name), "")
        if any(map(str.strip, kept)):
            break
        if name in _ANSWERS:
            kept.append(line[speaker.end() :])
    return kept
