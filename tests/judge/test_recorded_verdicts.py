"""Verdicts that a language model gave on recorded dialogues: all can be read, and what they see."""

from __future__ import annotations

from collections import Counter

from tests.support.record_judge import found_by, recorded_dialogues
from tests.support.recorded import read_rows
from tests.support.recorded_answers import FOLDER


def test_a_capable_judge_sees_nine_in_ten_defects_and_passes_good_dialogues() -> None:
    verdicts = {row["key"]: row["answer"] for row in read_rows(FOLDER / "verdicts.jsonl")}
    found: Counter[str] = Counter()
    read: Counter[str] = Counter()
    for name in ("good", "defective"):
        for _, dialogue, rollout in recorded_dialogues(FOLDER / f"{name}.jsonl"):
            faults = found_by(verdicts, dialogue, rollout)
            assert faults is not None, dialogue.dialogue_id
            read[name] += 1
            found[name] += bool(faults)
    assert read == {"good": 60, "defective": 60}
    # As measured: of the defective ones four near-copies pass, which the rules see.
    assert found == {"good": 0, "defective": 56}
