"""A language model of two small layers with random weights: quick, and as bad a writer as there can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tasks.local_model import LocalModel

TEXT = (
    "User: I liked the story of {{item:1}}, it was slow and warm. Agent: Then {{item:2}} may be for you! "
    '{"turns": [{"role": "user", "text": "Why?"}, {"role": "agent", "text": "It is clever, 10/10."}]}'
)


def tiny_model(vocabulary: int = 320) -> LocalModel:
    """Return a chat model whose texts are drawn almost evenly from all tokens."""
    import tokenizers
    import torch
    import transformers

    pieces = tokenizers.ByteLevelBPETokenizer()
    pieces.train_from_iterator([TEXT], vocab_size=vocabulary, special_tokens=["<s>", "</s>"])
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=pieces._tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    torch.manual_seed(1)
    shape = transformers.LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=48,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=6,
        num_key_value_heads=2,
        max_position_embeddings=2048,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
        initializer_range=0.3,
    )
    model = transformers.LlamaForCausalLM(shape).eval()

    def question(messages: Sequence[Mapping[str, str]]) -> list[int]:
        tokens: list[int] = tokenizer(" ".join(each["content"] for each in messages))["input_ids"]
        return tokens

    return LocalModel("tiny", tokenizer, model, question)


def chat(text: str) -> tuple[dict[str, Any], ...]:
    return ({"role": "user", "content": text},)
