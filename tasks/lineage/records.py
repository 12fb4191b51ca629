"""What lineage tells, as values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Rebuilt:
    """A request made again from the brief of today.

    It is what was asked if its key equals the one that was stored.

    Attributes:
        messages: the prompt's messages, each with a role and its content.
    """

    request_key: str
    messages: Sequence[Mapping[str, str]]


@dataclass(frozen=True)
class Asked:
    """One request of one attempt and its paid answer; what the store does not know is None.

    Attributes:
        prompt: the messages that were sent, if making the request again from the brief gave the
            very same key; else None.
        turn: the turn that was asked for, from 1; None for a whole dialogue.
        side: `user` or `agent`, whose turn it is.
    """

    turn: int | None
    side: str | None
    request_key: str
    model: str | None
    model_returned: str | None
    finish_reason: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    cost_usd: float | None
    asked_at: str | None
    run_id: str | None
    prompt: Sequence[Mapping[str, str]] | None = None


@dataclass(frozen=True)
class AttemptLineage:
    """One attempt at one dialogue: how it was asked for, and the rules it was judged by.

    Attributes:
        passed: rules it was judged by and did not break; empty where it was not judged.
        broken: rules it broke, each with severity and turn.
    """

    attempt: int
    status: str
    error: str
    rollout: str
    profile: str
    asked: Sequence[Asked]
    passed: Sequence[str]
    broken: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class DialogueLineage:
    """All that one dialogue came from, each list in the order of the pipeline.

    Attributes:
        sources: the source files of the last run over the domain, with their SHA-256.
        reviews: the reviews behind each slot, with source file and line, and the collection the
            item stood in.
        brief: user, position, template and target.
        releases: versions that carry the dialogue.
        runs: the runs that asked for its answers or released it.
    """

    domain: str
    dialogue_id: str
    verdict: str
    sources: Sequence[Mapping[str, Any]]
    reviews: Sequence[Mapping[str, Any]]
    brief: Mapping[str, Any]
    attempts: Sequence[AttemptLineage]
    releases: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class ReleaseLineage:
    """What one release was made from.

    That is: the run that wrote it or last found it standing, every run whose answers it carries,
    its source files.
    """

    domain: str
    release: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    runs: Sequence[Mapping[str, Any]]
    models: Sequence[Mapping[str, Any]]
    attempts: Mapping[int, int] = field(default_factory=dict)
    templates: int = 0
    source_reviews: int = 0
    example: str = ""
