"""Keeps a model to a JSON schema: which tokens may come next in a text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tasks.errors import UserError

Mask = NDArray[np.bool_]

# One way to write each value, the one that prompts show: a model knows it better than `{"a":1}`.
_WRITTEN_AS_IN_PROMPTS: Any = {
    "whitespace_flexible": False,
    "key_separator": ": ",
    "item_separator": ", ",
}

TEXT_TOKENS = 72
"""Tokens of one string after which it is brought to its end: about 55 English words."""

SENTENCE_TOKENS = 28
"""Tokens of one string after which it ends with the sentence."""


class Grammars:
    """Makes grammars over one model's vocabulary."""

    def __init__(self, tokenizer: Any) -> None:
        """Take a tokenizer of transformers; reading its vocabulary takes about a second."""
        from llguidance.hf import from_tokenizer

        self._tokens = from_tokenizer(tokenizer, n_vocab=len(tokenizer))
        words = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        self.closing = np.array([word.startswith('"') for word in words])
        self.opening = np.array([word.startswith("{") for word in words])
        self.quoting = np.array(['"' in word for word in words])
        self.digits = np.array([any(map(str.isdigit, word)) for word in words])
        self.sentence_ends = np.array([word.endswith((".", "!", "?")) for word in words])

    def of(self, schema: Mapping[str, Any]) -> Grammar:
        """Return the grammar of a JSON schema, at its beginning.

        Raises UserError for a schema that cannot be made into one.
        """
        from llguidance import LLMatcher

        source = LLMatcher.grammar_from_json_schema(
            json.dumps(schema), overrides=_WRITTEN_AS_IN_PROMPTS
        )
        matcher = LLMatcher(self._tokens, source, log_level=0)
        if matcher.is_error():
            raise UserError(f"the answer's schema makes no grammar: {matcher.get_error()[:200]}")
        return Grammar(matcher, self)


class Grammar:
    """One text under a schema, as far as it is written.

    A small model seldom ends a string by itself. So one of `SENTENCE_TOKENS` ends with its sentence
    if the schema allows that, and one of `TEXT_TOKENS` at once: only a quotation mark may come
    next, and where the schema asks for an item first, only the mark that items begin with. No item
    is named twice then: a model that names one that it may goes on with it for ever otherwise.
    """

    def __init__(self, matcher: Any, vocabulary: Grammars) -> None:
        self._matcher, self._vocabulary = matcher, vocabulary
        self._since_quote = 0
        self._sentence_over = False
        self._late_digits: set[int] = set()

    def allowed(self) -> Mask:
        """Return which tokens may come next, one truth value for each of the vocabulary."""
        bits = np.frombuffer(self._matcher.compute_bitmask(), dtype=np.uint8)
        size = len(self._vocabulary.closing)
        mask = np.unpackbits(bits, bitorder="little")[:size].astype(np.bool_)
        if self._late_digits:
            others = mask.copy()
            others[list(self._late_digits)] = False
            mask = others if others.any() else mask
        for preferred in self._endings():
            narrowed: Mask = mask & preferred
            if narrowed.any():
                return narrowed
        return mask

    def _endings(self) -> tuple[Mask, ...]:
        """Return the tokens that a text of this length has to go on with, the best ones first."""
        if self._since_quote >= TEXT_TOKENS:
            return self._vocabulary.closing, self._vocabulary.opening
        if self._since_quote >= SENTENCE_TOKENS and self._sentence_over:
            return (self._vocabulary.closing,)
        return ()

    def take(self, token: int) -> None:
        """Go on by one token, which must be an allowed one."""
        if not self._matcher.consume_token(token):
            raise ValueError(f"token {token} is not allowed here: {self._matcher.get_error()}")
        quoted = bool(self._vocabulary.quoting[token])
        if quoted:
            self._late_digits.clear()
        elif self._since_quote >= TEXT_TOKENS and self._vocabulary.digits[token]:
            self._late_digits.add(token)
        self._since_quote = 0 if quoted else self._since_quote + 1
        self._sentence_over = bool(self._vocabulary.sentence_ends[token])

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may come."""
        return bool(self._matcher.is_stopped())
