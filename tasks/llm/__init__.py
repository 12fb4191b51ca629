"""Room: llm. The only place that sends requests to a model.

Messages go in through an `Ask` (`Session.ask_for`), an `Answer` comes out: from the response cache
if it was paid for before, else from the provider, within limits and budget, and on the disk before
it counts. Start reading at session.py, which composes the layers of layers.py; below them are
client.py (litellm), batch/ (batch mode), rate_limiter.py, billing.py and write_ahead_log.py.
"""

from tasks.llm.answer_watch import MOST_UNUSABLE, RECENT, ReadProblem, one_answer
from tasks.llm.budget import Budget
from tasks.llm.client import check_model, litellm_for, load_litellm
from tasks.llm.errors import CallError, CallFailed, RunStopped
from tasks.llm.journal import BadLine, Entry, journal_problems, read_journal, usable_entries
from tasks.llm.journal_store import JournalStore, fetch_journals, store_of
from tasks.llm.known_models import find_facts, keep_facts
from tasks.llm.model_facts import ModelFacts, listed_facts, with_facts_of_each
from tasks.llm.prices import Price, find_price, is_known_model, require_price
from tasks.llm.probe import probe_model
from tasks.llm.prompt_cache import prompt_cache_terms
from tasks.llm.refused_parameters import Adaptation, asked_as
from tasks.llm.requests import (
    IN_PROCESS,
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
    has_answers_of,
    load_journal,
    outdate_answers,
    recover_journals,
)
from tasks.llm.session import Session
from tasks.llm.shutdown_signals import graceful_shutdown
from tasks.llm.structured_output import form_of
from tasks.llm.text_likelihood import PROVIDER as LIKELIHOOD_PROVIDER
from tasks.llm.text_likelihood import likelihood_of
from tasks.llm.tokens import TokenCounter
from tasks.llm.usage import Usage, UsageMeter, cut_prompt
from tasks.llm.values import BROKEN_OFF, CUT_OFF, Answer, Ask, Message, Request, Transcript
from tasks.llm.write_ahead_log import WriteAheadLog

__all__ = [
    "is_known_model",
    "BROKEN_OFF",
    "CUT_OFF",
    "IN_PROCESS",
    "LIKELIHOOD_PROVIDER",
    "MOST_UNUSABLE",
    "OFFLINE",
    "RECENT",
    "MOCK_MODEL_MODULE",
    "Adaptation",
    "Answer",
    "Ask",
    "BadLine",
    "Budget",
    "CallError",
    "CallFailed",
    "Entry",
    "JournalStore",
    "WriteAheadLog",
    "fetch_journals",
    "store_of",
    "KeyIndex",
    "KnownAnswers",
    "Loaded",
    "ResponseCache",
    "Message",
    "ModelFacts",
    "UsageMeter",
    "Price",
    "ReadProblem",
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
    "cut_prompt",
    "endpoint",
    "find_facts",
    "find_price",
    "form_of",
    "graceful_shutdown",
    "has_answers_of",
    "journal_problems",
    "keep_facts",
    "likelihood_of",
    "listed_facts",
    "load_journal",
    "litellm_for",
    "load_litellm",
    "make_request",
    "one_answer",
    "outdate_answers",
    "mock_model_tables",
    "probe_model",
    "read_journal",
    "prompt_cache_terms",
    "recover_journals",
    "require_price",
    "sampling",
    "usable_entries",
    "with_facts_of_each",
]
