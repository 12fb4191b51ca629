"""Takes off the reasoning that a model writes before, between or after what it answers."""

from __future__ import annotations

import re

_NAMES = (
    r"(?:think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
    r"|inner_monologue|seed:think)"
)
_OPENS = (
    rf"<{_NAMES}(?:\s[^<>\n]{{0,80}})?>|\[THINK\]|<\|begin_of_thought\|>|<\|START_THINKING\|>"
    "|\u25c1think\u25b7|<unused94>"
)
_CLOSES = (
    rf"</{_NAMES}\s?>|\[/THINK\]|<\|end_of_thought\|>|<\|END_THINKING\|>"
    "|\u25c1/think\u25b7|<unused95>"
)
_TAG = re.compile(rf"(?P<opens>{_OPENS})|{_CLOSES}", re.IGNORECASE)
_WRAPPER = re.compile(
    r"<\|(?:begin|end)_of_solution\|>|<\|(?:START|END)_RESPONSE\|>|</?(?:answer|response|output)>",
    re.IGNORECASE,
)
# Harmony: <|channel|>final <|constrain|>json<|message|>; every token behind the name may be
# missing.
_FINAL_CHANNEL = re.compile(
    r"<\|channel\|>\s{0,8}final\b(?:[^<\n]{0,40}<\|constrain\|>\s{0,8}\w{0,20})?"
    r"(?:[^<\n]{0,40}<\|message\|>)?"
)
_ANY_CHANNEL = re.compile(r"\s*+(?:<\|start\|>\s*+assistant)?\s*+<\|channel\|>")
_SPELLED_CHANNELS = ("analysis", "assistantfinal")  # what is left of harmony without its tokens


def strip_reasoning(text: str) -> str:
    """Return what a model answered, without its reasoning.

    The rules, in this order:

    1. Of an answer in channels only the last message of the final channel counts; none leaves
       nothing.
    2. A closed block of reasoning (`<think>...</think>` and its like) is taken out, wherever it is.
    3. A closing tag without an opening one ends reasoning: what is before it is taken off.
    4. An opening tag that is never closed begins reasoning that goes on to the end.
    """
    return _WRAPPER.sub("\n", _without_blocks(_final_message(text)))


def _final_message(text: str) -> str:
    finals = list(_FINAL_CHANNEL.finditer(text))
    if finals:
        return text[finals[-1].end() :]
    if _ANY_CHANNEL.match(text):
        return ""
    first, last = _SPELLED_CHANNELS
    if text.lstrip().startswith(first) and last in text:
        return text.rpartition(last)[2]
    return text


def _without_blocks(text: str) -> str:
    kept: list[str] = []
    at = 0
    inside = False
    for tag in _TAG.finditer(text):
        if tag["opens"] and not inside:
            kept.append(text[at : tag.start()])
            inside = True
        elif not tag["opens"]:
            if not inside:
                kept.clear()  # the opening tag was taken off by the server, or is part of a prompt
            at, inside = tag.end(), False
    if not inside:
        kept.append(text[at:])
    return "\n".join(kept)
