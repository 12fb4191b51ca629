"""Room: llm. The one door to a model: requests, limits, journal, store, price."""

from tasks.llm.budget import Budget
from tasks.llm.errors import CallError, CallFailed, RunStopped
from tasks.llm.journal import Entry, Journal, read_journal
from tasks.llm.lookup import KeyIndex, KnownAnswers, Lookup, StoredAnswers
from tasks.llm.meter import Usage
from tasks.llm.prices import Price, find_price
from tasks.llm.requests import OFFLINE, endpoint, make_request, sampling
from tasks.llm.session import Session
from tasks.llm.store import Loaded, answers_by_key, answers_of_dialogues, load_journal, recover_journals
from tasks.llm.values import BROKEN_OFF, Answer, Ask, Message, Request, Transcript

__all__ = [
    "BROKEN_OFF",
    "OFFLINE",
    "Answer",
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
    "load_journal",
    "make_request",
    "read_journal",
    "recover_journals",
    "sampling",
]
