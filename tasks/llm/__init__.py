"""Room: llm. The one door to a model: requests, limits, journal, store, price."""

from tasks.llm.budget import Budget
from tasks.llm.catalogue import takes_schema
from tasks.llm.errors import CallError, CallFailed, RunStopped
from tasks.llm.journal import BadLine, Entry, Journal, read_journal, usable_entries
from tasks.llm.lookup import KeyIndex, KnownAnswers, Lookup, StoredAnswers
from tasks.llm.meter import Usage
from tasks.llm.prices import Price, find_price
from tasks.llm.quarantine import journal_problems
from tasks.llm.requests import OFFLINE, WRITER_MODULE, WRITER_TABLES, endpoint, make_request, sampling
from tasks.llm.scrub import scrub
from tasks.llm.session import Session
from tasks.llm.shutdown import graceful_shutdown
from tasks.llm.store import Loaded, answers_by_key, answers_of_dialogues, load_journal, recover_journals
from tasks.llm.values import Answer, Ask, Message, Request, Transcript

__all__ = [
    "OFFLINE",
    "WRITER_MODULE",
    "WRITER_TABLES",
    "Answer",
    "BadLine",
    "Ask",
    "Budget",
    "CallError",
    "CallFailed",
    "Entry",
    "Journal",
    "KeyIndex",
    "KnownAnswers",
    "Loaded",
    "Lookup",
    "Message",
    "Price",
    "Request",
    "RunStopped",
    "Session",
    "StoredAnswers",
    "Transcript",
    "Usage",
    "answers_by_key",
    "answers_of_dialogues",
    "endpoint",
    "find_price",
    "graceful_shutdown",
    "journal_problems",
    "load_journal",
    "make_request",
    "read_journal",
    "recover_journals",
    "sampling",
    "scrub",
    "takes_schema",
    "usable_entries",
]
