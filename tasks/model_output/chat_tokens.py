"""Removes tokens of chat templates, and everything after the end of the message."""

from __future__ import annotations

import re

# One line a family: Llama 3 and 4, ChatML and Qwen, Phi, GPT, harmony, Gemma, Llama 2 and Mistral,
# DeepSeek, Command, EXAONE, InternLM.
_END = re.compile(
    r"<\|(?:eot_id|eom_id|end_of_text|eot|eom"
    r"|im_end|endofmessage|message_end"
    r"|end|endofturn|end_of_turn|eos"
    r"|endoftext"
    r"|return|call"
    r"|end_of_turn_token"
    r")\|>"
    r"|<end_of_turn>|<eos>"
    r"|</s>|\[EOS\]"
    "|<[|\uff5c]end[\u2581_ ]of[\u2581_ ]sentence[|\uff5c]>"
    r"|\[\|endofturn\|\]|<eo[am]>",
    re.IGNORECASE,
)
_ROLE = r"(?P<role{}>user|human|system|assistant|model|chatbot|ai|tool|ipython)"
_HEADER = re.compile(
    r"<\|(?:im_start|start_header_id|header_start|start)\|>"
    rf"\s{{0,8}}(?:{_ROLE.format(1)}\b)?\s{{0,8}}"
    r"(?:<\|(?:end_header_id|header_end|im_sep|message)\|>)?"
    rf"|<start_of_turn>\s{{0,8}}(?:{_ROLE.format(2)}\b)?"
    rf"|<\|(?:start_of_turn_token\|><\|)?{_ROLE.format(3)}(?:_token)?\|>"
    rf"|\[\|{_ROLE.format(4)}\|\]"
    rf"|<[|\uff5c]{_ROLE.format(5)}[|\uff5c]>"
    r"|(?P<instruction>\[INST\])|\[/INST\]|<s>|<bos>|<\|(?:begin_of_text|startoftext)\|>",
    re.IGNORECASE,
)
_WIDE_BAR = "\uff5c"
_ANY_TOKEN = re.compile(r"<\|[^|<>\n]{1,40}\|>|\[/?INST\]|</?s>")
_ANSWERS = frozenset({"assistant", "model", "chatbot", "ai"})


def first_message(text: str) -> str:
    """Return the first message that is not blank: up to the token that ends it, or hands over.

    Messages under the name of the user, the system or a tool are not the model's.
    """
    for message in _END.split(text):
        part = _own_part(message)
        if part.strip():
            return part
    return ""


def without_tokens(text: str) -> str:
    """Return text without any token of a chat template that is left in it."""
    return _ANY_TOKEN.sub("", text)


def _own_part(message: str) -> str:
    """Return the first part of a message that is the model's own and not blank.

    A header counts at the beginning of a line: one in the middle of speech is garbage that the gate
    must see. DeepSeek's, which no prose holds, counts everywhere.
    """
    start, own = 0, True
    for header in _HEADER.finditer(message):
        before = message[start : header.start()]
        if before.rpartition("\n")[2].strip() and _WIDE_BAR not in header[0]:
            continue
        if own and before.strip():
            return before
        start, own = header.end(), _is_own(header)
    return message[start:] if own else ""


def _is_own(header: re.Match[str]) -> bool:
    if header["instruction"]:
        return False
    roles = [role for role in header.groupdict().values() if role]
    return not roles or roles[0].lower() in _ANSWERS
