"""Release (section 3, Fig. 1): accepted dialogues become the published files, Parquet tables, a card and checksums."""

from tasks.release.checking import check_release
from tasks.release.integrity import verify_release
from tasks.release.locate import FoundRelease, find_release, latest_release, unknown_corpus, verify_latest
from tasks.release.pseudonym_key import PseudonymKey, check_pseudonym_key, pseudonym_key
from tasks.release.reader import (
    Release,
    ReleasedConversation,
    ReleasedTurn,
    ReleasedUser,
    item_ids,
    read_item_map,
    read_titles,
    read_turns,
    read_user_numbers,
    read_users,
)
from tasks.release.structure import StructureCheck
from tasks.release.writing import ReleaseInfo, write_release

__all__ = [
    "FoundRelease",
    "PseudonymKey",
    "Release",
    "ReleaseInfo",
    "ReleasedConversation",
    "ReleasedTurn",
    "ReleasedUser",
    "StructureCheck",
    "check_pseudonym_key",
    "check_release",
    "find_release",
    "item_ids",
    "latest_release",
    "pseudonym_key",
    "read_item_map",
    "read_titles",
    "read_turns",
    "read_user_numbers",
    "read_users",
    "unknown_corpus",
    "verify_latest",
    "verify_release",
    "write_release",
]
