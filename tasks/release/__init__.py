"""Release (section 3, Fig. 1): accepted dialogues become the published files, Parquet tables, a card and checksums."""

from tasks.release.checking import check_release
from tasks.release.reader import (
    Release,
    ReleasedConversation,
    ReleasedTurn,
    ReleasedUser,
    item_ids,
    read_titles,
    read_turns,
    read_user_numbers,
    read_users,
)
from tasks.release.writing import ReleaseInfo, latest_release, write_release

__all__ = [
    "Release",
    "ReleaseInfo",
    "ReleasedConversation",
    "ReleasedTurn",
    "ReleasedUser",
    "check_release",
    "latest_release",
    "item_ids",
    "read_titles",
    "read_turns",
    "read_user_numbers",
    "read_users",
    "write_release",
]
