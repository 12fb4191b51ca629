"""Places named by a URL, and what is said when one cannot be reached.

Files are at any URL that fsspec reads and writes. `s3` needs no further package: pyarrow has its
client.
"""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from tasks.errors import UserError
from tasks.redaction import holds_secret, redact, redact_address

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})
"""This machine, as `urlsplit(...).hostname` names it."""
_PROXIES = ("http_proxy", "https_proxy", "all_proxy")
_NO_OBJECT_STORES = frozenset({"file", "local", "memory", "http", "https", "ftp", "sftp", "ssh"})
_S3 = "s3://"
_S3_CONNECT_S, _S3_REQUEST_S = 10, 60
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\x00-\x1f\x7f]+")


def keep_loopback_off_proxies(environment: MutableMapping[str, str]) -> None:
    """Add this machine to NO_PROXY where the environment names a proxy.

    A proxy cannot reach servers on loopback, such as a model's or a command's private Prefect
    server: it would answer with errors of its own, or not at all.
    """
    if not any(environment.get(name) or environment.get(name.upper()) for name in _PROXIES):
        return
    named = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    direct = [host.strip() for host in named.split(",") if host.strip()]
    hosts = sorted(LOOPBACK_HOSTS - set(direct))
    for name in ("no_proxy", "NO_PROXY"):
        environment[name] = ",".join([*direct, *hosts])


def is_address(text: str) -> bool:
    """Return True if a text is a URL and not a path."""
    return ADDRESS.fullmatch(text) is not None


def check_address(text: str) -> str:
    """Return a URL to fetch from, unchanged.

    Its query may have a signature, which is used and never shown.

    Raises ValueError if it is not a URL, has a password or key, or chains file systems.
    """
    parts = _store_parts(text)
    if parts.password is not None or any(map(holds_secret, (parts.username or "", parts.path))):
        raise ValueError(
            "holds a password or key: leave that to the environment, and the address without"
        )
    return text


def check_target(text: str) -> str:
    """Return a URL to write to, unchanged.

    Raises ValueError on what `check_address` refuses, and on a secret query.
    """
    parts = _store_parts(check_address(text))
    if holds_secret(f"?{parts.query}") or parts.fragment:
        raise ValueError(
            "holds a key or signature: leave that to the environment, and the address without"
        )
    return text


def check_object_store(text: str) -> str:
    """Return the address of a folder in an object store, unchanged.

    Raises ValueError on what `check_target` refuses, and where a reader may see half a file.
    """
    parts = _store_parts(check_target(text))
    if parts.scheme in _NO_OBJECT_STORES or parts.query or not parts.netloc:
        raise ValueError("is no address in an object store, such as s3://BUCKET/FOLDER")
    return text


def _store_parts(text: str) -> SplitResult:
    if not is_address(text):
        raise ValueError("is no address of the form protocol://place")
    if "::" in text:
        raise ValueError("must name one place, without `::`")
    return _parts(text)


def check_endpoint(text: str) -> str:
    """Return the address of a model's server, unchanged.

    Raises ValueError if it is none, and on any secret in it.
    """
    parts = _parts(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not is_address(text):
        raise ValueError("is no address of a server, such as http://127.0.0.1:8000/v1")
    if "@" in parts.netloc or holds_secret(text):
        raise ValueError(
            "must carry no password or key: give the key in the provider's environment variable"
        )
    return text


def check_file_or_endpoint(text: str) -> str:
    """Return the address of a file on this machine or of a server, as it is.

    Raises ValueError on any other, and on secrets.
    """
    if not text.startswith("file:"):
        return check_endpoint(text)
    parts = _parts(check_target(text))
    if parts.netloc or parts.query or parts.path.endswith("/"):
        raise ValueError("is no file of this machine, such as file:///var/log/lineage.jsonl")
    return text


def _parts(address: str) -> SplitResult:
    """Return the parts of an address.

    Raises ValueError, with a line for the user, on a malformed host or port.
    """
    problem = (
        "has a host or port that cannot be read: "
        "write an IPv6 address in brackets, as http://[::1]:8000/v1"
    )
    try:
        parts = urlsplit(address)
        # Only this access parses the port.
        _ = parts.port
    except ValueError:
        raise ValueError(problem) from None
    return parts


def local_name(address: str) -> str:
    """Return the relative path for a URL's file: protocol, host and path in plain characters."""
    parts = urlsplit(address)
    pieces = [parts.scheme, parts.hostname or "", *unquote(parts.path).split("/")]
    plain = [re.sub(r"[^A-Za-z0-9._-]", "_", piece) for piece in pieces]
    return "/".join(piece for piece in plain if piece.strip("."))


def open_store(address: str) -> tuple[Any, str]:
    """Return the fsspec file system of a URL, and the path on it.

    Raises:
        UserError: no such protocol, the package for it is not installed, or the address is refused
            by `check_address`.
    """
    from fsspec.core import url_to_fs

    try:
        if address.startswith(_S3):
            return _s3_store(), check_address(address).removeprefix(_S3)
        return url_to_fs(check_address(address))  # type: ignore[no-any-return]
    except ImportError as error:
        raise UserError(
            f"{redact_address(address)[:200]} needs a package that is not installed: {error}"
        ) from None
    except ValueError as error:
        raise UserError(f"{redact_address(address)[:200]} cannot be used: {error}") from None


def _s3_store() -> Any:
    """Return the file system of S3.

    Keys, region and endpoint come from the environment, in the variables of AWS's own tools.
    """
    from fsspec.implementations.arrow import ArrowFSWrapper
    from pyarrow.fs import S3FileSystem

    named = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    endpoint = urlsplit(check_endpoint(named)) if named else None
    return ArrowFSWrapper(
        S3FileSystem(
            scheme=endpoint.scheme if endpoint else "https",
            endpoint_override=endpoint.netloc if endpoint else None,
            connect_timeout=_S3_CONNECT_S,
            request_timeout=_S3_REQUEST_S,
            allow_delayed_open=True,  # a small object is one request
        )
    )


@contextmanager
def explained_errors(address: str) -> Iterator[None]:
    """Replace a store's own errors, raised in the block, by UserError with one line."""
    shown = redact_address(address)
    try:
        yield
    except FileNotFoundError:
        raise UserError(f"there is nothing at {shown}: check whether it has moved") from None
    except PermissionError as error:
        raise UserError(
            f"{shown} is refused ({error}): the store's credentials come from the environment"
        ) from None
    except NotImplementedError:
        raise UserError(
            f"{shown} cannot be used for this: its kind of store does not support the operation"
        ) from None
    except OSError as error:
        raise UserError(f"{shown} fails: {getattr(error, 'strerror', None) or error}") from None


def connection_problem(error: BaseException, waited_s: float) -> str:
    """Return in words why a connection could not be made.

    Args:
        error: what connecting raised; what it was raised from counts as well.
        waited_s: the time limit of the connection, in seconds.
    """
    for cause in _with_causes(error):
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused"
        if isinstance(cause, socket.gaierror):
            return "the host's name is not known"
        if isinstance(cause, TimeoutError):
            return f"no answer within {waited_s:g} s"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or cause})"
    lines = redact(str(error)).splitlines()
    return lines[0] if lines else type(error).__name__


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
