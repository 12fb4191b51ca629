"""What a call will use, guessed from what calls have used."""

from __future__ import annotations

from tasks.llm.values import Request

CHARACTERS_PER_TOKEN = 4.0  # English, until the provider's own counts are known
OUTPUT_UNKNOWN = 1000  # output tokens set aside until a few answers are known and no max_tokens is set
ENOUGH = 5  # answers after which their mean is taken


class Forecast:
    """Tokens of the next call: characters by the ratio seen, output by the mean seen. Counting truly would cost a millisecond a call."""

    def __init__(self) -> None:
        self.answers = 0
        self._characters = 0
        self._prompt = 0
        self._completion = 0

    def expect(self, request: Request) -> tuple[float, float]:
        """Return input and output tokens a request will probably use."""
        ratio = self._prompt / self._characters if self._prompt else 1 / CHARACTERS_PER_TOKEN
        unknown = float(request.sampling.get("max_tokens", OUTPUT_UNKNOWN))
        return characters(request) * ratio, self._completion / self.answers if self.answers >= ENOUGH else unknown

    def learn(self, request: Request, prompt_tokens: int, completion_tokens: int) -> None:
        """Take in what a call used."""
        if prompt_tokens:
            self.answers += 1
            self._characters += characters(request)
            self._prompt += prompt_tokens
            self._completion += completion_tokens


def characters(request: Request) -> int:
    """Return the characters of a request's messages."""
    return sum(len(message["content"]) for message in request.messages)
