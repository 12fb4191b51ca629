"""The mock server's files and batches: a batch is worked off when it is asked for often enough, and may fail in part."""

from __future__ import annotations

import base64
import json
from typing import Any

from aiohttp import web

from tasks.fingerprint import fingerprint, unit
from tests.support import server_answers
from tests.support.server_state import ServerState


class Batches:
    """The uploaded files and the batches made of them, kept in memory."""

    def __init__(self, state: ServerState) -> None:
        self.state = state
        self.files: dict[str, bytes] = {}
        self.batches: dict[str, dict[str, Any]] = {}
        self.polls: dict[str, int] = {}
        self.limited: list[dict[str, Any]] = []  # made under a limit of enqueued tokens

    async def upload(self, request: web.Request) -> web.Response:
        """POST /v1/files."""
        form = await request.post()
        upload = form["file"]
        assert isinstance(upload, web.FileField)
        return web.json_response(self._keep(upload.file.read(), str(form["purpose"])))

    async def content(self, request: web.Request) -> web.Response:
        """GET /v1/files/{id}/content."""
        return web.Response(body=self.files[request.match_info["id"]])

    async def create(self, request: web.Request) -> web.Response:
        """POST /v1/batches."""
        body = await request.json()
        batch_id = f"batch_{len(self.batches) + 1}"
        self.batches[batch_id] = {
            "id": batch_id,
            "object": "batch",
            "endpoint": body["endpoint"],
            "input_file_id": body["input_file_id"],
            "completion_window": body["completion_window"],
            "status": "in_progress",
            "created_at": 1_700_000_000,
            "metadata": body.get("metadata"),
        }
        self._admit(self.batches[batch_id])
        return web.json_response(self.batches[batch_id])

    def _admit(self, batch: dict[str, Any]) -> None:
        """Let a batch fail whose tokens are too many beside those in progress, as OpenAI does."""
        limit = self.state.behaviour.batch_tokens
        if limit is None:
            return
        self.limited.append(batch)
        going = [one for one in self.limited if one["status"] == "in_progress"]
        if sum(map(self._tokens, going)) <= limit:
            return
        message = (
            "Enqueued token limit reached for gpt-4o-mini in organization org-mock. "
            f"Limit: {limit:,} enqueued tokens. Please try again once some in_progress batches "
            "have been completed."
        )
        problem = {"code": "token_limit_exceeded", "message": message, "param": None, "line": None}
        batch["status"] = "failed"
        batch["errors"] = {"object": "list", "data": [problem]}
        self.state.tally.faults["enqueued"] += 1

    def _tokens(self, batch: dict[str, Any]) -> int:
        entries = map(json.loads, self.files[batch["input_file_id"]].splitlines())
        return sum(
            len(message["content"]) // 4
            for entry in entries
            for message in entry["body"]["messages"]
        )

    async def retrieve(self, request: web.Request) -> web.Response:
        """GET /v1/batches/{id}."""
        batch = self.batches.get(request.match_info["id"])
        if batch is None:
            return web.json_response(
                {"error": {"message": "No such batch", "type": "x", "param": None, "code": None}},
                status=404,
            )
        self.polls[batch["id"]] = self.polls.get(batch["id"], 0) + 1
        if (
            batch["status"] == "in_progress"
            and self.polls[batch["id"]] > self.state.behaviour.batch_polls
        ):
            self._work_off(batch)
        return web.json_response({**batch, **self.state.behaviour.batch_fields})

    async def list_all(self, request: web.Request) -> web.Response:
        """GET /v1/batches."""
        return web.json_response(
            {"object": "list", "data": list(self.batches.values()), "has_more": False}
        )

    def _work_off(self, batch: dict[str, Any]) -> None:
        done, failed = [], []
        for line in self.files[batch["input_file_id"]].splitlines():
            entry = json.loads(line)
            fails = self._fails(entry)
            odd = self.state.odd_reply_for(fingerprint(entry["body"]), entry["body"])
            if odd is not None and odd["status"] >= 300:
                failed.append(_refused(entry, odd))
            elif fails:
                failed.append(self._failed(entry))
            else:
                done.append(self._answered(entry, odd))
        if failed and self.state.behaviour.batch_checked and not done:
            self._refuse(batch, failed[0])
            return
        batch["status"] = self.state.behaviour.batch_ending
        batch["request_counts"] = {
            "total": len(done) + len(failed),
            "completed": len(done),
            "failed": len(failed),
        }
        batch["output_file_id"] = self._keep_lines(done) if done else None
        batch["error_file_id"] = self._keep_lines(failed) if failed else None

    def _refuse(self, batch: dict[str, Any], line: dict[str, Any]) -> None:
        problem = {"code": "invalid_request", "param": None, "line": 1}
        message = line["response"]["body"]["error"]["message"]
        batch["status"] = "failed"
        batch["errors"] = {"object": "list", "data": [{**problem, "message": message}]}

    def _fails(self, entry: dict[str, Any]) -> bool:
        key = fingerprint(entry["body"])
        self.state.tries[key] += 1
        behaviour = self.state.behaviour
        return (
            unit(behaviour.seed, "batch", key, self.state.tries[key]) < behaviour.batch_fail_share
        )

    def _answered(self, entry: dict[str, Any], odd: dict[str, Any] | None) -> dict[str, Any]:
        answer = server_answers.complete(entry["body"], self.state.behaviour, None, self.state)
        tally, usage = self.state.tally, answer["usage"]
        if odd is not None:
            answer = server_answers.with_fields(answer, odd)
        tally.billed += 1
        tally.billed_keys[fingerprint(entry["body"])] += 1
        tally.prompt_tokens += usage["prompt_tokens"]
        tally.completion_tokens += usage["completion_tokens"]
        return {
            "id": "r",
            "custom_id": entry["custom_id"],
            "response": {"status_code": 200, "body": answer},
            "error": None,
        }

    def _failed(self, entry: dict[str, Any]) -> dict[str, Any]:
        if self.state.behaviour.batch_failure:
            return {"custom_id": entry["custom_id"], **self.state.behaviour.batch_failure}
        body = {"error": {"message": "overloaded", "code": "server_error"}}
        return {
            "id": "r",
            "custom_id": entry["custom_id"],
            "response": {"status_code": 500, "body": body},
            "error": None,
        }

    def _keep_lines(self, lines: list[dict[str, Any]]) -> str:
        return str(
            self._keep("\n".join(json.dumps(line) for line in lines).encode(), "batch_output")["id"]
        )

    def _keep(self, content: bytes, purpose: str) -> dict[str, Any]:
        file_id = f"file-{len(self.files) + 1}"
        self.files[file_id] = content
        return {
            "id": file_id,
            "object": "file",
            "bytes": len(content),
            "created_at": 1_700_000_000,
            "filename": "requests.jsonl",
            "purpose": purpose,
            "status": "processed",
        }


def _refused(entry: dict[str, Any], odd: dict[str, Any]) -> dict[str, Any]:
    body = json.loads(base64.b64decode(odd["body"]))
    response = {"status_code": odd["status"], "body": body}
    return {"id": "r", "custom_id": entry["custom_id"], "response": response, "error": None}


def routes(state: ServerState) -> list[web.RouteDef]:
    """Return the routes of files and batches."""
    batches = Batches(state)
    return [
        web.post("/v1/files", batches.upload),
        web.get("/v1/files/{id}/content", batches.content),
        web.post("/v1/batches", batches.create),
        web.get("/v1/batches", batches.list_all),
        web.get("/v1/batches/{id}", batches.retrieve),
    ]
