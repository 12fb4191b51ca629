"""Who was erased: keyed hashes of users, so that no later ingest takes their reviews in again.

Beside them those of dialogues of others that were dropped because they retold an erased review. The
file holds no id, and says by a check value whether the key is the one it was written with.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tasks.errors import UserError
from tasks.files import write_atomically
from tasks.fingerprint import fingerprint
from tasks.settings import Home

LAYOUT: Final = 1  # of the file


@dataclass(frozen=True)
class Tombstones:
    """The keyed hashes of a domain, and the key."""

    secret: bytes = field(repr=False)
    users: frozenset[str] = frozenset()
    briefs: frozenset[str] = frozenset()

    def has_user(self, user_id: str) -> bool:
        """Return True if a user was erased."""
        return self._hash("user", user_id) in self.users

    def has_brief(self, user_id: str, target_item_id: str) -> bool:
        """Return True if the dialogue of a user and a target was dropped for good."""
        return bool(self.briefs) and self._hash("brief", user_id, target_item_id) in self.briefs

    def with_users(self, user_ids: Iterable[str]) -> Tombstones:
        """Return the same with more users."""
        more = frozenset(self._hash("user", user_id) for user_id in user_ids)
        return Tombstones(self.secret, self.users | more, self.briefs)

    def with_briefs(self, briefs: Iterable[tuple[str, str]]) -> Tombstones:
        """Return the same with more dropped dialogues, as (user, target)."""
        more = frozenset(self._hash("brief", *brief) for brief in briefs)
        return Tombstones(self.secret, self.users, self.briefs | more)

    def digest(self) -> str:
        """Return a hash of what it holds."""
        return fingerprint([sorted(self.users), sorted(self.briefs)])

    def write(self, home: Home, domain: str) -> None:
        """Write the domain's file. Raises OSError."""
        content = {
            "layout": LAYOUT,
            "key": self._hash("key", domain),
            "users": sorted(self.users),
            "briefs": sorted(self.briefs),
        }
        write_atomically(tombstone_file(home, domain), json.dumps(content, indent=1) + "\n")

    def _hash(self, *parts: str) -> str:
        said = "\0".join(("erased", *parts)).encode("utf-8", "surrogatepass")
        return hmac.new(self.secret, said, hashlib.sha256).hexdigest()


def tombstone_file(home: Home, domain: str) -> Path:
    """Return where a domain's tombstones are kept."""
    return home.data / "erased" / f"{domain}.json"


def read_tombstones(home: Home, domain: str, secret: bytes) -> Tombstones:
    """Read a domain's tombstones; there are none if it has no file.

    Raises:
        UserError: the file is damaged, or was written with another key.
    """
    path = tombstone_file(home, domain)
    if not path.is_file():
        return Tombstones(secret)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        layout, key = content["layout"], content["key"]
        found = Tombstones(secret, frozenset(content["users"]), frozenset(content["briefs"]))
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(
            f"{path}, which says who was erased, is damaged: put a good copy there"
        ) from None
    if layout != LAYOUT:
        raise UserError(f"{path} has layout {layout!r} of a newer version: use that version")
    if key != found._hash("key", domain):
        raise UserError(
            f"{path}, which says who was erased, was written with another key: set the "
            "REDIAL_PSEUDONYM_KEY of then, or put the domain's key file back"
        )
    return found
