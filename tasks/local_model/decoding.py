"""Decodes several prompts together: left padding, one cache of keys and values, own draws each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tasks.local_model.grammar import Mask

Logits = NDArray[np.float32]

_REPEATED_WITHIN = 64  # latest tokens of a text that are made less likely
_CANDIDATES = 50  # most likely tokens that one is drawn from
_PREFILL = 256  # tokens of each prompt computed at once, which bounds the memory of attention
_WORTH_SHRINKING = 0.75  # of a batch's rows still going on: the others' memory is let go


class Constraint(Protocol):
    """What a text must follow, as far as it is written."""

    def allowed(self) -> Mask:
        """Return which tokens may come next, one truth value for each of the vocabulary."""
        ...

    def take(self, token: int) -> None:
        """Go on by one token, which must be an allowed one."""
        ...

    @property
    def complete(self) -> bool:
        """Whether nothing but the end may come."""
        ...


@dataclass(frozen=True)
class Sampling:
    """How tokens are drawn.

    Attributes:
        temperature: 0 takes the likeliest.
        repetition: logits of the text's latest tokens are divided by it, negative ones multiplied.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    repetition: float = 1.0


@dataclass(frozen=True)
class Prompt:
    """One text to continue.

    Attributes:
        tokens: the prompt.
        seed: of this text's draws, which do not depend on the other texts of the batch.
        grammar: what the text must follow, at its beginning; it is used up.
    """

    tokens: Sequence[int]
    sampling: Sampling
    seed: int = 0
    grammar: Constraint | None = None


@dataclass
class Generated:
    """What a prompt was continued with; `ended` is False for a text cut off at `max_tokens`."""

    tokens: list[int] = field(default_factory=list)
    ended: bool = False


def generate(
    model: Any,
    prompts: Sequence[Prompt],
    *,
    end: int,
    wanted: Callable[[], bool] = lambda: True,
) -> list[Generated]:
    """Continue prompts together, until each has ended or is cut off.

    Args:
        model: a causal model of transformers.
        prompts: at least one, none of them empty.
        end: the token that ends a text; it also fills the rows of texts that have ended.
        wanted: asked before every token; False stops all texts where they are.

    Returns:
        One text for each prompt, in their order. On one machine equal batches give equal texts.
    """
    import torch

    texts = [_Row(prompt, end) for prompt in prompts]
    rows = texts
    with torch.inference_mode():
        batch = _Batch(model, [prompt.tokens for prompt in prompts], end)
        logits = batch.prefill()
        while wanted():
            chosen = [row.choose(of_row) for row, of_row in zip(rows, logits, strict=True)]
            going_on = [place for place, row in enumerate(rows) if not row.done]
            if not going_on:
                break
            # A row that has ended costs as much as any other.
            if len(going_on) <= len(rows) * _WORTH_SHRINKING:
                batch.keep(going_on)
                rows = [rows[place] for place in going_on]
                chosen = [chosen[place] for place in going_on]
            logits = batch.step(chosen)
    return [row.text for row in texts]


class _Batch:
    """The model's state for a batch: tokens are appended, logits of the next one come out."""

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], fill: int) -> None:
        import torch

        from tasks.local_model.growing_cache import growing_cache

        self._model = model
        self._device = next(model.parameters()).device
        longest = max(map(len, prompts))
        padded = [[fill] * (longest - len(tokens)) + list(tokens) for tokens in prompts]
        self._tokens = torch.tensor(padded, device=self._device)
        self._padding = torch.tensor(
            [[longest - len(tokens)] for tokens in prompts], device=self._device
        )
        self._cache = growing_cache(model.config.num_hidden_layers)
        self._length = 0

    def prefill(self) -> Logits:
        """Return the logits after the prompts."""
        longest = self._tokens.shape[1]
        for start in range(0, longest, _PREFILL):
            logits = self._forward(self._tokens[:, start : start + _PREFILL])
        return logits

    def step(self, chosen: Sequence[int]) -> Logits:
        """Append one token to each text and return the logits after it."""
        import torch

        return self._forward(torch.tensor(chosen, device=self._device)[:, None])

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the rows, in the order given."""
        import torch

        places = torch.tensor(rows, device=self._device)
        self._padding = self._padding[places]
        self._cache.batch_select_indices(places)

    def _forward(self, tokens: Any) -> Logits:
        import torch

        start, self._length = self._length, self._length + tokens.shape[1]
        places = torch.arange(self._length, device=self._device)[None, :]
        output = self._model(
            input_ids=tokens,
            attention_mask=(places >= self._padding).long(),
            position_ids=(places[:, start:] - self._padding).clamp(min=0),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        logits: Logits = output.logits[:, -1].float().cpu().numpy()
        return logits


class _Row:
    """One text of a batch."""

    def __init__(self, prompt: Prompt, end: int) -> None:
        self.text = Generated()
        self.done = False
        self._prompt, self._end = prompt, end
        self._random = np.random.Generator(np.random.PCG64(prompt.seed))

    def choose(self, logits: Logits) -> int:
        """Return the next token, which is taken into the text; the end if the text is done."""
        if self.done:
            return self._end
        grammar = self._prompt.grammar
        logits = self._less_repeated(logits)
        if grammar is not None:
            logits = np.where(grammar.allowed(), logits, -np.inf)
        token = draw(logits, self._prompt.sampling, self._random)
        if token != self._end:
            self.text.tokens.append(token)
            if grammar is not None:
                grammar.take(token)
        self.text.ended = token == self._end or (grammar is not None and grammar.complete)
        full = len(self.text.tokens) >= self._prompt.sampling.max_tokens
        self.done = self.text.ended or full
        return token

    def _less_repeated(self, logits: Logits) -> Logits:
        penalty = self._prompt.sampling.repetition
        if penalty == 1.0 or not self.text.tokens:
            return logits
        recent = np.unique(self.text.tokens[-_REPEATED_WITHIN:])
        changed = logits.copy()
        values = logits[recent]
        changed[recent] = np.where(values > 0, values / penalty, values * penalty)
        return changed


def draw(logits: Logits, sampling: Sampling, random: np.random.Generator) -> int:
    """Return a token drawn from the likeliest ones; tokens of minus infinity are never drawn."""
    if sampling.temperature <= 0:
        return int(logits.argmax())
    places = np.argpartition(logits, -_CANDIDATES)[-_CANDIDATES:]
    places = places[np.argsort(-logits[places], kind="stable")]
    scaled = (logits[places].astype(np.float64) - logits[places[0]]) / sampling.temperature
    weights = np.exp(scaled)
    weights /= weights.sum()
    before = np.cumsum(weights) - weights
    weights[before >= sampling.top_p] = 0
    total = np.cumsum(weights)
    place = np.searchsorted(total, random.random() * total[-1], side="right")
    return int(places[min(int(place), len(places) - 1)])
