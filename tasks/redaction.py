"""Keeps secrets out of whatever is stored or shown: one set of rules for logs, errors, records and addresses.

Hidden are:

- values of environment variables whose names say that they are secret, and what these become URL-,
  base64-, JSON- or
  HTML-encoded. A value of 8 characters or more is hidden wherever it occurs. One of 4 to 7 is
  hidden where no letter or digit touches it, so that a password `cat` does not blank half of
  `category`. Shorter ones, plain numbers of fewer than 8 digits and placeholders such as `none` are
  hidden only after a label, as in `password=cat`;
- whatever has the shape of a key, a token, a login or a signature, wherever it comes from;
- in addresses the login, the query parameters with secret names and the fragment.

Hashes, request keys and dialogue ids are left as they are: no shape here is made of hexadecimal
digits alone.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import quote, quote_plus, unquote

from tasks.storable_text import valid_text

HIDDEN = "[secret]"
LONG = 8  # characters from which on a value is hidden wherever it occurs
# characters of a text that is to be one line which are looked at: a provider may send megabytes
MOST_TEXT = 100_000
SHORT = 4  # characters from which on it is hidden where it stands alone

_SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE"
    r"|(?:TOKEN|SECRET|CREDENTIAL|APIKEY)S?(?![A-Z])"
    r"|(?<![A-Z])(?:KEY|PASS|PWD|AUTH|PAT)S?(?![A-Z])",
    re.IGNORECASE,
)
# Says where a secret lies and holds none; the shell's own PWD and OLDPWD are folders.
_POINTER_NAME = re.compile(r"_(?:FILE|PATH|DIR|SOCK)$|^(?:OLD)?PWD$", re.IGNORECASE)
_NO_VALUE = frozenset({"none", "null", "true", "false"})
_PLACEHOLDERS = _NO_VALUE | {
    "empty",
    "dummy",
    "test",
    "unused",
    "local",
    "ollama",
    "anything",
    "no-key",
    "not-needed",
}


def redact(text: str, environment: Mapping[str, str] | None = None) -> str:
    """Return text with every secret in it replaced by `[secret]`.

    Args:
        text: what is about to be stored or shown.
        environment: variables whose values may be secret; those of this process by default.
    """
    values = os.environ if environment is None else environment
    pattern = _pattern(frozenset(_secret_values(values)))
    return _without_shapes(pattern.sub(HIDDEN, text) if pattern else text)


def one_line(text: str, longest: int = 300) -> str:
    """Return text that can be stored, redacted, on one line, cut to `longest` characters."""
    line = " ".join(redact(valid_text(text[:MOST_TEXT])).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def redact_address(address: str, environment: Mapping[str, str] | None = None) -> str:
    """Return an address without its login, its secret query parameters and its fragment.

    Unlike `redact`, it takes the whole text for one address, whatever signs are in it.
    """
    before, hash_sign, fragment = address.partition("#")
    place, question_mark, query = before.partition("?")
    scheme, separator, rest = place.rpartition("://")
    login, at, host = rest.rpartition("@")
    if at and (not separator or "/" not in login or ":" in login.partition("/")[0]):
        rest = f"{HIDDEN}@{host}"
    hidden = "".join(_without_value(pair) for pair in re.split(r"([&;])", query))
    shown = (
        f"{scheme}{separator}{rest}{question_mark}{hidden}{hash_sign}{HIDDEN if fragment else ''}"
    )
    return redact(shown, environment)


def holds_secret(text: str, environment: Mapping[str, str] | None = None) -> bool:
    """Return True if a setting carries a login, a secret query parameter, a fragment, a key, or a long secret value.

    Short values of the environment are no ground to refuse a setting: a password `film` may be the
    word it is as well.
    """
    values = os.environ if environment is None else environment
    if any(value in text for value in _secret_values(values) if len(value) >= LONG):
        return True
    return redact(text, {}) != text or ("://" in text and redact_address(text, {}) != text)


# Values of the environment.


def _secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the values that may not be shown, without those that are too short or too common to be looked for."""
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and not _POINTER_NAME.search(name):
            # a key with a line end is used both as it is and without it
            yield from filter(_is_telling, {value, *_parts(value.strip())})
        elif login := _LOGIN.search(value):
            yield from filter(_is_telling, [login["password"] or ""])


