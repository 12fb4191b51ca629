"""Reads tokenizers and models from files, for everything that runs a model in this process."""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any

from tasks.errors import UserError
from tasks.local_model.grammar import Grammars
from tasks.local_model.weights import check_local, weights_of


@dataclass(frozen=True)
class LocalModel:
    """A model with its tokenizer, ready to answer.

    Attributes:
        name: what its answers say they are from.
        question: makes the tokens of a prompt from chat messages.
    """

    name: str
    tokenizer: Any
    model: Any
    question: Callable[[Sequence[Mapping[str, str]]], list[int]]

    @cached_property
    def grammars(self) -> Grammars:
        """The grammars over this model's vocabulary. Takes about a second the first time."""
        return Grammars(self.tokenizer)

    def text(self, tokens: Sequence[int]) -> str:
        """Return the text of tokens, without those that mark the end."""
        return str(self.tokenizer.decode(tokens, skip_special_tokens=True))


@cache
def open_model(model: str) -> LocalModel:
    """Return a local model, loaded once a process.

    Raises UserError when a part of it is not installed.
    """
    folder, weights = check_local(model), weights_of(model)
    tokenizer, loaded = load_pretrained(str(folder), gguf_file=weights.file)
    loaded.eval()
    return LocalModel(weights.name, tokenizer, loaded, partial(_chat_tokens, tokenizer))


def _chat_tokens(tokenizer: Any, messages: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the tokens of chat messages in the model's own form, up to where its answer begins."""
    chat = [dict(message) for message in messages]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    tokens: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return tokens


def load_pretrained(source: str | Path, gguf_file: str | None = None) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a name or folder, on a GPU where there is one.

    Args:
        source: a Hugging Face name, or a folder.
        gguf_file: the file in it, if its weights are in the GGUF format.

    Raises:
        UserError: they cannot be loaded.
    """
    import torch
    import transformers

    gpu = torch.cuda.is_available()
    dtype = torch.bfloat16 if gpu else torch.float32
    options = {"gguf_file": gguf_file} if gguf_file else {}
    try:
        # transformers draws a progress bar for every file it converts.
        with contextlib.redirect_stderr(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tokenizer = transformers.AutoTokenizer.from_pretrained(source, **options)
            model: Any = transformers.AutoModelForCausalLM.from_pretrained(
                source, dtype=dtype, **options
            )
    except (OSError, ValueError) as error:
        raise UserError(
            f"the model {source} cannot be loaded: {str(error).splitlines()[0]}"
        ) from None
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer, model.to("cuda" if gpu else "cpu")
