from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tasks.fingerprint import (
    canonical,
    content_id,
    data_hash,
    file_hash,
    folder_hash,
    settings_hash,
    unit,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda x: st.lists(x) | st.dictionaries(st.text(), x),
)


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
    slow = {
        "seed": 1,
        "generate": {
            "model": "m",
            "chunk_size": 1,
            "limits": {"rpm": 1},
            "workers": 1,
            "mode": "live",
        },
    }
    fast = {
        "seed": 1,
        "generate": {
            "model": "m",
            "chunk_size": 9,
            "limits": {"rpm": 9},
            "workers": 2,
            "mode": "batch",
        },
    }
    assert settings_hash(slow) == settings_hash(fast)
    assert settings_hash(slow) != settings_hash({**slow, "seed": 2})


def test_files_are_known_by_content(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("x")
    (tmp_path / "b.yaml").write_text("x")
    assert file_hash(tmp_path / "a.yaml") == file_hash(tmp_path / "b.yaml")
    before = folder_hash(tmp_path)
    (tmp_path / "b.yaml").write_text("y")
    assert folder_hash(tmp_path) != before


def test_prices_and_pace_are_no_part_of_the_settings() -> None:
    plain = {"generate": {"model": "m"}}
    assert settings_hash(
        {"generate": {"model": "m", "input_cost_per_token": 1e-6, "output_cost_per_token": 2e-6}}
    ) == settings_hash(plain)


def test_a_data_file_counts_by_what_is_read_from_it(tmp_path: Path) -> None:
    path, page = tmp_path / "a.yaml", tmp_path / "a.html"
    path.write_text("a: 1\nb: [x]\n")
    before = data_hash(path)
    for same in ("# said why\na:   1 # one\nb:\n  - x\n", "{a: 1, b: [x]}"):
        path.write_text(same)
        assert data_hash(path) == before
    for other in (
        "b: [x]\na: 1\n",
        "a: '1'\nb: [x]\n",
        "a: 1.0\nb: [x]\n",
        "a: 1\nb: [x, y]\n",
        "a: [unclosed\n",
        "a: 2014-13-45\n",
    ):
        path.write_text(other)
        assert data_hash(path) != before
    page.write_text("<!-- said why -->")
    assert data_hash(page) == file_hash(page)
