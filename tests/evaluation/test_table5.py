"""Table 5 in miniature, smaller still: the benchmark's commands work from corpus to differences."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.local_model import check_local
from tests.support.tiny_model import tiny_model

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.skipif(
        importlib.util.find_spec("peft") is None, reason="the extra [finetune] is not installed"
    ),
]


def table5(folder: Path, model: str, *size: str) -> str:
    words = ("-m", "tests.benchmarks.table5", str(folder), "--base-model", model, *size)
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def assert_whole(told: str) -> None:
    """Every row and every difference is there, each with an interval."""
    for setting in ("reference", "zero-shot", "fine-tuned", "fine-tuned, likelihood"):
        assert f"| {setting} |" in told, told
    for source in ("dialogue", "dialogue + history"):
        for how in ("generate", "likelihood"):
            _, _, after = told.partition(f"\n{source}, {how}: fine-tuned less\n")
            rows = {line.split()[0]: line for line in after.splitlines()[:4]}
            assert all("recall@10" in rows[name] for name in ("zero-shot", "popularity", "itemknn"))
    assert "fine-tuned  recall@10" in told.partition("with the history less without it")[2]


def test_the_whole_path_with_a_tiny_model_and_again_from_the_store(tmp_path: Path) -> None:
    tiny = tiny_model()
    tiny.tokenizer.chat_template = "{% for each in messages %}{{ each.content }} {% endfor %}"
    tiny.tokenizer.save_pretrained(tmp_path / "tiny")
    tiny.model.save_pretrained(tmp_path / "tiny")
    size = ("--users", "24", "--questions", "4", "--epochs", "1", "--settings", "zero-shot")
    first = table5(tmp_path / "work", str(tmp_path / "tiny"), *size)
    assert_whole(first)
    again = table5(tmp_path / "work", str(tmp_path / "tiny"), *size)
    begins = "with the history less without it"
    assert (
        again.partition(begins)[2].split("minutes")[0].splitlines()[:-1]
        == (first.partition(begins)[2].split("minutes")[0].splitlines()[:-1])
    )


def test_the_real_model_in_five_minutes(tmp_path: Path) -> None:
    try:
        check_local("local/smollm2")
    except UserError as error:
        pytest.skip(str(error))
    size = ("--users", "40", "--questions", "4", "--epochs", "1", "--settings", "zero-shot")
    assert_whole(table5(tmp_path / "work", "local/smollm2", *size))
