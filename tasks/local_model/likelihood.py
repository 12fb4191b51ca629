"""How likely a model finds each of many texts as its answer.

The prompt is computed once and its keys and values are kept. The texts are a tree of tokens: what
several begin with is computed once as well, and all branches of a part of the tree at the same
time, each token seeing the prompt and the tokens before it in its own texts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]
Tokens = Sequence[int]

NODES = 512  # tokens of the tree computed at once, which bounds the memory of logits
_PREFILL = 256  # tokens of the prompt computed at once


def mean_log_probabilities(
    model: Any,
    prompt: Tokens,
    texts: Sequence[Tokens],
    *,
    nodes: int = NODES,
    wanted: Callable[[], bool] = lambda: True,
) -> Scores:
    """Return the mean log-probability of each text's tokens after a prompt.

    The mean makes long and short texts comparable. Tokens that all texts begin with count for none.

    Args:
        model: a causal model of transformers.
        prompt: its tokens, at least one.
        texts: the tokens of each text; none is the beginning of all the others.
        nodes: tokens computed at once, at most.
        wanted: asked before every part; False ends early, with NaN for what is left.
    """
    import torch

    common = _common(texts)
    places = sorted(range(len(texts)), key=lambda place: tuple(texts[place]))
    scores = np.full(len(texts), np.nan)
    with torch.inference_mode():
        state = _Prompt(model, [*prompt, *texts[0][:common]])
        for part in _parts([(place, texts[place][common:]) for place in places], nodes):
            if not wanted():
                break
            for place, total in state.log_probabilities(part):
                scores[place] = total / (len(texts[place]) - common)
    return scores


@dataclass
class _Tree:
    """Some texts as a tree; a node is a token that another follows, its parent comes before it.

    Attributes:
        tokens: of each node.
        parents: the node before each; -1 is the prompt's end.
        depths: tokens from the prompt to each node.
        steps: for each text the nodes it goes through, and the tokens chosen after them.
    """

    tokens: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    depths: list[int] = field(default_factory=list)
    steps: list[tuple[int, list[int], Tokens]] = field(default_factory=list)
    _nodes: dict[tuple[int, int], int] = field(default_factory=dict)

    def add(self, place: int, text: Tokens) -> None:
        node, path = -1, []
        for depth, token in enumerate(text):
            path.append(node)
            if depth + 1 == len(text):
                break
            node = self._child(node, token, depth)
        self.steps.append((place, path, text))

    def _child(self, parent: int, token: int, depth: int) -> int:
        known = self._nodes.get((parent, token))
        if known is not None:
            return known
        self._nodes[parent, token] = len(self.tokens)
        self.tokens.append(token)
        self.parents.append(parent)
        self.depths.append(depth)
        return len(self.tokens) - 1

    def seen(self) -> NDArray[np.bool_]:
        """Return which nodes each node sees: itself and those before it in its texts."""
        size = len(self.tokens)
        sees = np.zeros((size, size), dtype=np.bool_)
        for node, parent in enumerate(self.parents):
            if parent >= 0:
                sees[node] = sees[parent]
            sees[node, node] = True
        return sees


class _Prompt:
    """The model after a prompt."""

    def __init__(self, model: Any, tokens: Tokens) -> None:
        import torch
        from transformers import DynamicCache

        self._model, self._length = model, len(tokens)
        self._device = next(model.parameters()).device
        self._cache = DynamicCache()
        given = torch.tensor([list(tokens)], device=self._device)
        for start in range(0, self._length, _PREFILL):
            output = model(
                input_ids=given[:, start : start + _PREFILL],
                past_key_values=self._cache,
                use_cache=True,
                logits_to_keep=1,
            )
        self._last = _log_softmax(output.logits[0])

    def log_probabilities(self, tree: _Tree) -> Iterator[tuple[int, float]]:
        """Yield each text's place and the sum of its tokens' log-probabilities."""
        import torch

        after = self._last
        if tree.tokens:
            after = torch.cat([self._last, self._after(tree)])
        for place, path, text in tree.steps:
            rows = torch.tensor(path, device=self._device) + 1
            columns = torch.tensor(list(text), device=self._device)
            yield place, float(after[rows, columns].double().sum())

    def _after(self, tree: _Tree) -> Any:
        """Return the log-probabilities of every token after each node."""
        import torch

        dtype = next(self._model.parameters()).dtype
        size = len(tree.tokens)
        sees = torch.zeros((size, self._length + size), dtype=dtype)
        hidden = torch.from_numpy(~tree.seen())
        sees[:, self._length :].masked_fill_(hidden, torch.finfo(dtype).min)
        positions = torch.tensor([tree.depths], device=self._device) + self._length
        output = self._model(
            input_ids=torch.tensor([tree.tokens], device=self._device),
            attention_mask=sees[None, None].to(self._device),
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
        )
        self._cache.crop(-size)
        return _log_softmax(output.logits[0])


def _log_softmax(logits: Any) -> Any:
    return logits.float().log_softmax(dim=-1)


def _common(texts: Sequence[Tokens]) -> int:
    """Return how many tokens all texts begin with; of each text at least one is left."""
    shortest = min(map(len, texts)) - 1
    first, last = min(texts, key=tuple), max(texts, key=tuple)
    length = 0
    while length < shortest and first[length] == last[length]:
        length += 1
    return length


def _parts(texts: Sequence[tuple[int, Tokens]], nodes: int) -> Iterator[_Tree]:
    """Yield sorted texts as trees of at most so many nodes, at least one text each."""
    tree = _Tree()
    for place, text in texts:
        if tree.steps and len(tree.tokens) + len(text) > nodes:
            yield tree
            tree = _Tree()
        tree.add(place, text)
    yield tree
