"""Release (section 3, Fig.

1): accepted dialogues become the published files, Parquet tables, a card and checksums.
"""

from tasks.release.card import CARD
from tasks.release.changes import version_before
from tasks.release.checks import check_release
from tasks.release.derived import Part, place_release, read_parts, write_derived
from tasks.release.facts import read_facts
from tasks.release.files import CONVERSATION, FINAL_DATA, ITEM_MAP, USER_IDS
from tasks.release.hub import dataset_header, without_header
from tasks.release.integrity import SUMS, broken_sums, listed_sums, sums_of, verify_release
from tasks.release.locate import (
    FoundRelease,
    corpus_path,
    find_release,
    latest_release,
    unknown_corpus,
    verify_latest,
)
from tasks.release.made_by import MadeBy, read_made_by
from tasks.release.pseudonyms import (
    PseudonymKey,
    check_pseudonym_key,
    key_file,
    pseudonym_key,
)
from tasks.release.published import pseudonym
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
from tasks.release.writer import ReleaseInfo, write_release

__all__ = [
    "CARD",
    "CONVERSATION",
    "FINAL_DATA",
    "ITEM_MAP",
    "SUMS",
    "USER_IDS",
    "FoundRelease",
    "MadeBy",
    "Part",
    "PseudonymKey",
    "Release",
    "ReleaseInfo",
    "ReleasedConversation",
    "ReleasedTurn",
    "ReleasedUser",
    "StructureCheck",
    "broken_sums",
    "check_pseudonym_key",
    "check_release",
    "corpus_path",
    "dataset_header",
    "find_release",
    "item_ids",
    "key_file",
    "latest_release",
    "listed_sums",
    "place_release",
    "pseudonym",
    "pseudonym_key",
    "read_facts",
    "read_item_map",
    "read_made_by",
    "read_parts",
    "read_titles",
    "read_turns",
    "read_user_numbers",
    "read_users",
    "sums_of",
    "unknown_corpus",
    "verify_latest",
    "verify_release",
    "without_header",
    "write_derived",
    "write_release",
    "version_before",
]
