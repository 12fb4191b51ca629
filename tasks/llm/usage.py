"""Counts what was asked, answered and spent, and forecasts the next call from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

from tasks.llm.values import Answer, Message, Request


@dataclass(frozen=True)
class Usage:
    """Calls, tokens and dollars.

    Attributes:
        sent: tries that were sent, retries included.
        answered: answers received and paid for.
        stored: answers taken from the response cache.
        refused: tries that the provider refused for its rate limits.
        retried: tries that followed a transient failure.
        failed: requests that got no answer.
        unpriced: answers whose price is unknown; `cost_usd` is without them.
        estimated: answers whose tokens and price are our forecast, because the provider's counts
            were missing or cannot be true.
        cached_tokens, reasoning_tokens: parts of the prompt's and of the answers' tokens.
        unusable: billed calls without a usable answer; their forecast is in the tokens and dollars.
    """

    sent: int = 0
    answered: int = 0
    stored: int = 0
    refused: int = 0
    retried: int = 0
    failed: int = 0
    unpriced: int = 0
    estimated: int = 0
    unusable: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cost_usd: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, name) + getattr(other, name) for name in _NAMES))

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, name) - getattr(other, name) for name in _NAMES))


_NAMES = tuple(field.name for field in fields(Usage))


class UsageMeter:
    """Adds up the usage of a session."""

    def __init__(self) -> None:
        self._counts: dict[str, float] = dict.fromkeys(_NAMES, 0)

    def count(self, **amounts: float) -> None:
        """Add to named counts. Raises KeyError on an unknown name."""
        for name, amount in amounts.items():
            self._counts[name] += amount

    def answered(self, answer: Answer) -> None:
        """Count an answer, its tokens and its price."""
        self.count(answered=1)
        self._bill(answer)

    def unusable(self, answer: Answer) -> None:
        """Count a billed call without a usable answer, with its forecast."""
        self.count(unusable=1)
        self._bill(answer)

    def _bill(self, answer: Answer) -> None:
        self.count(
            unpriced=answer.cost_usd is None,
            estimated=answer.usage_estimated,
            prompt_tokens=answer.prompt_tokens,
            completion_tokens=answer.completion_tokens,
            cached_tokens=answer.cached_tokens,
            reasoning_tokens=answer.reasoning_tokens,
            cost_usd=answer.cost_usd or 0.0,
        )

    @property
    def usage(self) -> Usage:
        """The counts so far."""
        return Usage(**self._counts)  # type: ignore[arg-type]


CHARACTERS_PER_TOKEN = 4.0  # English, until the provider's own counts are known
# Output tokens expected until a few answers are known, where no max_tokens is set.
DEFAULT_OUTPUT_TOKENS = 1000
ENOUGH_ANSWERS = 5  # to take their mean


class Forecast:
    """Tokens of the next call: input by the ratio seen so far, output by the mean.

    A tokenizer would cost a millisecond a call.
    """

    def __init__(self) -> None:
        self.answers = 0
        self._characters = 0
        self._prompt = 0
        self._completion = 0

    def expect(self, request: Request) -> tuple[float, float]:
        """Return the input and output tokens that a request will probably use."""
        ratio = self._prompt / self._characters if self._prompt else 1 / CHARACTERS_PER_TOKEN
        most = request.sampling.get("max_completion_tokens", DEFAULT_OUTPUT_TOKENS)
        most = request.sampling.get("max_tokens", most)
        output = float(most if isinstance(most, int) else DEFAULT_OUTPUT_TOKENS)
        if self.answers >= ENOUGH_ANSWERS:
            output = self._completion / self.answers
        return characters(request) * ratio, output

    def learn(self, request: Request, prompt_tokens: int, completion_tokens: int) -> None:
        """Add what a call used."""
        if prompt_tokens:
            self.answers += 1
            self._characters += characters(request)
            self._prompt += prompt_tokens
            self._completion += completion_tokens


def characters(request: Request) -> int:
    """Return the characters of a request's messages."""
    return sum(len(message["content"]) for message in request.messages)


# English has about four characters a token; no text of ours comes near this.
MOST_CHARACTERS_PER_TOKEN = 10


def cut_prompt(messages: Sequence[Message], answer: Answer) -> str:
    """Return, in one line, that a server cannot have read all of a prompt; empty if it can.

    Servers with a small context window cut a longer prompt without a word; the tokens they count
    tell. A count of 0 is none.
    """
    size, read = sum(len(message["content"]) for message in messages), answer.prompt_tokens
    if answer.usage_estimated or not 0 < read * MOST_CHARACTERS_PER_TOKEN < size:
        return ""
    return f"prompt cut by the server: it read {read:,} tokens of {size:,} characters"
