"""No secret gets through, in whatever form it is written, and nothing else is taken for one."""

from __future__ import annotations

import base64
import html
import json
import logging
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flows.logs import PlainErrors
from tasks.addresses import check_address, check_endpoint, check_target
from tasks.errors import UserError
from tasks.fingerprint import content_id, fingerprint
from tasks.llm.batch.client import read_result
from tasks.llm.errors import as_call_error
from tasks.redaction import HIDDEN, holds_secret, one_line, redact, redact_address
from tasks.runs import config_hash, describe_run
from tasks.settings import Domain

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
KEYS = st.text(alphabet=LETTERS + "0123456789", min_size=36, max_size=40)
VALUES = st.text(
    alphabet=st.characters(min_codepoint=33, max_codepoint=0x2FF), min_size=8, max_size=40
)
AROUND = st.sampled_from(["", " ", "x", "7", '"', "'", "(", "/", ": ", "=", "é", "\n"])
NAMES = [
    "OPENAI_API_KEY",
    "HF_TOKEN",
    "A_SECRET",
    "PGPASSWORD",
    "DB_PASS",
    "MY_CREDENTIAL",
    "PREFECT_SERVER_API_AUTH_STRING",
    "GITHUB_PAT",
]

SHAPES = {
    "openai": "sk-%s",
    "anthropic": "key sk-ant-api03-%s refused",
    "github": "ghp_%s",
    "github oauth": "gho_%s",
    "github fine": "github_pat_%s",
    "google": "AIza%s",
    "hugging face": "hf_A1%s",
    "xai": "xai-A1%s",
    "groq": "gsk_A1%s",
    "jwt": "eyJ%s.eyJzdWIiOjF9.c2ln",
    "bearer": "bearer 1%s",
    "Bearer": "Authorization: Bearer %s",
    "header pair": "(b'Authorization', b'Bearer %s')",
    "header": "'x-api-key': '%s'",
    "plain header": "X-Api-Key: 1%s",
    "login": "postgresql://me:%s@db.example.org/x",
    "login with odd signs": "https://me:a@b/%s@db.example.org/x",
    "login without scheme": "me:%s@example.org/v1",
    "user alone": "https://%s@example.org/v1",
    "amazon": "https://b.s3.amazonaws.com/k?X-Amz-Date=1&X-Amz-Signature=%s&x=1",
    "azure": "https://a.blob.core.windows.net/k?sv=1&sig=%s",
    "token": "GET /v1/models?token=%s HTTP/1.1",
    "auth": "https://h/x?auth=%s",
    "code": "https://h/x?code=%s",
    "key": "https://h/x?key=%s",
    "escaped name": "https://h/x?%%73ig=%s",
    "fragment": "https://h/x#access_token=%s",
    "plain fragment": "https://h/x#%s",
    "assignment": "OPENAI_API_KEY=%s",
    "json": '{"client_secret": "%s"}',
    "sentence": "Incorrect API key provided: 1%s.",
    "pem": "-----BEGIN RSA PRIVATE KEY-----\n%s\n-----END RSA PRIVATE KEY-----",
    "webhook": "https://hooks.slack.com/services/T0/B0/%s",
}


@pytest.mark.parametrize("shape", SHAPES)
@given(key=KEYS, before=AROUND, after=st.sampled_from(["", " ", "\n", ' "x"']))
def test_what_looks_like_a_secret_is_hidden(shape: str, key: str, before: str, after: str) -> None:
    # A letter or digit before it makes another word of it.
    before = "" if before in ("x", "7") else before
    hidden = redact(f"{before}{SHAPES[shape] % key}{after}", {})
    assert key not in hidden
    assert redact(hidden, {}) == hidden


def test_an_amazon_key_and_a_basic_login_are_hidden() -> None:
    login = base64.b64encode(b"me:hunter2").decode()
    assert redact(f"AKIAIOSFODNN7EXAMPLE and Basic {login}", {}) == f"{HIDDEN} and Basic {HIDDEN}"


def forms(value: str) -> dict[str, str]:
    """Return the forms in which a value may turn up."""
    data = value.encode()
    return {
        "plain": value,
        "url": quote(value, safe=""),
        "url, small": quote(value, safe="").replace("%2F", "%2f"),
        "form": quote_plus(value),
        "base64": base64.b64encode(data).decode(),
        "base64, url": base64.urlsafe_b64encode(data).decode(),
        "json": json.dumps(value)[1:-1],
        "html": html.escape(value),
        "python": repr(value)[1:-1],
    }


