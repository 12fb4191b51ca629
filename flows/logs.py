"""Keeps Prefect's logs readable: a user's mistake is one line, and no line holds a secret."""

from __future__ import annotations

import logging

from tasks.errors import UserError
from tasks.redaction import redact
from tasks.visible_text import visible

_NOISY = (
    "great_expectations",
    "great_expectations.data_context.types.base",
    "LiteLLM",
    "httpx",
)
_EVENTS = "EventsWorker"  # warns, at the end of a run, that it is about to do what it is waited for
_ROOT = "prefect"
_FORMATTER = logging.Formatter()


class PlainErrors(logging.Filter):
    """Cuts a UserError's traceback down to its line and hides secrets in messages and tracebacks.

    Control characters are spelled out.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite the record in place and keep it."""
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        if isinstance(error, UserError):
            record.msg, record.args, record.exc_info, record.exc_text = str(error), (), None, None
        elif isinstance(record.exc_info, tuple):
            # A formatter takes `exc_text` where it is set, and would else write the traceback
            # itself.
            record.exc_text = redact(_FORMATTER.formatException(record.exc_info))
        text = record.getMessage()
        redacted = visible(redact(text))
        if redacted != text:
            record.msg, record.args = redacted, ()
        return True


def keep_logs_plain() -> None:
    """Filter every logger of Prefect and its handlers, once; quieten libraries that log much."""
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger(_EVENTS).setLevel(logging.ERROR)
    for logger in _loggers():
        # A logger's filter does not see what its children pass up, its handlers' filters do.
        for place in (logger, *logger.handlers):
            if not any(isinstance(existing, PlainErrors) for existing in place.filters):
                place.addFilter(PlainErrors())


def _loggers() -> list[logging.Logger]:
    """Return the root logger and all of Prefect's there are so far."""
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] == _ROOT]
    return [logging.root, *(logging.getLogger(name) for name in (_ROOT, *names))]
