"""Room: local_model. Language models that run in this process, on torch.

In: chat messages and a JSON schema. Out: texts that follow the schema. Start with `Batcher`, which
decodes the requests in flight together; `generate` decodes one batch, `weights_of` finds the
weights that a package brings, `load_pretrained` reads weights for all users of local models.

torch, transformers and llguidance are imported when they are needed, never before.
"""

from tasks.local_model.batcher import Batcher, Written
from tasks.local_model.decoding import Generated, Prompt, Sampling, generate
from tasks.local_model.grammar import Grammars
from tasks.local_model.likelihood import mean_log_probabilities
from tasks.local_model.loading import (
    LocalModel,
    chat_tokens,
    computes_bfloat16,
    load_pretrained,
    load_weights,
    open_model,
)
from tasks.local_model.title_grammar import TitleGrammar, TitleTokens
from tasks.local_model.weights import LOCAL, check_local, identity_of, weights_of

__all__ = [
    "LOCAL",
    "Batcher",
    "Generated",
    "Grammars",
    "LocalModel",
    "Prompt",
    "Sampling",
    "TitleGrammar",
    "TitleTokens",
    "Written",
    "chat_tokens",
    "computes_bfloat16",
    "check_local",
    "generate",
    "identity_of",
    "load_pretrained",
    "load_weights",
    "mean_log_probabilities",
    "open_model",
    "weights_of",
]
