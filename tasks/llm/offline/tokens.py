"""Token counts of the embedded writer: one cheap estimate, used for its usage and for planning alike."""

from __future__ import annotations


def count_tokens_offline(text: str) -> int:
    """Return an estimate of a text's tokens: its UTF-8 bytes divided by four, rounded up.

    The writer has no tokenizer, and English runs to about four bytes a token in today's ones. The point is that the plan
    before a run and the usage after it are counted by one and the same function.
    """
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4
