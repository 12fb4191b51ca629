"""Reads tokenizers and models from files, for everything that runs a model in this process."""

from __future__ import annotations

import contextlib
import io
import json
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
    tokenizer, loaded = load_weights(model)
    loaded.eval()
    return LocalModel(weights_of(model).name, tokenizer, loaded, partial(chat_tokens, tokenizer))


def load_weights(model: str, *, reduced: bool = False) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a string such as `local/smollm2`.

    `reduced` as in `load_pretrained`. Raises UserError when a part of it is not installed.
    """
    folder = str(check_local(model))
    return load_pretrained(folder, gguf_file=weights_of(model).file, reduced=reduced)


def computes_bfloat16() -> bool:
    """Return True if this processor has instructions for bfloat16; without them it is slower."""
    import torch

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def chat_tokens(
    tokenizer: Any, messages: Sequence[Mapping[str, str]], wording: str | None = None
) -> list[int]:
    """Return the tokens of chat messages, up to where the model's answer begins.

    A control token that somebody wrote into a message, such as `<|im_end|>`, stays text.

    Args:
        tokenizer: of transformers.
        messages: with `role` and `content`.
        wording: a text with `$prompt` in place of the messages; the tokenizer's own chat template
            if not given.

    Raises:
        UserError: neither is there.
    """
    if wording is None and not tokenizer.chat_template:
        raise UserError(
            "this model's tokenizer has no chat template: give `prompt` in the settings' YAML, a "
            "text with $prompt in it"
        )
    tokens: list[int] = tokenizer.apply_chat_template(
        [dict(message) for message in messages],
        chat_template=wording and _as_template(tokenizer, wording),
        tokenize=True,
        return_dict=False,
        add_generation_prompt=True,
        sanitize_control_tokens=True,
    )
    return tokens


def _as_template(tokenizer: Any, wording: str) -> str:
    """Return a chat template that writes the messages' contents at `$prompt`."""
    before, after = map(json.dumps, wording.split("$prompt"))
    # What the tokenizer puts before every text, such as <s>.
    begins = "{{ bos_token }}" if tokenizer("")["input_ids"][:1] == [tokenizer.bos_token_id] else ""
    contents = "{{ messages | map(attribute='content') | join('\n\n') }}"
    return f"{begins}{{{{ {before} }}}}{contents}{{{{ {after} }}}}"


def load_pretrained(
    source: str | Path, gguf_file: str | None = None, *, reduced: bool = False
) -> tuple[Any, Any]:
    """Return the tokenizer and the model of a name or folder, on a GPU where there is one.

    Args:
        source: a Hugging Face name, or a folder.
        gguf_file: the file in it, if its weights are in the GGUF format.
        reduced: whether weights are bfloat16 on a processor that computes it; on a GPU they are.

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
    if reduced and not gpu and computes_bfloat16():
        model = model.to(torch.bfloat16)
    return tokenizer, model.to("cuda" if gpu else "cpu")
