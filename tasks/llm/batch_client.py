"""A provider's batch API through litellm: files up, a batch, its state, files down."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from tasks.errors import UserError
from tasks.llm.client import check_model, load_litellm
from tasks.llm.errors import CallError, as_call_error
from tasks.llm.prices import Price, find_price
from tasks.llm.provider_reply import LONGEST_NAME, Reply, make_reply, short_name
from tasks.llm.requests import endpoint
from tasks.llm.values import Request
from tasks.redaction import one_line
from tasks.settings import Generate

T = TypeVar("T")
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


class BatchClient:
    """One provider's batches."""

    def __init__(self, generate: Generate) -> None:
        """Refuse, with a UserError, a provider whose batches are not known to take these requests."""
        provider, _, self.bare_model = generate.model.partition("/")
        if provider not in PROVIDERS:
            raise UserError(
                f"batch mode works with {', '.join(PROVIDERS)}, not with {generate.model!r}: use `mode: live`"
            )
        self._litellm = load_litellm()
        check_model(self._litellm, generate)
        self.model = generate.model
        self.price: Price | None = find_price(generate, batch=True)
        self.api_base = endpoint(generate)
        self._max_bytes = generate.limits.max_answer_bytes
        self._where: dict[str, Any] = {"custom_llm_provider": provider}
        if self.api_base is not None:
            self._where["api_base"] = self.api_base

    def line(self, request: Request, key: str) -> bytes:
        """Return a request as one line of a batch file, named by its request key."""
        wanted = {
            **request.sampling,
            **({"response_format": request.response_format} if request.response_format else {}),
        }
        mapped = self._litellm.get_optional_params(
            model=self.bare_model, custom_llm_provider=self._where["custom_llm_provider"], **wanted
        )
        mapped = {
            name: value for name, value in mapped.items() if name not in ("stream", "extra_body")
        }
        body = {
            "model": self.bare_model,
            "messages": [dict(message) for message in request.messages],
            **mapped,
        }
        return json.dumps(
            {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}
        ).encode()

    async def create(self, lines: Iterable[bytes], label: str) -> str:
        """Send requests as a batch and return its id. Raises CallError."""
        name = f"{LABEL}-{label}.jsonl"
        upload = self._litellm.acreate_file(
            file=(name, b"\n".join(lines)), purpose="batch", **self._where
        )
        file_id = await self._call(upload, _id_of)
        batch = self._litellm.acreate_batch(
            completion_window="24h",
            endpoint=ENDPOINT,
            input_file_id=file_id,
            metadata={LABEL: label},
            **self._where,
        )
        return await self._call(batch, _id_of)

    async def find(self, label: str) -> str | None:
        """Return the id of the batch of a label, if it was made. Raises CallError."""
        listing = self._litellm.alist_batches(limit=LISTED, **self._where)
        return await self._call(listing, lambda listed: _labelled(listed, label))

    async def status(self, batch_id: str) -> BatchStatus:
        """Return where a batch stands. Raises CallError."""
        return await self._call(
            self._litellm.aretrieve_batch(batch_id=batch_id, **self._where), _status_of
        )

    async def results(self, status: BatchStatus) -> dict[str, Reply | CallError]:
        """Return what became of each request of an ended batch that has a result, by request key.

        Raises CallError.
        """
        found: dict[str, Reply | CallError] = {}
        for file in status.files:
            content = await self._call(
                self._litellm.afile_content(file_id=file, **self._where), _lines_of
            )
            for line in content:
                outcome = read_result(line, self._max_bytes)
                if outcome is not None and not isinstance(found.get(outcome[0]), Reply):
                    found[outcome[0]] = outcome[
                        1
                    ]  # an answer is not given up for an error of the same request
        return found

    async def _call(self, call: Any, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of the provider's reply.

        Raises CallError, `malformed` where it cannot be read.
        """
        import openai

        try:
            return read(await call)
        except openai.OpenAIError as error:
            raise as_call_error(error) from None
        except (
            Exception
        ) as error:  # litellm's reading of an odd reply may raise anything; this is the boundary
            message = one_line(
                f"the provider's reply about a batch cannot be read ({type(error).__name__}: {error})"
            )
            raise CallError("malformed", message) from None


def _id_of(reply: Any) -> str:
    return short_name(reply.id, LONGEST_NAME)


def _labelled(listed: Any, label: str) -> str | None:
    labels = {_id_of(batch): (batch.metadata or {}).get(LABEL) for batch in listed.data}
    return next((batch_id for batch_id, name in labels.items() if name == label), None)


def _status_of(batch: Any) -> BatchStatus:
    files = tuple(str(file) for file in (batch.output_file_id, batch.error_file_id) if file)
    errors = getattr(batch.errors, "data", None) or []
    problem = one_line("; ".join(str(error.message) for error in errors))
    return BatchStatus(str(batch.status), files, problem)


def _lines_of(file: Any) -> list[bytes]:
    lines: list[bytes] = file.content.splitlines()
    return lines


def read_result(line: bytes, max_bytes: int) -> tuple[str, Reply | CallError] | None:
    """Return a result line's request key and its answer or failure; None for a line that is no result.

    Every field is untrusted: whatever its type, the line ends as one of these.
    """
    try:
        entry = json.loads(line)
        key, response = str(entry["custom_id"]), entry.get("response") or {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    try:
        return key, _outcome(entry, response, max_bytes)
    except CallError as error:
        return key, error
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, RecursionError) as error:
        return key, CallError(
            "malformed", f"the result cannot be read ({type(error).__name__})", billed=True
        )


def _outcome(entry: dict[str, Any], response: dict[str, Any], max_bytes: int) -> Reply:
    status = response.get("status_code")
    if status != 200:
        error = ((response.get("body") or {}).get("error") or entry.get("error") or {}).get(
            "message", "no answer"
        )
        again = not isinstance(status, int) or status == 429 or status >= 500
        raise CallError(
            "overload" if again else "invalid",
            one_line(str(error)),
            status if isinstance(status, int) else None,
        )
    body = response["body"]
    choice, usage = body["choices"][0], body.get("usage") or {}
    return make_reply(
        content=choice["message"].get("content"),
        finish_reason=choice.get("finish_reason"),
        prompt_tokens=usage.get("prompt_tokens"),
        completion_tokens=usage.get("completion_tokens"),
        model=body.get("model"),
        provider_id=body.get("id"),
        max_bytes=max_bytes,
    )
