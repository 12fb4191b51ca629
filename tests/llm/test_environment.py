"""What the environment brings: proxies, and Azure's variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.addresses import keep_loopback_off_proxies
from tasks.errors import UserError
from tasks.llm import Answer, check_model, load_litellm
from tasks.settings import Generate
from tests.llm.test_odd_replies import ask_once, odd_settings
from tests.support.model_process import ModelServer

AZURE = Generate(model="azure/my-deployment")
VARIABLES = ("AZURE_API_BASE", "AZURE_API_KEY", "AZURE_API_VERSION", "AZURE_AD_TOKEN")


@pytest.fixture
def azure(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ({}, "needs AZURE_API_BASE and AZURE_API_KEY (or AZURE_AD_TOKEN) in"),
        ({"AZURE_API_KEY": "k"}, "needs AZURE_API_BASE in"),
        ({"AZURE_API_BASE": "https://x.example"}, "needs AZURE_API_KEY (or AZURE_AD_TOKEN) in"),
        ({"AZURE_API_KEY": "k", "AZURE_API_BASE": "https://x.example"}, ""),
        ({"AZURE_AD_TOKEN": "t", "AZURE_API_BASE": "https://x.example"}, ""),
    ],
)
def test_azure_is_told_what_is_missing_and_nothing_else(
    azure: pytest.MonkeyPatch, given: dict[str, str], missing: str
) -> None:
    for name, value in given.items():
        azure.setenv(name, value)
    if not missing:
        check_model(load_litellm(), AZURE)
        return
    with pytest.raises(UserError) as refused:
        check_model(load_litellm(), AZURE)
    assert missing in str(refused.value)


@pytest.mark.parametrize("variable", ["AZURE_API_KEY", "AZURE_AD_TOKEN"])
def test_azure_is_asked_with_a_key_or_a_token(
    azure: pytest.MonkeyPatch, server: ModelServer, tmp_path: Path, variable: str
) -> None:
    azure.setenv("AZURE_API_BASE", server.address.removesuffix("/v1"))
    azure.setenv(variable, "azure-0123456789")
    found, _, _ = ask_once(tmp_path, AZURE)
    assert isinstance(found, Answer) and server.tally()["keys_seen"] == ["azure-0123456789"]


def test_loopback_is_kept_off_proxies() -> None:
    none = {"PATH": "/bin"}
    keep_loopback_off_proxies(none)
    assert none == {"PATH": "/bin"}
    proxied = {
        "HTTPS_PROXY": "http://proxy.example:3128",
        "NO_PROXY": "intranet.example, localhost",
    }
    keep_loopback_off_proxies(proxied)
    assert proxied["NO_PROXY"] == "intranet.example,localhost,127.0.0.1,::1"
    assert proxied["no_proxy"] == proxied["NO_PROXY"]


def test_a_model_on_loopback_is_asked_past_a_dead_proxy(
    server: ModelServer, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.setenv(name, "")
    found, _, _ = ask_once(tmp_path_factory.mktemp("proxied"), odd_settings(server))
    assert isinstance(found, Answer)