@given(name=st.sampled_from(NAMES), value=VALUES, before=AROUND, after=AROUND)
@example(name="API_KEY", value="k3y-4u\u00e4\x85", before="'", after="'")
def test_no_value_of_the_environment_gets_through_in_any_form(
    name: str, value: str, before: str, after: str
) -> None:
    for form in forms(value).values():
        hidden = redact(f"{before}{form}{after}", {name: value, "HOME": "/home/me"})
        assert form.rstrip("=") not in hidden.replace(HIDDEN, "")


@given(user=st.text(LETTERS, min_size=1, max_size=9), password=KEYS)
def test_a_password_within_base64_of_a_login_is_hidden(user: str, password: str) -> None:
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    hidden = redact(f"sent {encoded}", {"DB_PASSWORD": password})
    assert password.encode() not in base64.b64decode(
        hidden.removeprefix("sent ").replace(HIDDEN, "") + "===="
    )
    assert HIDDEN in hidden


def test_short_values_are_hidden_where_they_stand_alone_and_after_a_label() -> None:
    environment = {"DB_PASS": "cat7", "A_KEY": "abc"}
    assert redact("cat7, (cat7) and cat77", environment) == f"{HIDDEN}, ({HIDDEN}) and cat77"
    assert (
        redact("abc stays, password=abc does not", environment)
        == f"abc stays, password={HIDDEN} does not"
    )
    assert (
        redact("none answered 2048 times", {"OPENAI_API_KEY": "none", "MAX_TOKENS": "2048"})
        == "none answered 2048 times"
    )


def test_a_login_in_one_variable_hides_its_password_alone() -> None:
    assert (
        redact("wrong: hunter2hunter2", {"PREFECT_SERVER_API_AUTH_STRING": "me:hunter2hunter2"})
        == f"wrong: {HIDDEN}"
    )
    assert (
        redact("wrong: hunter2hunter2", {"DATABASE_URL": "postgresql://me:hunter2hunter2@db/x"})
        == f"wrong: {HIDDEN}"
    )


@pytest.mark.parametrize(
    "name",
    [
        "MONKEY",
        "PATH",
        "AUTHOR",
        "TOKENIZERS_PARALLELISM",
        "SSH_AUTH_SOCK",
        "PWD",
        "OLDPWD",
        "KEYBOARD",
        "COMPASS",
    ],
)
def test_other_variables_are_not_secret(name: str) -> None:
    assert redact("a long enough value", {name: "a long enough value"}) == "a long enough value"


