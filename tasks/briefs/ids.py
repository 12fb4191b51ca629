"""A dialogue's id: a hash of its domain's name and of what its brief holds.

Earlier versions left the domain's name out, so that two domains over one source gave their
dialogues the same ids. Such an earlier id is the content hash that goes into today's: one follows
from the other.
"""

from __future__ import annotations

from typing import Any

from tasks.fingerprint import content_id


def dialogue_id(domain: str, content: Any) -> str:
    """Return the id of a dialogue, 16 hex digits, by its domain and its brief as JSON data."""
    return id_since_earlier(domain, content_id(content))


def id_since_earlier(domain: str, earlier: str) -> str:
    """Return the id that a dialogue has today, given the one that earlier versions gave it."""
    return content_id([domain, earlier])
