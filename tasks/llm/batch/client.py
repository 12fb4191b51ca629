"""A provider's batch API through litellm: upload a file, make a batch, poll it, get its results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from tasks.errors import UserError
from tasks.llm.client import check_model, load_litellm
from tasks.llm.errors import CallError, as_call_error, is_out_of_credit
from tasks.llm.prices import Price, find_price
from tasks.llm.provider_reply import LONGEST_NAME, Reply, reply_of_body, short_name
from tasks.llm.requests import endpoint
from tasks.llm.values import Request
from tasks.redaction import one_line
from tasks.settings import Generate

T = TypeVar("T")
PROVIDERS = ("openai", "azure", "hosted_vllm")  # whose batches take OpenAI's request lines
ENDPOINT = "/v1/chat/completions"
LABEL = "redial"  # metadata name by which a batch is found again
ENDED = frozenset({"completed", "failed", "expired", "cancelled"})
LISTED = 100  # newest batches searched for one that was made just before the process died
NOT_IN_A_LINE = ("stream", "extra_body")  # litellm's parameters that a batch line does not take


@dataclass(frozen=True)
class BatchStatus:
    """The state of a batch.

    Attributes:
        files: ids of the files that hold results, good and bad.
        problem: why the batch as a whole failed.
        answered: requests that the provider counts as answered; None where it does not count.
    """

    state: str
    files: tuple[str, ...] = ()
    problem: str = ""
    answered: int | None = None

    @property
    def ended(self) -> bool:
        """True if the provider works on it no more."""
        return self.state in ENDED


class BatchClient:
    """One provider's batches."""

    def __init__(self, generate: Generate) -> None:
        """Raise UserError for a provider whose batches are not known to take these requests."""
        provider, _, self.bare_model = generate.model.partition("/")
        if provider not in PROVIDERS:
            raise UserError(
                f"batch mode works with {', '.join(PROVIDERS)}, not with {generate.model!r}: "
                "use `mode: live`"
            )
        self._litellm = load_litellm()
        check_model(self._litellm, generate)
        self.model = generate.model
        self.price: Price | None = find_price(generate, batch=True)
        self.api_base = endpoint(generate)
        self._max_bytes = generate.limits.max_answer_bytes
        self._provider: dict[str, Any] = {"custom_llm_provider": provider}
        if self.api_base is not None:
            self._provider["api_base"] = self.api_base

    def line(self, request: Request, key: str) -> bytes:
        """Return a request as one line of a batch file, named by its request key.

        Raises CallError for a parameter that the model does not take.
        """
        parameters = dict(request.sampling)
        if request.response_format:
            parameters["response_format"] = request.response_format
        mapped = self._mapped(parameters)
        body = {
            "model": self.bare_model,
            "messages": [dict(message) for message in request.messages],
            **{name: value for name, value in mapped.items() if name not in NOT_IN_A_LINE},
        }
        line = {"custom_id": key, "method": "POST", "url": ENDPOINT, "body": body}
        return json.dumps(line).encode()

    def _mapped(self, parameters: dict[str, Any]) -> dict[str, Any]:
        """Return parameters as the provider names them."""
        import openai

        try:
            mapped: dict[str, Any] = self._litellm.get_optional_params(
                model=self.bare_model,
                custom_llm_provider=self._provider["custom_llm_provider"],
                **parameters,
            )
        except openai.OpenAIError as error:
            raise as_call_error(error) from None
        return mapped

    async def create(self, lines: Iterable[bytes], label: str) -> str:
        """Send requests as a batch and return its id. Raises CallError."""
        file = (f"{LABEL}-{label}.jsonl", b"\n".join(lines))
        upload = self._litellm.acreate_file(file=file, purpose="batch", **self._provider)
        file_id = await self._call(upload, _id_of)
        batch = self._litellm.acreate_batch(
            completion_window="24h",
            endpoint=ENDPOINT,
            input_file_id=file_id,
            metadata={LABEL: label},
            **self._provider,
        )
        return await self._call(batch, _id_of)

    async def find(self, label: str) -> str | None:
        """Return the id of the batch with a label, or None when it was not made.

        Raises CallError.
        """
        listing = self._litellm.alist_batches(limit=LISTED, **self._provider)
        return await self._call(listing, lambda batches: _id_by_label(batches, label))

    async def status(self, batch_id: str) -> BatchStatus:
        """Return the state of a batch. Raises CallError."""
        retrieval = self._litellm.aretrieve_batch(batch_id=batch_id, **self._provider)
        return await self._call(retrieval, _status_of)

    async def results(self, status: BatchStatus) -> dict[str, Reply | CallError]:
        """Return the reply or error of each request that has one, by request key.

        Raises CallError.
        """
        results: dict[str, Reply | CallError] = {}
        for file in status.files:
            download = self._litellm.afile_content(file_id=file, **self._provider)
            for line in await self._call(download, _lines_of):
                result = read_result(line, self._max_bytes)
                if result is None:
                    continue
                key, outcome = result
                # A reply is not replaced by an error of the same request.
                if not isinstance(results.get(key), Reply):
                    results[key] = outcome
        return results

    async def _call(self, call: Any, read: Callable[[Any], T]) -> T:
        """Return what `read` makes of the provider's reply.

        Raises CallError, `malformed` where it cannot be read.
        """
        import openai

        try:
            return read(await call)
        except openai.OpenAIError as error:
            raise as_call_error(error) from None
        except Exception as error:
            # The boundary: litellm may raise anything on a reply that it cannot read.
            message = one_line(
                "the provider's reply about a batch cannot be read "
                f"({type(error).__name__}: {error})"
            )
            raise CallError("malformed", message) from None


