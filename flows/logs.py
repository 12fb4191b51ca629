"""Keeps Prefect's logs readable: a user's mistake is one line, not a traceback, and no line carries a secret."""

from __future__ import annotations

import logging
import os
import re

from tasks.errors import UserError
from tasks.web.text import visible

_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect.engine", "prefect.flow_engine", "prefect.task_engine")
_NOISY = ("great_expectations", "great_expectations.data_context.types.base", "LiteLLM", "httpx")
_EVENTS = "EventsWorker"  # warns, at the end of a run, that it is about to do what it is waited for
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|AUTH)", re.IGNORECASE)
_SHORTEST_SECRET = 8


class PlainErrors(logging.Filter):
    """Cuts a UserError's traceback down to its line blanks secrets that stand in the environment, and spells control characters out."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and keep it."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, UserError):
            record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
        text = record.getMessage()
        scrubbed = visible(_without_secrets(text))
        if scrubbed != text:
            record.msg, record.args = scrubbed, ()
        return True


def _without_secrets(text: str) -> str:
    for name, value in os.environ.items():
        if len(value) >= _SHORTEST_SECRET and _SECRET_NAME.search(name) and value in text:
            text = text.replace(value, f"[{name}]")
    return text


def keep_logs_plain() -> None:
    """Put the filter on Prefect's run loggers, once, and quieten libraries that tell about themselves."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_EVENTS).setLevel(logging.ERROR)
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, PlainErrors) for existing in logger.filters):
            logger.addFilter(PlainErrors())