def _parts(value: str) -> list[str]:
    """Return a value and, where it is a login `user:password`, the password alone."""
    user, colon, password = value.partition(":")
    return [value, password] if colon and user and not password.startswith("//") else [value]


def _is_telling(value: str) -> bool:
    if len(value) < SHORT or value.casefold() in _PLACEHOLDERS:
        return False
    return len(value) >= LONG or not value.isdecimal()


@lru_cache(maxsize=8)
def _pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    """Return what finds any of some values in any of their forms; None for no values."""
    found: dict[str, str] = {}
    for value in values:
        for form in _forms(value):
            written = re.sub(r"%[0-9A-F]{2}", r"(?i:\g<0>)", re.escape(form))
            found[form] = (
                written if len(value) >= LONG else rf"(?<![A-Za-z0-9]){written}(?![A-Za-z0-9])"
            )
    longest_first = sorted(found, key=lambda form: (-len(form), form))
    return re.compile("|".join(found[form] for form in longest_first)) if found else None


def _forms(value: str) -> set[str]:
    """Return a value as it may be written: as it is, on one line, and encoded."""
    data = value.encode("utf-8", "surrogatepass")
    forms = {value, " ".join(value.split()), html.escape(value), html.escape(value, quote=False)}
    forms |= {
        repr(value)[1:-1],
        json.dumps(value)[1:-1],
        json.dumps(value, ensure_ascii=False)[1:-1],
    }
    forms |= {quote(data), quote(data, safe=""), quote_plus(data), quote_plus(data, safe="/:")}
    encoded = base64.b64encode(data).decode("ascii").rstrip("=")
    cores = {encoded} | (set(_base64_cores(data)) if len(value) >= LONG else set())
    forms |= cores | {core.replace("+", "-").replace("/", "_") for core in cores}
    return {form for form in forms if len(form) >= SHORT}