def _id_of(reply: Any) -> str:
    return short_name(reply.id, LONGEST_NAME)


def _id_by_label(batches: Any, label: str) -> str | None:
    for batch in batches.data:
        if (batch.metadata or {}).get(LABEL) == label:
            return _id_of(batch)
    return None


def _status_of(batch: Any) -> BatchStatus:
    files = tuple(str(file) for file in (batch.output_file_id, batch.error_file_id) if file)
    errors = getattr(batch.errors, "data", None) or []
    problem = one_line("; ".join(f"{error.message}{_code(error)}" for error in errors))
    counted = getattr(batch.request_counts, "completed", None)
    answered = counted if isinstance(counted, int) else None
    return BatchStatus(str(batch.status), files, problem, answered)


def _code(error: Any) -> str:
    """Return an error's code in brackets, or nothing."""
    code = getattr(error, "code", None)
    return f" ({code})" if code else ""


def _lines_of(file: Any) -> list[bytes]:
    lines: list[bytes] = file.content.splitlines()
    return lines


def read_result(line: bytes, max_bytes: int) -> tuple[str, Reply | CallError] | None:
    """Return a result line's request key and its reply or error; None for any other line.

    Every field is untrusted: whatever its type, the line ends as one of these.
    """
    try:
        result = json.loads(line)
        key, response = str(result["custom_id"]), result.get("response") or {}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return None
    try:
        return key, _read_response(result, response, max_bytes)
    except CallError as error:
        return key, error
    except (TypeError, KeyError, IndexError, AttributeError, ValueError, RecursionError) as error:
        message = f"the result cannot be read ({type(error).__name__})"
        return key, CallError("malformed", message, billed=True)


def _read_response(result: dict[str, Any], response: dict[str, Any], max_bytes: int) -> Reply:
    """Return the reply in a result. Raises CallError, and anything a field of a wrong type does."""
    status = response.get("status_code")
    if status != 200:
        raise _response_error(result, response, status)
    return reply_of_body(response["body"], max_bytes)


def _response_error(result: dict[str, Any], response: dict[str, Any], status: Any) -> CallError:
    details = (response.get("body") or {}).get("error") or result.get("error") or {}
    message = one_line(str(details.get("message", "no answer")))
    if is_out_of_credit(details.get("code"), message):
        return CallError("fatal", message, status if isinstance(status, int) else None)
    if not isinstance(status, int):
        return CallError("overload", message)
    return CallError("overload" if status == 429 or status >= 500 else "invalid", message, status)
