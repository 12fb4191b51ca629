"""Hides secrets in logs, errors, records and addresses, by one set of rules.

Hidden are:

- values of environment variables with secret names, also URL-, base64-, JSON- or HTML-encoded. A
  value of 8 characters or more is hidden wherever it occurs. One of 4 to 7 is hidden only if no
  letter or digit touches it, so that the password `cat` does not hide part of `category`. Shorter
  ones, plain numbers of fewer than 8 digits and placeholders such as `none` are hidden only after a
  label, as in `password=cat`;
- everything of the shape of a key, a token, a login or a signature, of any origin;
- in addresses the login, the query parameters with secret names and the fragment.

Hashes, request keys and dialogue ids are not hidden: no shape here has hexadecimal digits alone.
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
LONG = 8  # least characters of a value that is hidden wherever it occurs
SHORT = 4  # least characters of a value that is hidden as a word of its own
# Characters of a text that `one_line` reads: a provider may send megabytes.
MAX_TEXT = 100_000

_SECRET_NAME = re.compile(
    r"PASSWORD|PASSWD|PASSPHRASE"
    r"|(?:TOKEN|SECRET|CREDENTIAL|APIKEY)S?(?![A-Z])"
    r"|(?<![A-Z])(?:KEY|PASS|PWD|AUTH|PAT)S?(?![A-Z])",
    re.IGNORECASE,
)
# Names of variables that hold a path to a secret; the shell's own PWD and OLDPWD are folders.
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
        text: text to be stored or shown.
        environment: variables whose values may be secret; those of this process by default.
    """
    values = os.environ if environment is None else environment
    pattern = _pattern(frozenset(_secret_values(values)))
    return _without_shapes(pattern.sub(HIDDEN, text) if pattern else text)


