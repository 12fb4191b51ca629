"""Makes a release again, from its own settings, the sources and stored answers, and compares."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from flows import api
from flows.options import BuildOptions
from flows.progress import SILENT, Progress
from tasks.derive import (
    copy_answers,
    copy_grown,
    differing_files,
    is_derived,
    lend_release,
    remake,
    write_domain,
)
from tasks.errors import UserError
from tasks.fingerprint import content_hash, file_hash
from tasks.release import (
    FoundRelease,
    MadeBy,
    find_release,
    key_file,
    read_facts,
    read_made_by,
    version_before,
)
from tasks.settings import Home, read_yaml
from tasks.stage_inputs import library_versions
from tasks.tombstones import tombstone_file


@dataclass(frozen=True)
class Rebuilt:
    """What came of making a release again.

    Attributes:
        version: of what was made; empty if nothing could be.
        causes: what is different here from where it was made, one sentence each.
        files: files of the release that differ; empty if all bytes are the same.
        problem: why nothing could be made; empty if it could.
    """

    version: str
    causes: tuple[str, ...]
    files: tuple[str, ...]
    problem: str = ""

    @property
    def is_same(self) -> bool:
        """Return True if every byte is the same."""
        return not self.files and not self.problem


def rebuild(
    home: Home, release: FoundRelease, sources: Path | None, progress: Progress = SILENT
) -> Rebuilt:
    """Make a release again in a folder of its own, which is removed at the end.

    Answers come from the warehouse of its domain, if it is here; nothing is paid for. A release
    that grew is made from the briefs that the warehouse kept and the release before it; one that
    was selected or merged is made from its releases.

    Args:
        home: the data folder.
        release: the release.
        sources: the folder of its source files; a release made of releases needs none.
        progress: where the build shows how far it is.

    Raises:
        UserError: the release does not say what made it, users were erased from it, a release that
            it was made of is not here, or a source file is missing or another one.
    """
    with tempfile.TemporaryDirectory(prefix=".aside-rebuild-", dir=home.data) as aside:
        if is_derived(release):
            made = remake(home, release, Path(aside))
            return Rebuilt(release.version, (), tuple(differing_files(release.path, made)))
        if sources is None:
            raise UserError(
                f"{release.path} was made of source files: name their folder (--sources)"
            )
        return _build_again(home, Home.find(Path(aside)), release, sources, progress)


def _build_again(
    home: Home, other: Home, release: FoundRelease, sources: Path, progress: Progress
) -> Rebuilt:
    made, facts = read_made_by(release.path), read_facts(release.path)
    _check_sources(made, sources)
    domain = str(made.settings["name"])
    causes = tuple(_causes(home, made))
    write_domain(other, made.settings, sources)
    _lend(home, other, domain)
    since = version_before(release.path)
    if since is None:
        copy_answers(home.warehouse(domain), other.warehouse(domain))
    else:
        before = find_release(home, f"{domain}/{since}")
        if before is None:
            raise UserError(f"{release.path} grew from {domain}/{since}, which is not here")
        lend_release(before.path, other, domain)
        copy_grown(home.warehouse(domain), other.warehouse(domain), release.version)
    options = BuildOptions(budget_usd=0, pseudonymise=bool(facts.get("pseudonyms")))
    try:
        result = api.build(domain, options, data=other.data, progress=progress)
    except UserError as error:
        return Rebuilt("", causes, (), f"the stored answers do not make it again: {error}")
    if result.release is None:
        return Rebuilt("", causes, (), "nothing was released")
    now = read_made_by(Path(result.release)).code
    if now != made.code:
        causes = (f"the code is {now}, and was {made.code}", *causes)
    files = differing_files(release.path, Path(result.release))
    return Rebuilt(result.version or "", causes, tuple(files))


def _check_sources(made: MadeBy, sources: Path) -> None:
    for name, digest in made.sources.items():
        path = sources / name
        if not path.is_file():
            raise UserError(f"there is no source file {path}: put a copy of it there")
        if file_hash(path) != digest:
            raise UserError(
                f"{path} is another file than the release was made from (its SHA-256 is not "
                f"{digest[:12]}...)"
            )


def _causes(home: Home, made: MadeBy) -> Iterator[str]:
    """Yield what may make a difference."""
    for path, digest in made.hashes().items():
        file = home.project / path
        if not file.is_file():
            yield f"{path} is not here"
        elif content_hash(read_yaml(file)) != digest:
            yield f"{path} is another one"
    now = library_versions(made.libraries)
    for name, version in made.libraries.items():
        if now.get(name) != version:
            yield f"{name} is {now.get(name)}, and was {version}"


def _lend(home: Home, other: Home, domain: str) -> None:
    """Copy the key of the domain's pseudonyms and who was erased from it, if it has them."""
    for file_of in (key_file, tombstone_file):
        if file_of(home, domain).is_file():
            place = file_of(other, domain)
            place.parent.mkdir(mode=0o700, parents=True)
            shutil.copy2(file_of(home, domain), place)
