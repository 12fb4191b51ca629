"""Room: llm. The only place that sends requests to a model.

Messages go in through an `Ask` (`Session.ask_for`), an `Answer` comes out: from the response cache
if it was paid for before, else from the provider, within limits and budget, and on the disk before
it counts. Start reading at session.py, which composes the layers of layers.py; below them are
client.py (litellm), batch/ (batch mode), rate_limiter.py, billing.py and write_ahead_log.py.
"""

from tasks.llm.budget import Budget
from tasks.llm.client import check_model, load_litellm
from tasks.llm.errors import CallError, CallFailed, RunStopped
from tasks.llm.journal import BadLine, Entry, journal_problems, read_journal, usable_entries
from tasks.llm.prices import Price, find_price
from tasks.llm.refused_parameters import Adaptation, asked_as
from tasks.llm.requests import (
    MOCK_MODEL_MODULE,
    OFFLINE,
    endpoint,
    make_request,
    mock_model_tables,
    sampling,
)
from tasks.llm.response_cache import KeyIndex, KnownAnswers, ResponseCache, StoredAnswers
from tasks.llm.response_table import (
    Loaded,
    adopt_earlier_answers,
    answers_by_key,
    answers_of_dialogues,
    load_journal,
    recover_journals,
)
from tasks.llm.session import Session
from tasks.llm.shutdown_signals import graceful_shutdown
from tasks.llm.structured_output import form_of
from tasks.llm.tokens import TokenCounter
from tasks.llm.usage import Usage, UsageMeter
from tasks.llm.values import BROKEN_OFF, Answer, Ask, Message, Request, Transcript
from tasks.llm.write_ahead_log import WriteAheadLog

__all__ = [
    "BROKEN_OFF",
    "OFFLINE",
    "MOCK_MODEL_MODULE",
    "Adaptation",
    "Answer",
    "Ask",
    "BadLine",
    "Budget",
    "CallError",
    "CallFailed",
    "Entry",
    "WriteAheadLog",
    "KeyIndex",
    "KnownAnswers",
    "Loaded",
    "ResponseCache",
    "Message",
    "UsageMeter",
    "Price",
    "Request",
    "RunStopped",
    "Session",
    "StoredAnswers",
    "TokenCounter",
    "Transcript",
    "Usage",
    "adopt_earlier_answers",
    "answers_by_key",
    "answers_of_dialogues",
    "asked_as",
    "check_model",
    "endpoint",
    "find_price",
    "form_of",
    "graceful_shutdown",
    "journal_problems",
    "load_journal",
    "load_litellm",
    "make_request",
    "mock_model_tables",
    "read_journal",
    "recover_journals",
    "sampling",
    "usable_entries",
]
