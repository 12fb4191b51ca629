"""The key of pseudonyms is long enough, kept from others, and never in a release."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.errors import UserError
from tasks.release import check_pseudonym_key, pseudonym_key, write_release
from tasks.release.pseudonyms import VARIABLE, key_file
from tasks.settings import Home
from tests.support.small_warehouse import small_warehouse


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(data=tmp_path / "data")


def test_a_key_is_generated_once_and_kept_from_others(home: Home) -> None:
    first = pseudonym_key(home, "demo", {})
    assert first.file == home.data / "keys" / "demo.key"
    assert len(first.secret) == 64
    assert (first.file.stat().st_mode & 0o777, first.file.parent.stat().st_mode & 0o777) == (
        0o600,
        0o700,
    )
    assert pseudonym_key(home, "demo", {}) == first
    # Or one could follow a user from domain to domain.
    assert pseudonym_key(home, "other", {}).secret != first.secret
    assert [path.name for path in sorted(first.file.parent.iterdir())] == ["demo.key", "other.key"]
    assert first.secret.decode() not in repr(first)


def test_the_key_is_in_no_file_of_the_release(home: Home) -> None:
    key = pseudonym_key(home, "demo", {})
    info = write_release(small_warehouse(), home, "demo", run={}, pseudonymise_key=key)
    assert info.key_file == key.file
    assert not any(
        key.secret in path.read_bytes() for path in info.path.rglob("*") if path.is_file()
    )
    assert write_release(
        small_warehouse(), home, "demo", run={}, pseudonymise_key=pseudonym_key(home, "demo", {})
    ).reused


def test_the_environments_key_goes_first(home: Home) -> None:
    assert pseudonym_key(home, "demo", {VARIABLE: "sixteen bytes ok"}).secret == b"sixteen bytes ok"
    assert not key_file(home, "demo").exists()


@pytest.mark.parametrize("key", ["x", "fifteen bytes ."])
def test_a_short_key_is_refused_and_not_shown(home: Home, key: str) -> None:
    for ask in (check_pseudonym_key, pseudonym_key):
        with pytest.raises(UserError, match="at least 16") as told:
            ask(home, "demo", {VARIABLE: key})
        assert key not in str(told.value).split()
    assert not key_file(home, "demo").exists()


def test_a_key_file_that_cannot_be_trusted(home: Home) -> None:
    path = pseudonym_key(home, "demo", {}).file
    assert path is not None
    path.chmod(0o640)
    with pytest.raises(UserError, match="mode 0640"):
        check_pseudonym_key(home, "demo", {})
    path.chmod(0o600)
    path.write_bytes(b"short\n")
    with pytest.raises(UserError, match="5 bytes"):
        pseudonym_key(home, "demo", {})


def test_checking_makes_nothing(home: Home) -> None:
    check_pseudonym_key(home, "demo", {})
    assert not home.data.exists()


def test_two_processes_agree_on_one_key(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "ab" * 32

    def _lost_the_race(_: str, path: Path) -> None:
        path.write_text(other)
        path.chmod(0o600)
        raise FileExistsError

    monkeypatch.setattr(os, "link", _lost_the_race)
    assert pseudonym_key(home, "demo", {}).secret == other.encode()
