"""Two domains over one source that differ in the settings of asking, built without Prefect."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from flows.options import BuildOptions
from tasks.settings import Home
from tests.support.plain_build import plain_build
from tests.support.served import demo_like


def build_variants(data: Path, dialogues: int, **variants: dict[str, Any]) -> Home:
    """Build a domain for each variant of `generate`, over the demo's reviews."""
    home = Home(data=data)
    for name, generate in variants.items():
        demo_like(data, name, title="Variant", generate=generate)
        plain_build(home, name, BuildOptions(max_dialogues=dialogues), run_id=f"{name}-run")
    return home