def one_line(text: str, longest: int = 300) -> str:
    """Return redacted, storable text on one line of at most `longest` characters."""
    line = " ".join(redact(valid_text(text[:MAX_TEXT])).split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def redact_address(address: str, environment: Mapping[str, str] | None = None) -> str:
    """Return an address without its login, its secret query parameters and its fragment.

    Unlike `redact`, it reads the whole text as one address, with any characters.
    """
    before, hash_sign, fragment = address.partition("#")
    location, question_mark, query = before.partition("?")
    scheme, separator, rest = location.rpartition("://")
    login, at, host = rest.rpartition("@")
    if at and (not separator or "/" not in login or ":" in login.partition("/")[0]):
        rest = f"{HIDDEN}@{host}"
    shown_query = "".join(_without_value(pair) for pair in re.split(r"([&;])", query))
    shown_fragment = HIDDEN if fragment else ""
    shown = f"{scheme}{separator}{rest}{question_mark}{shown_query}{hash_sign}{shown_fragment}"
    return redact(shown, environment)


def holds_secret(text: str, environment: Mapping[str, str] | None = None) -> bool:
    """Return True if a setting has a login, a key, a fragment or a long secret value.

    A secret query parameter counts too. Short values of the environment do not: the password
    `film` may also be an ordinary word of the setting.
    """
    values = os.environ if environment is None else environment
    if any(value in text for value in _secret_values(values) if len(value) >= LONG):
        return True
    return redact(text, {}) != text or ("://" in text and redact_address(text, {}) != text)


# Values of the environment.


def _secret_values(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield the values to be hidden, without those that are too short or too common."""
    for name, value in environment.items():
        if _SECRET_NAME.search(name) and not _POINTER_NAME.search(name):
            # A key with a line end is used both as it is and without it.
            yield from filter(_is_distinctive, {value, *_parts(value.strip())})
        elif login := _LOGIN.search(value):
            yield from filter(_is_distinctive, [login["password"] or ""])


def _parts(value: str) -> list[str]:
    """Return a value and, if it is a login `user:password`, also the password."""
    user, colon, password = value.partition(":")
    return [value, password] if colon and user and not password.startswith("//") else [value]


def _is_distinctive(value: str) -> bool:
    if len(value) < SHORT or value.casefold() in _PLACEHOLDERS:
        return False
    return len(value) >= LONG or not value.isdecimal()


@lru_cache(maxsize=8)
def _pattern(values: frozenset[str]) -> re.Pattern[str] | None:
    """Return a pattern of some values in all their forms; None for no values."""
    patterns: dict[str, str] = {}
    for value in values:
        for form in _forms(value):
            # The digits of percent-encoding may be in either case.
            pattern = re.sub(r"%[0-9A-F]{2}", r"(?i:\g<0>)", re.escape(form))
            if len(value) < LONG:
                pattern = rf"(?<![A-Za-z0-9]){pattern}(?![A-Za-z0-9])"
            patterns[form] = pattern
    longest_first = sorted(patterns, key=lambda form: (-len(form), form))
    return re.compile("|".join(patterns[form] for form in longest_first)) if patterns else None


def _forms(value: str) -> set[str]:
    """Return the forms of a value: unchanged, on one line, and encoded."""
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
    """Yield the base64 digits of data within longer data, such as `user:password`.

    There are three, because data may begin at each byte of a group of three.
    """
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + data).decode("ascii")
        first = -(-shift * 8 // 6)  # the first digit of `data` only
        last = (shift + len(data)) * 8 // 6
        yield encoded[first:last]


# Shapes.

_LOGIN = re.compile(
    r"(?P<scheme>://)"
    r"(?:(?P<user>[^\s/?#@:\"'<>]{0,500}):(?!\d{1,5}(?:[/?#]|$))"
    r"(?P<password>[^\s\"'<>]{0,500})@(?=[\w.\[-])|[^\s/?#\"'<>]{1,500}@)"
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
    r"api[ _-]?key(?: [a-z]+){0,2}|subscription-key|access[_-]?key(?:[_-]?id)?"
    r"|(?:secret|private)[_-]?key"
    r"|(?:auth|access|refresh|id|session|security)[_-]?token|client[_-]?secret"
    r"|x-auth-[a-z]+|(?:set-)?cookie"
    r"|password|passwd|passphrase|pwd|secret|credentials?|token)(?![A-Za-z0-9]))"
    r"(?P<joint>[\"']?\s*[:=]>?\s*|[\"']\s*,\s*)"
    r"(?:b?(?P<quote>[\"'])(?P<quoted>[^\"'\r\n]+)|(?P<plain>\[secret\]|[^\s\"'&,;)}\]]+))"
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
    text = _SCHEME.sub(lambda match: match[0] if _is_word(match[2]) else match[1] + HIDDEN, text)
    text = _BASIC.sub(lambda match: match[1] + HIDDEN if _is_login(match[2]) else match[0], text)
    return _KEY.sub(HIDDEN, text)


def _without_value(pair: str) -> str:
    """Return `name=value` of a query with its value hidden if the name is a secret's."""
    name, equals, value = pair.partition("=")
    plain = unquote(name)
    words = {word.lower() for word in _WORD.findall(plain)}
    secret = not words.isdisjoint(_PARAMETER_WORDS) or _PARAMETER_PART.search(plain)
    return f"{name}={HIDDEN}" if equals and value and secret else pair


def _without_labelled(match: re.Match[str]) -> str:
    """Hide the value after a label such as `api_key`.

    A word after a colon may continue a sentence, and is not hidden.
    """
    before = match["label"] + match["joint"]
    if match["quoted"]:
        return f"{before}{match['quote']}{HIDDEN}"
    value = match["plain"]
    sentence = match["joint"] != "=" and _is_word(value)
    return match[0] if sentence or value.casefold() in _NO_VALUE else before + HIDDEN


def _is_word(text: str) -> bool:
    """Return True for a word of a sentence: lower case after the first letter, not too long."""
    word = text.strip(".,;:!?`-")
    return len(word) <= 1 or (len(word) < 16 and word.isalpha() and word[1:].islower())


def _is_login(encoded: str) -> bool:
    """Return True if base64 digits encode `user:password`."""
    digits = encoded.rstrip("=")
    padded = digits + "=" * (-len(digits) % 4)
    altchars = b"-_" if set(encoded) & set("-_") else None
    try:
        return b":" in base64.b64decode(padded, altchars=altchars)
    except (binascii.Error, ValueError):
        return False
