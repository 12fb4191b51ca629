"""The kinds of faults that a judge finds; the gate has a fact for each."""

from __future__ import annotations

from typing import Final, Literal, get_args

FaultKind = Literal[
    "contradicted",
    "not_told",
    "opinion",
    "decision",
    "goals",
    "speech",
    "gives_away",
    "self_contradiction",
]
FAULT_KINDS: Final[tuple[FaultKind, ...]] = get_args(FaultKind)
