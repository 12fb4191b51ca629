"""The secret under which ids become pseudonyms.

It comes from the environment, or is generated once and kept outside every release.
"""

from __future__ import annotations

import os
import secrets
import stat
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tasks.errors import UserError
from tasks.settings import Home

VARIABLE = "REDIAL_PSEUDONYM_KEY"
SHORTEST_KEY = 16  # bytes: shorter ones can be guessed by trying all users of the source
_GENERATED = 32  # bytes


@dataclass(frozen=True)
class PseudonymKey:
    """A key, and the file it is kept in; None for one that came from the environment."""

    secret: bytes = field(repr=False)
    file: Path | None


def check_pseudonym_key(
    home: Home, domain: str, environment: Mapping[str, str] = os.environ
) -> None:
    """Check the key that a domain's pseudonyms would be made with, as far as there is one yet.

    Raises UserError.
    """
    if not _from_environment(environment) and key_file(home, domain).exists():
        _read(key_file(home, domain))


def pseudonym_key(
    home: Home, domain: str, environment: Mapping[str, str] = os.environ
) -> PseudonymKey:
    """Return the key of a domain's pseudonyms.

    It is the environment's, else the one in the domain's key file, which is made if missing.

    Raises:
        UserError: the key is shorter than 16 bytes, or its file cannot be used or may be read by
            others.
    """
    secret = _from_environment(environment)
    if secret:
        return PseudonymKey(secret, None)
    path = key_file(home, domain)
    if not path.exists():
        _generate(path)
    return PseudonymKey(_read(path), path)


def key_file(home: Home, domain: str) -> Path:
    """Return where a domain's generated key is kept."""
    return home.data / "keys" / f"{domain}.key"


def _from_environment(environment: Mapping[str, str]) -> bytes:
    key = environment.get(VARIABLE, "").encode("utf-8", "surrogateescape")
    if key and len(key) < SHORTEST_KEY:
        raise UserError(
            f"{VARIABLE} holds {len(key)} bytes; a key for pseudonyms needs at least "
            f"{SHORTEST_KEY}: set a longer secret, or none at all to have one generated"
        )
    return key


def _generate(path: Path) -> None:
    """Write a new key, whole and readable by its owner alone.

    One that another process made in the meantime stays.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The temporary file's mode is 0600.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".key-") as aside:
            aside.write(secrets.token_hex(_GENERATED).encode() + b"\n")
            aside.flush()
            os.fsync(aside.fileno())
            os.link(aside.name, path)
    except FileExistsError:
        return
    except OSError as error:
        raise UserError(
            f"the key file {path} cannot be written: {error.strerror}; set {VARIABLE} instead"
        ) from None


def _read(path: Path) -> bytes:
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
        key = path.read_bytes().strip()
    except OSError as error:
        raise UserError(f"the key file {path} cannot be read: {error.strerror}") from None
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise UserError(
            f"the key file {path} can be read by others (mode {mode:04o}): `chmod 600` it"
        )
    if len(key) < SHORTEST_KEY:
        raise UserError(
            f"the key file {path} holds {len(key)} bytes, fewer than {SHORTEST_KEY}: "
            "put a good copy there"
        )
    return key