ORDINARY = [
    "the endpoint must carry no password or key: give the key in the provider's environment "
    "variable",
    "model 'openai/gpt-4o-mini' needs OPENAI_API_KEY in the environment (any value will do for a "
    "server that asks for none)",
    "the bearer of news, basic information, a risk-averse token",
    "generate.limits.tpm: prompt_tokens: 5, max_tokens=2048, tokens per accepted dialogue: "
    "1,726.94",
    "offline/writer and hosted_vllm/meta-llama/Llama-3.1-8B-Instruct at http://127.0.0.1:8000/v1",
    "http://[::1]:8000/v1, https://example.org/@me and mailto:me@example.org",
    "hf_hub_download, hf_transformers, task-force, desk-lamps-are-fine",
    "https://snap.stanford.edu/data/amazon/reviews_Books.json.gz?download=1",
    "stopped; nothing that was paid for is lost, run the same command again to go on",
    "python:3.11@sha256:" + "0a" * 32,
    "api_key=None",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert redact(text, {"OPENAI_API_KEY": "sk-planted-and-not-here"}) == text


@given(st.text(), st.integers())
def test_hashes_and_ids_are_left_as_they_are(text: str, number: int) -> None:
    value = [text.encode("utf-8", "surrogatepass").hex(), number]
    line = (
        f"request_key={fingerprint(value)} dialogue {content_id(value)} "
        f"sha256:{fingerprint(value)} {fingerprint(value)[:12]}"
    )
    assert redact(line, {}) == line


@given(st.text())
def test_any_text_can_be_redacted_twice(text: str) -> None:
    once = redact(text, {})
    assert redact(once, {}) == once


def test_a_line_is_one_line_and_cut() -> None:
    assert one_line("a\n b " + "c" * 400, 10) == "a b ccccc…"


@given(key=st.text(alphabet=LETTERS + "'\"<>%+", min_size=12, max_size=30))
def test_an_address_is_shown_without_its_secrets_whatever_is_in_them(key: str) -> None:
    for address in (
        f"https://h/x?sig={key}&a=1",
        f"https://h/x?a=1#{key}",
        f"s3://me:{key}@bucket/x",
        f"me:{key}@host/v1",
    ):
        assert key not in redact_address(address, {})
        assert holds_secret(address, {}) or "://" not in address


@pytest.mark.parametrize(
    "address", ["https://h/x?a=1", "s3://bucket/a@b/c.json", "http://127.0.0.1:8000/v1"]
)
def test_an_address_without_secrets_is_shown_as_it_is(address: str) -> None:
    assert redact_address(address, {}) == address and not holds_secret(address, {})


SIGNED = "https://b.s3.amazonaws.com/k.json.gz?X-Amz-Signature=0123456789abcdef"


@pytest.mark.parametrize(
    ("check", "address", "words"),
    [
        (check_address, "https://me:hunter2@h/x", "password"),
        (check_address, "https://ghp_0123456789abcdef@h/x", "password or key"),
        (check_address, "https://[::1/x", "`::`"),
        (check_address, "https://h:port/x", "cannot be read"),
        (check_target, SIGNED.replace("https", "s3"), "signature"),
        (check_endpoint, SIGNED, "no password or key"),
        (check_endpoint, "http://[::1/v1", "cannot be read"),
        (check_endpoint, "http://h:99999/v1", "cannot be read"),
        (check_endpoint, "me:hunter2@h/v1", "no address of a server"),
        (check_endpoint, "http://token@h/v1", "no password or key"),
        (check_endpoint, "http://h/v1#part", "no password or key"),
        (check_endpoint, "http://h/v1\n", "no address of a server"),
        (check_endpoint, "http://", "no address of a server"),
        (check_endpoint, "", "no address of a server"),
    ],
)
def test_an_address_that_is_refused(check: object, address: str, words: str) -> None:
    with pytest.raises(ValueError, match=words) as refused:
        check(address)  # type: ignore[operator]
    assert "hunter2" not in str(refused.value)


def test_an_address_to_fetch_may_be_signed_and_one_to_write_may_name_its_container() -> None:
    assert check_address(SIGNED) == SIGNED
    assert check_target("abfs://container@account.dfs.core.windows.net/x") and check_target(
        "s3://bucket/folder"
    )
    assert check_endpoint("http://[::1]:8000/v1") == "http://[::1]:8000/v1"


def test_the_record_of_a_run_holds_no_signature_and_its_hash_does_not_depend_on_one() -> None:
    def built(signature: str) -> Domain:
        address = f"https://b.s3.amazonaws.com/k.json.gz?X-Amz-Date=1&X-Amz-Signature={signature}"
        return Domain.model_validate(
            {"name": "x", "sources": {"format": "amazon_2014", "reviews": [address]}}
        )

    domain = built("0123456789abcdef")
    assert domain.sources.reviews[0].url and "0123456789abcdef" in domain.sources.reviews[0].url
    record = json.dumps(describe_run("r", "r", "build", domain).config)
    assert "0123456789abcdef" not in record and "X-Amz-Date=1" in record
    assert config_hash(domain) == config_hash(built("fedcba9876543210"))
    assert Domain.model_validate_json(record).sources.reviews  # a report reads it again


@given(key=KEYS)
def test_no_failed_call_and_no_batch_problem_carries_a_secret(key: str) -> None:
    told = (
        f"401 from https://h/v1?key={key}: Incorrect API key provided: sk-{key}. headers: "
        f"{{'authorization': 'Bearer {key}'}}"
    )
    assert key not in str(as_call_error(RuntimeError(told)))
    line = json.dumps(
        {"custom_id": "k", "response": {"status_code": 400, "body": {"error": {"message": told}}}}
    ).encode()
    outcome = read_result(line, 1_000_000)
    assert outcome is not None and key not in str(outcome[1])


@given(key=KEYS)
def test_no_error_line_and_no_log_line_carries_a_secret(key: str) -> None:
    assert key not in str(UserError(f"https://h/x?sig={key} cannot be fetched: sk-{key}"))
    logger = logging.Logger("made")
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(logging.Formatter().format(record))  # type: ignore[method-assign]
    handler.addFilter(PlainErrors())
    logger.addHandler(handler)
    logger.warning("asked %s", f"https://me:{key}@h/v1")
    try:
        raise RuntimeError(f"sent api_key={key}")  # noqa: TRY301 - its log line is looked at
    except RuntimeError:
        logger.exception("failed")
    assert len(lines) == 2 and "RuntimeError" in lines[1]
    assert key not in "\n".join(lines)
