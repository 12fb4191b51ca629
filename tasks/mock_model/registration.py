"""Makes `offline/writer` a model string that litellm knows."""

from __future__ import annotations

PROVIDER = "offline"
# the version a response names; raised when the same prompt would be answered otherwise
RETURNED = "offline/writer-1"
_FREE = {
    "input_cost_per_token": 0.0,
    "output_cost_per_token": 0.0,
    "litellm_provider": PROVIDER,
    "mode": "chat",
}


def register_offline() -> None:
    """Register the mock model with litellm, once; imports litellm (about 5 s) when called.

    It is entered as free of charge, which it is: litellm would else search its whole price map for
    it at every call.
    """
    import litellm

    from tasks.mock_model.adapter import OfflineLLM

    if all(entry["provider"] != PROVIDER for entry in litellm.custom_provider_map):
        litellm.custom_provider_map.append({"provider": PROVIDER, "custom_handler": OfflineLLM()})
        litellm.register_model({"offline/writer": dict(_FREE), RETURNED: dict(_FREE)})


def count_tokens_offline(text: str) -> int:
    """Return an estimate of a text's tokens: its UTF-8 bytes divided by four, rounded up.

    The writer has no tokenizer, and English runs to about four bytes a token in today's ones. The
    point is that the plan before a run and the usage after it are counted by one and the same
    function.
    """
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4
