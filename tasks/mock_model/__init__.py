"""The mock model `offline/writer`: the pipeline runs whole without a key, a server or a network.

It is no language model. It puts readable English together from a prompt's template and data with
phrase tables, deterministically.
"""

from tasks.mock_model.model import (
    RETURNED_MODEL,
    TASKS,
    Written,
    check_mock_language,
    count_tokens_offline,
    write,
)

__all__ = [
    "RETURNED_MODEL",
    "TASKS",
    "Written",
    "check_mock_language",
    "count_tokens_offline",
    "write",
]
