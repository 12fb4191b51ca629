"""A provider's batch API through litellm: files up, a batch, its state, files down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tasks.errors import UserError
from tasks.llm.errors import CallError
from tasks.llm.failures import as_call_error
from tasks.llm.litellm_door import Reply, check_model, load_litellm
from tasks.llm.prices import Price, find_price
from tasks.llm.requests import endpoint
from tasks.llm.values import Request
from tasks.redaction import one_line
from tasks.settings import Generate

PROVIDERS = ("openai", "azure", "hosted_vllm")  # whose batches take OpenAI's request lines
ENDPOINT = "/v1/chat/completions"
LABEL = "redial"  # metadata name by which a batch is found again
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
LISTED = 100  # batches looked through for one that was made a moment before the process died


@dataclass(frozen=True)
class BatchStatus:
    """Where a batch stands; `files` are those that hold results, whatever came of them; `problem` is why a batch failed whole."""

    state: str
    files: tuple[str, ...] = ()
    problem: str = ""

    @property
    def ended(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in ENDED


class BatchApi:
    """One provider's batches."""

    def __init__(self, generate: Generate) -> None:
        """Refuse, with a UserError, a provider whose batches are not known to take these requests."""
        provider, _, self.bare_model = generate.model.partition("/")
        if provider not in PROVIDERS:
            raise UserError(f"batch mode works with {', '.join(PROVIDERS)}, not with {generate.model!r}: use `mode: live`")
        self._litellm = load_litellm()
        check_model(self._litellm, generate)
        self.model = generate.model
        self.price: Price | None = find_price(generate, batch=True)
        self.api_base = endpoint(generate)
        self._where: dict[str, Any] = {"custom_llm_provider": provider}
        if self.api_base is not None:
            self._where["api_base"] = self.api_base

    def line(self, request: Request, key: str) -> bytes:
        """Return a request as one line of a batch file, named by its request key."""
        wanted = {**request.sampling, **({"response_format": request.response_format} if request.response_format else {})}
        mapped = self._litellm.get_optional_params(model=self.bare_model, custom_llm_provider=self._where["custom_llm_provider"], **wanted)
        mapped = {name: value for name, value in mapped.items() if name not in ("stream", "extra_body")}
        body = {"model": self.bare_model, "messages": [dict(message) for message in request.messages], **mapped}
        return json.dumps({"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}).encode()

    async def create(self, lines: Iterable[bytes], label: str) -> str:
        """Send requests as a batch and return its id. Raises CallError."""
        name = f"{LABEL}-{label}.jsonl"
        file = await self._call(self._litellm.acreate_file(file=(name, b"\n".join(lines)), purpose="batch", **self._where))
        batch = self._litellm.acreate_batch(
            completion_window="24h", endpoint=ENDPOINT, input_file_id=file.id, metadata={LABEL: label}, **self._where
        )
        return str((await self._call(batch)).id)

    async def find(self, label: str) -> str | None:
        """Return the id of the batch of a label, if it was made. Raises CallError."""
        listed = await self._call(self._litellm.alist_batches(limit=LISTED, **self._where))
        return next((str(batch.id) for batch in listed.data if (batch.metadata or {}).get(LABEL) == label), None)

    async def status(self, batch_id: str) -> BatchStatus:
        """Return where a batch stands. Raises CallError."""
        batch = await self._call(self._litellm.aretrieve_batch(batch_id=batch_id, **self._where))
        files = tuple(str(file) for file in (batch.output_file_id, batch.error_file_id) if file)
        errors = getattr(batch.errors, "data", None) or []
        return BatchStatus(str(batch.status), files, one_line("; ".join(str(error.message) for error in errors)))

    async def results(self, status: BatchStatus) -> dict[str, Reply | CallError]:
        """Return what became of each request of an ended batch that has a result, by request key. Raises CallError."""
        found: dict[str, Reply | CallError] = {}
        for file in status.files:
            content = await self._call(self._litellm.afile_content(file_id=file, **self._where))
            for line in content.content.splitlines():
                outcome = read_result(line)
                if outcome is not None:
                    found[outcome[0]] = outcome[1]
        return found

    async def _call(self, call: Any) -> Any:
        import openai

        try:
            return await call
        except openai.OpenAIError as error:
            raise as_call_error(error) from None


def read_result(line: bytes) -> tuple[str, Reply | CallError] | None:
    """Return a result line's request key and its answer or failure; None for a line that is no result."""
    try:
        entry = json.loads(line)
        key, response = str(entry["custom_id"]), entry.get("response") or {}
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    status = response.get("status_code")
    if status != 200:
        error = ((response.get("body") or {}).get("error") or entry.get("error") or {}).get("message", "no answer")
        again = status is None or status == 429 or status >= 500
        return key, CallError("overload" if again else "invalid", one_line(str(error)), status)
    try:
        return key, _reply(response["body"])
    except (TypeError, KeyError, IndexError):
        return key, CallError("malformed", "the provider's answer holds no choice", status)


def _reply(body: dict[str, Any]) -> Reply:
    choice, usage = body["choices"][0], body.get("usage") or {}
    return Reply(
        text=choice["message"].get("content") or "",
        finish_reason=choice.get("finish_reason") or "",
        prompt_tokens=int(usage.get("prompt_tokens") or 0),
        completion_tokens=int(usage.get("completion_tokens") or 0),
        model=str(body.get("model") or ""),
        provider_id=str(body.get("id") or ""),
    )
