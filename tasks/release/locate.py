"""Finds a release by its name: a domain, a version, a folder, or `latest`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tasks.errors import UserError
from tasks.release.files import FINAL_DATA
from tasks.release.integrity import LATEST, RELEASES, is_kept_release, verify_release
from tasks.settings import DOMAIN_NAME, Home

VERSION_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class FoundRelease:
    """A release that was found.

    Attributes:
        path: its folder.
        named: what it is called in tables: the domain where a domain was named, else the folder's
            name.
        domain: the domain it was written for; None for a folder that is not among the releases of
            the data folder in use.
    """

    path: Path
    named: str
    domain: str | None = None

    @property
    def version(self) -> str:
        """The version, which is the folder's name."""
        return self.path.name


def find_release(home: Home, name: str) -> FoundRelease | None:
    """Find a release, ours or one that others published, and check that it is what was released.

    Args:
        home: where the domains and releases are.
        name: a domain or a merged dataset (its latest release), DOMAIN/latest, DOMAIN/VERSION, a
            version that one domain has, the path of a release or of its domain's `latest`, or a
            folder in the published layout.

    Returns:
        None when there is nothing of that name, or something else.

    Raises:
        UserError: a domain without a release, a version that several domains have, or a release
            that was damaged or is not finished.
    """
    if DOMAIN_NAME.fullmatch(name) and _has_releases(home, name):
        release: FoundRelease | None = FoundRelease(latest_release(home, name), name, name)
    else:
        path = _existing(name)
        release = (_at_path(home, path) if path else None) or _of_version(home, name)
    if release:
        verify_release(release.path)
    return release


def _has_releases(home: Home, name: str) -> bool:
    """Return True for a domain, and for what `redial merge` made, which has no domain file."""
    return name in home.domain_files() or (home.releases(name) / LATEST).is_file()


def latest_release(home: Home, domain: str) -> Path:
    """Return the folder of the release last written or confirmed.

    Raises UserError if there is none.
    """
    folder = newest_version(home.releases(domain))
    if folder is None:
        raise UserError(f"there is no release of {domain!r} yet: run `redial build {domain}` first")
    return folder


def verify_latest(home: Home, domain: str) -> None:
    """Check that a domain's latest release, if there is one, is what was released.

    Raises UserError.
    """
    folder = newest_version(home.releases(domain))
    if folder:
        verify_release(folder)


def unknown_corpus(home: Home, name: str) -> UserError:
    """Return the error for a name that is no domain, no release and no file."""
    domains = ", ".join(sorted(home.domain_files()))
    return UserError(
        f"{name[:200]!r} is neither a domain ({domains}), a release, nor a file or folder"
    )


def corpus_path(home: Home, name: str) -> Path:
    """Return the file or folder of a name that is no release. Raises UserError if there is none."""
    path = _existing(name)
    if path is None:
        raise unknown_corpus(home, name)
    return path


def _existing(name: str) -> Path | None:
    """Return the path that a name is, if there is something."""
    if not name:
        return None
    try:
        path = Path(name).expanduser()
    except RuntimeError:  # "~somebody" without such a user
        path = Path(name)
    try:
        return path if path.exists() else None
    except (OSError, ValueError):  # too long for a path, or with a zero byte
        return None


def _at_path(home: Home, path: Path) -> FoundRelease | None:
    place = path.resolve()
    if place.name == LATEST and place.is_file():
        latest = newest_version(place.parent)
        return _at_path(home, latest) if latest else None
    if not place.is_dir() or not (is_kept_release(place) or (place / FINAL_DATA).is_file()):
        return None
    ours = place.parent.parent == (home.data / RELEASES).resolve()
    return FoundRelease(place, place.name, place.parent.name if ours else None)


def _of_version(home: Home, name: str) -> FoundRelease | None:
    """Find DOMAIN/latest, DOMAIN/VERSION or VERSION among our own releases."""
    domain, slash, version = name.rpartition("/")
    if not VERSION_NAME.fullmatch(version) or (slash and not DOMAIN_NAME.fullmatch(domain)):
        return None
    if slash:
        return _at_path(home, home.releases(domain) / version)
    if version == LATEST:
        return None
    folders = (home.data / RELEASES).glob(f"*/{version}")
    places = [folder for folder in folders if folder.is_dir()]
    if len(places) > 1:
        several = " or ".join(sorted(f"{place.parent.name}/{version}" for place in places))
        raise UserError(f"several domains have a release {version!r}: name {several}")
    return _at_path(home, places[0]) if places else None


def newest_version(releases: Path) -> Path | None:
    """Return the release last written or confirmed in a domain's folder; None if there is none."""
    try:
        version = (releases / LATEST).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    folder = releases / version
    return folder if VERSION_NAME.fullmatch(version) and folder.is_dir() else None
