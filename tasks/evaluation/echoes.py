"""What an answer repeats of its prompt, so that it is not taken for a recommendation."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from tasks.llm import Message
from tasks.titles import plain_words

# Names in the prompts' data blocks, and who speaks.
_KEYS = frozenset(
    ("data", "speaker", "text", "user", "agent", "assistant", "human", "conversation")
    + ("rated before", "right title", "examples", "history", "recommendation", "task recommend")
)


class Prompt:
    """The prompt of one answer: its words, and the items that it shows as known to the user."""

    def __init__(self, messages: Iterable[Message] = (), known: Iterable[str] = ()) -> None:
        """Take the messages, and the history's items as far as the messages show them."""
        self.known = frozenset(known)
        self._messages = tuple(messages)

    @cached_property
    def _words(self) -> str:
        text = "\n".join(message["content"] for message in self._messages)
        return f" {' '.join(plain_words(text))} "

    def holds(self, entry: str) -> bool:
        """Return True for a verbatim piece of the prompt, and for punctuation alone."""
        words = plain_words(entry)
        return not words or f" {' '.join(words)} " in self._words

    def names(self, entry: str) -> bool:
        """Return True for a key of the prompt's data, such as "speaker", and for punctuation."""
        words = " ".join(plain_words(entry))
        return not words or words in _KEYS and self.holds(entry)
