"""Downloads of source files: resumed if interrupted, checked, then moved into place."""

from __future__ import annotations

import errno
import os
import re
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import BinaryIO

import httpx

from tasks.addresses import explained_errors, open_store
from tasks.errors import UserError
from tasks.ingest.compression import decompressed
from tasks.redaction import redact, redact_address
from tasks.settings import Domain, Source

_PIECE = 4 << 20  # bytes
_STALE_PART = "the part kept does not belong to the file published now"


class TransferInterrupted(Exception):
    """The transfer ended early; what has arrived is kept and the next try resumes from there."""


def read_store(address: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
    """Append what is missing of a file at a URL to `part`, and sync it to the disk.

    Args:
        address: the file's URL.
        part: what an earlier try has kept, if there is any.
        progress: called with the bytes so far and the total bytes, if known.

    Raises:
        TransferInterrupted: the store failed, or `part` is longer than the file.
        UserError: nothing is at the address, or it cannot be read at all.
    """
    store, place = open_store(address)
    have = part.stat().st_size if part.exists() else 0
    with explained_errors(address):
        total = store.size(place)
    if total is not None and have > total:
        part.unlink()
        raise TransferInterrupted(_STALE_PART)
    with explained_errors(address):
        remote = store.open(place, "rb")
    with remote, part.open("ab") as file:
        for piece in _pieces(remote, have):
            file.write(piece)
            have += len(piece)
            progress(have, total)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and have < total:
        raise TransferInterrupted(f"{have} of {total} bytes arrived")


def _pieces(remote: BinaryIO, start: int) -> Iterator[bytes]:
    """Yield a remote file from a byte on. Raises TransferInterrupted when the store fails."""
    try:
        remote.seek(start)
        while piece := remote.read(_PIECE):
            yield piece
    except OSError as error:
        raise TransferInterrupted(str(error)) from None


Progress = Callable[[str, int, int | None], None]
"""Called with the file's name, the bytes so far, and the total bytes, if known."""
TRIES = 5
_WEB = ("http://", "https://")
_TIMEOUT = httpx.Timeout(60, connect=20)
_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


def fetch(
    domain: Domain, progress: Progress | None = None, *, tries: int = TRIES, wait_s: float = 1.0
) -> tuple[Path, ...]:
    """Download the source files that are not there yet, and return the paths of all of them.

    Each is written to `<path>.part` first. An interrupted transfer, of this run or an earlier one,
    is resumed by HTTP Range; a server without Range starts again. Addresses of other stores, such
    as s3:// or file://, are read through fsspec. A file that exists is not requested again.

    Args:
        domain: its sources name the addresses.
        progress: called for every piece that arrives.
        tries: attempts without a byte of progress before a file is given up.
        wait_s: seconds before the second attempt; doubles with each further one.

    Raises:
        UserError: a source has no address, the server refuses or cannot be reached, the disk is
            full, or the file has another size or compression than expected.
    """
    sources = (*domain.sources.reviews, *domain.sources.metadata)
    for source in sources:
        if not source.url and not Path(source.path).exists():
            raise UserError(
                f"{source.path} is not there and its domain gives no url for it: "
                "put the file there, or add `url`"
            )
    with httpx.Client(
        follow_redirects=True, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}
    ) as client:
        return tuple(
            _fetch_one(client, source, progress or _ignore_progress, tries, wait_s)
            for source in sources
        )


def _fetch_one(
    client: httpx.Client, source: Source, progress: Progress, tries: int, wait_s: float
) -> Path:
    path = Path(source.path)
    if path.exists():
        _check_size(path, path.stat().st_size, source.bytes)
        return path
    part = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _download(client, source, part, progress, tries, wait_s)
        _check(part, path, source)
        part.replace(path)
    except OSError as error:
        is_full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        reason = "the disk is full" if is_full else error.strerror
        raise UserError(
            f"{path} cannot be written: {reason}; "
            "what has arrived is kept, and fetching again resumes from there"
        ) from None
    return path


