"""Which login a server is started with."""

from __future__ import annotations

import pytest

from flows.server.login import CLIENT_LOGIN, SERVER_LOGIN, choose_login, own_origins, with_login
from tasks.errors import UserError


def test_a_login_is_new_each_time() -> None:
    made = {choose_login({}) for _ in range(20)}
    assert len(made) == 20
    assert all(login.startswith("redial:") and len(login) == len("redial:") + 32 for login in made)


def test_the_environment_s_own_is_taken() -> None:
    assert choose_login({SERVER_LOGIN: "ann:open:sesame"}) == "ann:open:sesame"
    assert choose_login({CLIENT_LOGIN: "for:another-server"}) != "for:another-server"


def test_none_is_asked_for_on_demand() -> None:
    assert choose_login({}, wanted=False) == ""
    assert with_login({"A": "b", CLIENT_LOGIN: "for:another-server"}, "") == {"A": "b"}


@pytest.mark.parametrize(
    ("given", "wanted"), [("ann:open", False), ("ann", True), ("ann:", True), (":open", True)]
)
def test_a_mistake_is_one_line(given: str, wanted: bool) -> None:
    with pytest.raises(UserError, match=SERVER_LOGIN):
        choose_login({SERVER_LOGIN: given}, wanted)


def test_cors_names_own_origins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIAL_ALLOWED_HOSTS", "prefect.example.org, ")
    assert own_origins(4200).split(",") == [
        "http://127.0.0.1:4200",
        "http://localhost:4200",
        "http://[::1]:4200",
        "https://prefect.example.org",
    ]