def _base64_cores(data: bytes) -> Iterator[str]:
    """Yield what base64 makes of data within longer data, such as `user:password`, by the three places it may begin at."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data).decode("ascii")
        first = -(-shift * 8 // 6)  # the first digit made of `data` alone
        last = (shift + len(data)) * 8 // 6
        yield encoded[first:last]


# Shapes.

_LOGIN = re.compile(
    r"(?P<scheme>://)"
    r"(?:(?P<user>[^\s/?#@:\"'<>]{0,500}):(?!\d{1,5}(?:[/?#]|$))(?P<password>[^\s\"'<>]{0,500})@(?=[\w.\[-])|[^\s/?#\"'<>]{1,500}@)"
)
_BARE_LOGIN = re.compile(
    r"(?<![\w@:.+-])(?!mailto:)[\w.+%-]+:[^\s@/:\"'<>][^\s@/\"'<>]{0,500}@(?!sha\d+:)(?=\[?[\w.-])",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(r"(://[^\s#\"'<>]{0,2000}#)[^\s\"'<>]+")
_PARAMETER = re.compile(r"(?<=[?&;#])[^=&;?#\s\"'<>]{1,80}=[^&;#\s\"'<>]*")
_PARAMETER_WORDS = frozenset(
    {"key", "keys", "sig", "auth", "pass", "pwd", "code", "session", "jwt", "policy"}
)
_PARAMETER_WORDS |= {"assertion", "ticket", "sas", "hmac", "authorization"}
_PARAMETER_PART = re.compile(
    r"token|secret|passw|signature|credential|api_?key|access_?key|authkey", re.IGNORECASE
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")

_PRIVATE_KEY = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_AUTHORIZATION = re.compile(
    r"(?i)(authorization(?:[\"']?\s*[:=]\s*(?:b?[\"'])?|[\"']\s*,\s*b?[\"']))[^\"'\r\n]+"
)
_LABELLED = re.compile(
    r"(?i)(?P<label>(?<![A-Za-z])(?:[\w-]{0,60}[_-])?(?:"
    r"api[ _-]?key(?: [a-z]+){0,2}|subscription-key|access[_-]?key(?:[_-]?id)?|(?:secret|private)[_-]?key"
    r"|(?:auth|access|refresh|id|session|security)[_-]?token|client[_-]?secret|x-auth-[a-z]+|(?:set-)?cookie"
    r"|password|passwd|passphrase|pwd|secret|credentials?|token)(?![A-Za-z0-9]))"
    r"(?P<joint>[\"']?\s*[:=]>?\s*|[\"']\s*,\s*)(?:b?(?P<quote>[\"'])(?P<quoted>[^\"'\r\n]+)|(?P<plain>\[secret\]|[^\s\"'&,;)}\]]+))"
)
_SCHEME = re.compile(r"(?i)(?<![A-Za-z0-9])(bearer[ \t:=]+[\"']?)([A-Za-z0-9._~+/*=-]+)")
_BASIC = re.compile(r"(?i)(?<![A-Za-z0-9])(basic[ \t]+)([A-Za-z0-9+/_-]{4,}={0,2})")
_KEY = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"sk-[A-Za-z0-9_*-]{6,}"
    r"|[spr]k_(?:live|test)_[A-Za-z0-9]+"
    r"|(?:pk|rk|xai|nvapi|pplx|glpat)-(?=[\w*-]*[0-9A-Z*])[\w*-]{8,}"
    r"|(?:gsk|hf|fw|r8)_(?=[A-Za-z0-9*]*[0-9A-Z*])[A-Za-z0-9*]{8,}"
    r"|gh[opsur]_[A-Za-z0-9]{10,}|github_pat_[A-Za-z0-9_]{10,}"
    r"|(?:AKIA|ASIA)[A-Z0-9]{12,}"
    r"|AIza[A-Za-z0-9_*-]{10,}"
    r"|ya29\.[\w.-]{10,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{8,}"
    r"|eyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?"
    r")"
)
_WEBHOOK = re.compile(
    r"(hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/)[^\s\"'<>]+"
)


def _without_shapes(text: str) -> str:
    text = _PRIVATE_KEY.sub(HIDDEN, text)
    text = _LOGIN.sub(rf"\g<scheme>{HIDDEN}@", text)
    text = _BARE_LOGIN.sub(f"{HIDDEN}@", text)
    text = _FRAGMENT.sub(rf"\g<1>{HIDDEN}", text)
    text = _PARAMETER.sub(lambda pair: _without_value(pair[0]), text)
    text = _WEBHOOK.sub(rf"\g<1>{HIDDEN}", text)
    text = _AUTHORIZATION.sub(rf"\g<1>{HIDDEN}", text)
    text = _LABELLED.sub(_without_labelled, text)
    text = _SCHEME.sub(lambda said: said[0] if _is_word(said[2]) else said[1] + HIDDEN, text)
    text = _BASIC.sub(lambda said: said[1] + HIDDEN if _is_login(said[2]) else said[0], text)
    return _KEY.sub(HIDDEN, text)


def _without_value(pair: str) -> str:
    """Return `name=value` of a query without its value, if the name says that it is secret."""
    name, equals, value = pair.partition("=")
    plain = unquote(name)
    words = {word.lower() for word in _WORD.findall(plain)}
    secret = not words.isdisjoint(_PARAMETER_WORDS) or _PARAMETER_PART.search(plain)
    return f"{name}={HIDDEN}" if equals and value and secret else pair


def _without_labelled(found: re.Match[str]) -> str:
    """Return what follows a label such as `api_key` hidden; a word behind a colon may be a sentence going on, and stays."""
    before = found["label"] + found["joint"]
    if found["quoted"]:
        return f"{before}{found['quote']}{HIDDEN}"
    value = found["plain"]
    sentence = found["joint"] != "=" and _is_word(value)
    return found[0] if sentence or value.casefold() in _NO_VALUE else before + HIDDEN


def _is_word(text: str) -> bool:
    """Return True for a word of a sentence: small letters, perhaps behind a capital, and no longer than words are."""
    word = text.strip(".,;:!?`-")
    return len(word) < 16 and word.isalpha() and word[1:].islower() or len(word) <= 1


def _is_login(encoded: str) -> bool:
    """Return True if base64 digits stand for `user:password`."""
    padded = encoded.rstrip("=") + "=" * (-len(encoded.rstrip("=")) % 4)
    try:
        return b":" in base64.b64decode(
            padded, altchars=b"-_" if set(encoded) & set("-_") else None
        )
    except (binascii.Error, ValueError):
        return False
