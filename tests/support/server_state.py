"""What the mock model server has to do, and what it counted."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

from tests.support.allowance import SlidingWindow

FAULTS = (
    "late", "429", "429_after", "429_date", "500", "503", "reset", "hang", "malformed", "empty", "length", "filter", "repeat", "quota"
)  # fmt: skip


@dataclass(frozen=True)
class Behaviour:
    """How the server behaves; each may be changed while it runs.

    Attributes:
        latency_s: time an answer takes; `jitter_s` is added evenly spread.
        faults: share of requests by kind of fault; `late` adds `late_s`, the 429 kinds send
            Retry-After of `retry_after_s`.
        down: refuse everything with 503.
        rpm, tpm: sliding-window limits; `reserve` counts input and max_tokens at admission instead
            of what the answer uses.
        tokens: "exact" counts as litellm does for the model asked, "rough" takes 4 characters a
            token.
        answers: "echo" is a short fixed dialogue, "mock" lets the mock model answer, "recorded"
            replays those of `folder` and keeps the prompts that have none there.
        key: the only bearer token that is let in, if set.
        body: the whole response body in place of an answer, billed as one.
        odd: replies in place of good ones, as `tests.support.odd_replies` gives them; one is drawn
            for each try at a request,
            for `odd_share` of the tries; `odd_tries` is how many tries at a request get one, and
            `odd_after` how many answers are billed before the first one.
        window: context window in tokens; a longer prompt is cut to it without a word, or refused
            if `refuse_long`. `list_window` names it in the list of models.
        schema: what a JSON schema in a request brings: "ignored", "plain" (turns and roles) or
            "whole" (with what patterns ask for). A request for any JSON object gets one where
            `json_object` is True.
        batch_tokens: most tokens that batches in progress may have together; a batch over it fails.
        batch_checked: a batch of which every request is refused fails as a whole.
        batch_ending: how a worked-off batch ended, in the provider's word.
        batch_failure: fields of a failed request's result line.
        batch_fields: fields of a batch's description that are replaced when it is asked for.
        endless: send a body that never ends in place of an answer, billed as one; "gzip" sends it
            compressed.
    """

    latency_s: float = 0.0
    jitter_s: float = 0.0
    faults: dict[str, float] = field(default_factory=dict)
    late_s: float = 1.0
    retry_after_s: float = 0.2
    down: bool = False
    rpm: int | None = None
    tpm: int | None = None
    reserve: bool = False
    window_s: float = 60.0
    tokens: str = "rough"
    words: int = 120
    answers: str = "echo"
    folder: str = ""
    key: str | None = None
    models: tuple[str, ...] | None = None
    body: str | None = None
    endless: str = ""
    odd: tuple[dict[str, Any], ...] = ()
    odd_share: float = 1.0
    odd_tries: int | None = None
    odd_after: int = 0
    batch_fail_share: float = 0.0
    batch_polls: int = 1
    batch_tokens: int | None = None
    batch_checked: bool = False
    batch_ending: str = "completed"
    batch_failure: dict[str, Any] = field(default_factory=dict)
    batch_fields: dict[str, Any] = field(default_factory=dict)
    window: int | None = None
    refuse_long: bool = False
    list_window: bool = False
    schema: str = "ignored"
    json_object: bool = False
    seed: int = 1

    def with_(self, changes: dict[str, Any]) -> Behaviour:
        """Return a changed copy. Raises TypeError on an unknown name."""
        return replace(self, **changes)


@dataclass
class Tally:
    """What was counted since the start or the last reset.

    `billed_keys` counts answers by the content of the request.
    """

    requests: int = 0
    billed: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    refused: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    billed_keys: Counter[str] = field(default_factory=Counter)
    keys_seen: set[str] = field(default_factory=set)
    refused_at: list[float] = field(default_factory=list)
    admitted_at: list[float] = field(default_factory=list)
    admitted_tokens: list[int] = field(default_factory=list)
    sent_bytes: int = 0
    odd: Counter[int] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON data."""
        return {**vars(self), "keys_seen": sorted(self.keys_seen)}


class ServerState:
    """Behaviour, tally, windows and how often each request was tried."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.tries: Counter[str] = Counter()
        self.last_answer = ""
        self.change(behaviour)
        self.tally = Tally()

    def change(self, behaviour: Behaviour) -> None:
        """Take on a new behaviour; its limits start afresh."""
        self.behaviour = behaviour
        self.requests_window = SlidingWindow(behaviour.rpm, behaviour.window_s)
        self.tokens_window = SlidingWindow(behaviour.tpm, behaviour.window_s)

    def reset(self) -> None:
        """Forget what was counted."""
        self.tries.clear()
        self.tally = Tally(in_flight=self.tally.in_flight)

    def odd_reply_for(self, key: str, body: dict[str, Any]) -> dict[str, Any] | None:
        """Draw the odd reply of the try at a request that `fault_for` has counted; None for a good one."""
        from tasks.fingerprint import unit

        most = self.behaviour.odd_tries
        if most is not None and self.tries[key] > most:
            return None
        if self.tally.billed < self.behaviour.odd_after:
            return None
        odd, drawn = self.behaviour.odd, unit(self.behaviour.seed, "odd", key, self.tries[key])
        place = int(drawn * len(odd) / self.behaviour.odd_share)
        if place >= len(odd):
            return None
        when = odd[place].get("when")
        if when and body.get(when) is None:
            return None
        self.tally.odd[place] += 1
        return odd[place]

    def fault_for(self, key: str) -> str | None:
        """Draw the fault of this try at a request: seeded by the request and by how often it was tried."""
        from tasks.fingerprint import unit

        self.tries[key] += 1
        drawn, total = unit(self.behaviour.seed, key, self.tries[key]), 0.0
        for kind, share in self.behaviour.faults.items():
            total += share
            if drawn < total:
                return kind
        return None
