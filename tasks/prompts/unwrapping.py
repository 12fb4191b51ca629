"""Takes off what models put around an answer: reasoning spoken aloud, tokens of chat templates, one code fence."""

from __future__ import annotations

import re

_REASONING = r"think|thinking|thought|thoughts|reasoning|reflection|analysis|scratchpad"
_REASONED = re.compile(rf"</(?:{_REASONING})>", re.IGNORECASE)
_REASONS = re.compile(rf"\s*<(?:{_REASONING})>", re.IGNORECASE)
_FINAL = re.compile(r"<\|channel\|>\s*final\s*<\|message\|>")
_CHANNEL = re.compile(r"\s*(?:<\|start\|>assistant)?<\|channel\|>")
_ENDED = re.compile(r"<\|(?:eot_id|eom_id|im_end|end|endoftext|end_of_text|end_of_turn|return)\|>|<end_of_turn>|</s>")
_FENCE = "```"
_LANGUAGE = re.compile(r"[\w+-]{0,20}[ \t]*\r?\n")


def unwrapped(text: str) -> str:
    """Return the answer itself.

    Reasoning ends at its last closing tag; reasoning that is never closed leaves no answer. What follows the token that ends a message
    is no part of it. Of an answer with one code fence, the inside is the answer when there is more in it than around it.
    """
    final = [found.end() for found in _FINAL.finditer(text)]
    if not final and _CHANNEL.match(text):
        return ""
    text = text[final[-1] :] if final else text
    reasoned = [found.end() for found in _REASONED.finditer(text)]
    if reasoned:
        text = text[reasoned[-1] :]
    elif _REASONS.match(text):
        return ""
    text = next((piece for piece in _ENDED.split(text) if piece.strip()), "")
    return _inside(text)


def _inside(text: str) -> str:
    pieces = text.split(_FENCE)
    if len(pieces) != 3 or 2 * len(pieces[1]) < len(text):
        return text
    return _LANGUAGE.sub("", pieces[1], count=1) if _LANGUAGE.match(pieces[1]) else pieces[1]