def _download(
    client: httpx.Client, source: Source, part: Path, progress: Progress, tries: int, wait_s: float
) -> None:
    """Fill `part` to its end, over as many requests as it takes."""
    failures = 0
    while True:
        before = _size(part)
        try:
            _transfer(client, source, part, progress)
        except (httpx.TransportError, TransferInterrupted) as error:
            failures = 1 if _size(part) > before else failures + 1
            if failures >= tries:
                reason = redact(str(error)) or type(error).__name__
                raise UserError(
                    f"{_shown(source)} cannot be fetched ({reason}): check the network; "
                    f"{_size(part)} bytes are kept to resume from"
                ) from None
            time.sleep(wait_s * 2 ** (failures - 1))
        except (httpx.InvalidURL, httpx.TooManyRedirects) as error:
            raise UserError(f"{_shown(source)} cannot be fetched: {error}") from None
        else:
            return


def _transfer(client: httpx.Client, source: Source, part: Path, progress: Progress) -> None:
    if (source.url or "").startswith(_WEB):
        _request(client, source, part, progress)
    else:
        read_store(source.url or "", part, partial(progress, Path(source.path).name))


def _request(client: httpx.Client, source: Source, part: Path, progress: Progress) -> None:
    """Request what is missing and write it.

    Raises TransferInterrupted when less arrives than was announced or the server is busy.
    """
    have = _size(part)
    headers = {"Range": f"bytes={have}-"} if have else {}
    with client.stream("GET", source.url or "", headers=headers) as response:
        start, total = _extent(response, have)
        if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            if total != have:
                part.unlink()
                raise TransferInterrupted(_STALE_PART)
            return
        _check_response(response, source)
        if total is not None:
            _check_size(Path(source.path), total, source.bytes)
        done = start
        with part.open("r+b" if start else "wb") as file:
            file.seek(start)
            for chunk in response.iter_raw():
                file.write(chunk)
                done += len(chunk)
                progress(Path(source.path).name, done, total)
            file.flush()
            os.fsync(file.fileno())
    if total is not None and done < total:
        raise TransferInterrupted(f"{done} of {total} bytes arrived")


def _check_response(response: httpx.Response, source: Source) -> None:
    status = f"{response.status_code} {response.reason_phrase}"
    if response.status_code >= 500 or response.status_code == httpx.codes.TOO_MANY_REQUESTS:
        raise TransferInterrupted(f"the server answered {status}")
    if response.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
        raise UserError(
            f"{_shown(source)} answered {status}: check whether the address has changed"
        )
    if response.headers.get("Content-Type", "").startswith("text/html"):
        raise UserError(
            f"{_shown(source)} answered with a web page in place of the file: "
            "check whether the address has changed"
        )


def _extent(response: httpx.Response, have: int) -> tuple[int, int | None]:
    """Return the byte that the response begins at and the size of the whole file, if known.

    Raises UserError on a range that was not requested.
    """
    ranged = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code == httpx.codes.PARTIAL_CONTENT:
        if not ranged or int(ranged[1] or -1) != have:
            raise UserError(
                f"{redact_address(str(response.url))} sent another range than requested: "
                "remove the .part file and fetch again"
            )
        return have, int(ranged[2])
    if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
        return have, int(ranged[2]) if ranged else None
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _check(part: Path, path: Path, source: Source) -> None:
    """Decompress a downloaded file once to check it.

    A damaged one is removed, because resuming from it would not repair it.
    """
    try:
        _check_size(path, _size(part), source.bytes)
        for _ in decompressed(part, claimed=path.name):
            pass
    except UserError:
        part.unlink()
        raise


def _check_size(path: Path, size: int, published: int | None) -> None:
    if published is not None and size != published:
        raise UserError(
            f"{path} has {size} bytes where its domain gives {published}: "
            "correct `bytes`, or remove the file and fetch it again"
        )


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _shown(source: Source) -> str:
    """Return a source's address as it may be shown: without the signature of a signed one."""
    return redact_address(source.url or "")


def _ignore_progress(name: str, done: int, total: int | None) -> None:
    """Do nothing."""
