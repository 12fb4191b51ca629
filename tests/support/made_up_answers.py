"""Answers as a provider might have given them, with every field filled."""

from __future__ import annotations

from typing import Any

from tasks.llm import Answer, Entry


def made_up_answer(key: str = "a" * 64, text: str = "hello", **fields: Any) -> Answer:
    """Return an answer to a request key; `fields` replace the rest."""
    return Answer(
        **{
            "request_key": key,
            "text": text,
            "finish_reason": "stop",
            "prompt_tokens": 10,
            "completion_tokens": 20,
            "cost_usd": 0.5,
            "latency_s": 1.25,
            "model": "openai/x",
            "api_base": None,
            "model_returned": "x-1",
            "provider_id": "id",
            "retries": 0,
            "asked_at": "2026-01-02T03:04:05.000006+00:00",
            **fields,
        }
    )


def made_up_entry(key: str = "a" * 64, text: str = "hello", dialogue_id: str = "d") -> Entry:
    """Return a journal entry of such an answer."""
    return Entry(made_up_answer(key, text), dialogue_id, 1, "run")
