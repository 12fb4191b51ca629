from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tasks.fingerprint import canonical, code_hash, content_id, file_hash, folder_hash, settings_hash, unit

JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x))


@given(st.dictionaries(st.text(), JSON))
def test_equal_values_have_equal_bytes_whatever_their_order(value: dict[str, object]) -> None:
    assert canonical(dict(reversed(list(value.items())))) == canonical(value)


@given(st.integers(), st.lists(st.text()))
def test_unit_is_in_range_and_repeats(seed: int, parts: list[str]) -> None:
    assert 0 <= unit(seed, *parts) < 1
    assert unit(seed, *parts) == unit(seed, *parts)


def test_unit_is_spread_evenly() -> None:
    drawn = [unit(1, str(i)) for i in range(4000)]
    assert abs(sum(drawn) / 4000 - 0.5) < 0.02


def test_parts_do_not_run_into_each_other() -> None:
    assert content_id(["ab", "c"]) != content_id(["a", "bc"])


def test_speed_settings_are_left_out() -> None:
    slow = {"seed": 1, "generate": {"model": "m", "chunk_size": 1, "limits": {"rpm": 1}, "workers": 1, "mode": "live"}}
    fast = {"seed": 1, "generate": {"model": "m", "chunk_size": 9, "limits": {"rpm": 9}, "workers": 2, "mode": "batch"}}
    assert settings_hash(slow) == settings_hash(fast)
    assert settings_hash(slow) != settings_hash({**slow, "seed": 2})


def test_files_are_known_by_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    (tmp_path / "b.yaml").write_text("x")
    assert file_hash(tmp_path / "a.yaml") == file_hash(tmp_path / "b.yaml")
    before = folder_hash(tmp_path)
    (tmp_path / "b.yaml").write_text("y")
    assert folder_hash(tmp_path) != before


def test_code_hash_covers_packages_and_modules() -> None:
    assert code_hash(["tasks.settings"]) != code_hash(["tasks.fingerprint"])
