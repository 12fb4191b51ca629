"""Makes `offline/writer` a model string that litellm knows."""

from __future__ import annotations

PROVIDER = "offline"


def register_offline() -> None:
    """Add the embedded writer to litellm's custom providers, once; imports litellm (about 5 s) when called."""
    import litellm

    from tasks.llm.offline.adapter import OfflineLLM

    if all(entry["provider"] != PROVIDER for entry in litellm.custom_provider_map):
        litellm.custom_provider_map.append({"provider": PROVIDER, "custom_handler": OfflineLLM()})
