"""The mock model `offline/writer`: a deterministic surface realiser, no language model.

It writes readable English from a prompt's template and data, so that the pipeline runs whole
without a key, a server or a network. `tasks.mock_model.adapter` makes it a litellm provider.
"""

from tasks.mock_model.registration import count_tokens_offline, register_offline
from tasks.mock_model.writer import TASKS, Written, write

__all__ = ["TASKS", "Written", "count_tokens_offline", "register_offline", "write"]
