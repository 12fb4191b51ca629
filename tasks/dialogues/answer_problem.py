"""Why an answer could not be read to its end, in the words of what went wrong with the model."""

from __future__ import annotations

from tasks.llm import CUT_OFF
from tasks.model_output import says_something


def answer_problem(parse_error: str, text: str, finish_reason: str, error: str) -> str:
    """Return why an answer could not be read; empty if it could.

    Args:
        parse_error: what the parser says of the text; empty if it could read all of it.
        text: the answer.
        finish_reason: why the model stopped.
        error: what is known to be wrong with the answer, such as a prompt that the server cut.
    """
    if not parse_error:
        return ""
    if error:
        return error
    is_cut = finish_reason in CUT_OFF
    if not text.strip():
        return "empty answer, cut at max_tokens" if is_cut else "empty answer"
    if not says_something(text):
        return "cut at max_tokens while reasoning" if is_cut else "reasoning never ended"
    return f"cut at max_tokens: {parse_error}" if is_cut else parse_error
