"""The YAML header of a dataset card, by which `datasets.load_dataset` opens a folder as it lies."""

from __future__ import annotations

from collections.abc import Mapping

import yaml

from tasks.web import visible

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M"))
_FENCE = "---\n"


def dataset_header(
    name: str,
    dialogues: int,
    configs: Mapping[str, Mapping[str, str]],
    content: str,
    language: str | None = None,
) -> str:
    """Return the header of a card.

    Args:
        name: what the dataset is called.
        dialogues: how many it holds.
        configs: for each configuration the file of each split; the first is loaded where none is
            named.
        content: a hash of the data. `load_dataset` knows a local folder in its cache by the
            folder's last name and this header alone;
            without the hash a second dataset of that name would be answered with the first one's
            rows.
        language: as an ISO code, where it is known.
    """
    header = {
        "pretty_name": visible(" ".join(name.split())),
        "license": "other",
        "license_name": "terms-of-the-source-reviews",
        **({"language": [language]} if language else {}),
        "task_categories": ["text-generation"],
        "annotations_creators": ["machine-generated"],
        "language_creators": ["machine-generated"],
        "size_categories": [next((size for limit, size in _SIZES if dialogues < limit), "n>1M")],
        "tags": ["conversational-recommendation", "user-centric"],
        "configs": [
            _config(place, *config, content) for place, config in enumerate(configs.items())
        ],
    }
    return f"{_FENCE}{yaml.safe_dump(header, sort_keys=False, allow_unicode=True)}{_FENCE}\n"


def without_header(card: str) -> str:
    """Return a card's text behind its YAML header."""
    if not card.startswith(_FENCE):
        return card
    _, fence, rest = card.removeprefix(_FENCE).partition(f"\n{_FENCE}")
    return rest.lstrip("\n") if fence else card


def _config(place: int, name: str, files: Mapping[str, str], content: str) -> dict[str, object]:
    return {
        "config_name": name,
        **({"default": True} if place == 0 else {}),
        "description": f"content {content[:16]}",
        "data_files": [{"split": split, "path": path} for split, path in files.items()],
    }
