"""What is known of a model on its server, and what follows for requests to it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from tasks.llm.model_catalogue import find_entry, takes_schema
from tasks.llm.structured_output import Form, form_of
from tasks.llm.values import Answer
from tasks.settings import CascadeModel, Generate

_WINDOW_FIELDS = (
    "max_model_len",
    "loaded_context_length",
    "context_window",
    "context_length",
    "max_context_length",
    "n_ctx",
)
_LEAST_WINDOW, _LARGEST_WINDOW = 256, 100_000_000
_WINDOW = re.compile(
    r"maximum (?:context|input|sequence)[^0-9]{0,30}(\d[\d,]{2,8})"
    r"|context (?:size|length|window)[^0-9]{0,30}(\d[\d,]{2,8})"
    r"|n_ctx['\"]?[ :=]{1,3}(\d{3,8})",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a model on a server.

    Attributes:
        structured_output: the form of schema that it obeys.
        context_tokens: its context window; None if that is not known.
        window_from: where that is from: "price map", "server", "error" or "tokens counted".
        usage: whether answers come with token counts.
        reasoning, cached_tokens: whether any were seen.
        problems: what was wrong with answers, one line each.
        answers: that were paid for.
    """

    structured_output: Form = "off"
    context_tokens: int | None = None
    window_from: str = ""
    usage: bool = False
    reasoning: bool = False
    cached_tokens: bool = False
    problems: tuple[str, ...] = ()
    answers: int = 0

    def seen(self, answer: Answer) -> ModelFacts:
        """Return these facts with those that an answer shows."""
        return replace(
            self,
            usage=self.usage or not answer.usage_estimated,
            reasoning=self.reasoning or answer.reasoning_tokens > 0,
            cached_tokens=self.cached_tokens or answer.cached_tokens > 0,
            answers=self.answers + 1,
        )

    def with_problem(self, line: str) -> ModelFacts:
        """Return these facts and a problem."""
        return replace(self, problems=(*self.problems, line))


def listed_facts(generate: Generate) -> ModelFacts | None:
    """Return what litellm's map says of a hosted model; None for a server of one's own."""
    entry = find_entry(generate.model)
    if entry is None or generate.api_base:
        return None
    window = entry.get("max_input_tokens")
    form: Form = "json_schema_plain" if takes_schema(generate.model) else "off"
    known = window if isinstance(window, int) else None
    return ModelFacts(form, known, "price map" if known else "")


def with_facts_of_each(
    generate: Generate, find: Callable[[Generate], ModelFacts | None]
) -> Generate:
    """Return the settings with what is known of each of their models, a cascade's or the one.

    `find` returns what is known of the model of some settings; None if nothing is.
    """
    if not generate.models:
        facts = find(generate)
        return with_facts(generate, facts) if facts else generate
    each = zip(generate.models, generate.each_model(), strict=True)
    models = tuple(_with_its_facts(model, asked, find(asked)) for model, asked in each)
    return generate.model_copy(update={"models": models})


def _with_its_facts(model: CascadeModel, asked: Generate, facts: ModelFacts | None) -> CascadeModel:
    """Return a cascade's model, asked with the settings `asked`, with what is known of it."""
    if facts is None:
        return model
    known = with_facts(asked, facts)
    changes: dict[str, Any] = {}
    if known.structured_output != asked.structured_output:
        changes["structured_output"] = known.structured_output
    if known.limits.context_tokens != asked.limits.context_tokens:
        changes["context_tokens"] = known.limits.context_tokens
    return model.model_copy(update=changes)


def with_facts(generate: Generate, facts: ModelFacts) -> Generate:
    """Return the settings of one model with what is known in place of what they leave open."""
    changes: dict[str, Any] = {}
    is_open = generate.structured_output == "auto"
    if is_open and facts.structured_output != form_of(generate):
        changes["structured_output"] = facts.structured_output
    if generate.limits.context_tokens is None and facts.context_tokens:
        window = {"context_tokens": facts.context_tokens}
        changes["limits"] = generate.limits.model_copy(update=window)
    return generate.model_copy(update=changes)


def window_in(message: str) -> int | None:
    """Return the context window that an error names, in tokens."""
    found = _WINDOW.search(message)
    if found is None:
        return None
    number = next(group for group in found.groups() if group)
    return int(number.replace(",", "")) or None


def window_listed(models: Any, name: str) -> int | None:
    """Return the context window in a server's list of models, as its data came; untrusted.

    Args:
        models: the JSON data of `GET /models`.
        name: the model's name on that server.
    """
    entries = models.get("data") if isinstance(models, dict) else None
    if not isinstance(entries, list):
        return None
    named = [entry for entry in entries if isinstance(entry, dict) and entry.get("id") == name]
    for entry in named:
        meta = entry.get("meta")
        for part in (entry, meta if isinstance(meta, dict) else {}):
            for field in _WINDOW_FIELDS:
                value = part.get(field)
                if isinstance(value, int) and _LEAST_WINDOW <= value <= _LARGEST_WINDOW:
                    return value
    return None
