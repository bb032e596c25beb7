"""Download of elevation model tiles into a folder that several runs may use.

Attempts are limited, each has a timeout, and so has the wait for another run that fetches the same
tile.  A tile appears in the folder by one rename, complete and checked.
"""

from __future__ import annotations

import base64
import http.client
import logging
import os
import re
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import unquote, urlsplit, urlunsplit

from sen2cor.dem.archives import ARCHIVE_ERRORS, unpack
from sen2cor.errors import AuxiliaryDataError

logger = logging.getLogger(__name__)

_SCHEMES = ("http://", "https://", "file://")
_NOT_FOUND = (404, 410)
_CHUNK = 1 << 20

_PLACEHOLDER = re.compile(r"[{}<>]|%[sdi]|%0\d")


@dataclass(frozen=True)
class DownloadLimits:
    """Attempts and timeouts of a download.

    Attributes
    ----------
    attempts : int
        Number of attempts.
    pause : float
        Seconds before the second attempt; doubled before every further one.
    timeout : float
        Seconds without data after which an attempt fails.
    duration : float
        Seconds after which an attempt fails even if data still arrive, and the longest wait for
        another run that fetches the same tile.
    """

    attempts: int = 3
    pause: float = 2.0
    timeout: float = 30.0
    duration: float = 600.0


def fetch(
    url: str,
    names: Sequence[str],
    target: Path,
    check: Callable[[Path], None],
    limits: DownloadLimits,
) -> bool:
    """Fetch a file, in an archive or not, unless another run has just fetched it.

    Parameters
    ----------
    url : str
        Base URL: http, https or file; user name and password in it appear in no message.
    names : sequence of str
        Names that the file may have on the server, tried in turn.
    target : Path
        Path of the fetched file.
    check : callable
        Raises a ValueError that explains what is wrong with a file.
    limits : DownloadLimits
        Attempts and timeouts.

    Returns
    -------
    bool
        True if the file exists now; False if the server has no such file.

    Raises
    ------
    AuxiliaryDataError
        If the server is unreachable, sends something else, or the folder is not writable.
    """
    _check_address(url, target.name)
    try:
        with _lock(target.with_name(f".{target.name}.lock"), limits.duration):
            if target.exists():
                return True
            with TemporaryDirectory(
                prefix=f"{target.name}.part.{os.getpid()}.", dir=target.parent
            ) as folder:
                part = Path(folder, target.name)
                for name in names:
                    request = _request(_join(url, name))
                    if _fetch_with_retries(request, part, check, limits):
                        os.replace(part, target)
                        logger.info("elevation tile fetched from %s", request.full_url)
                        return True
    except OSError as error:
        raise AuxiliaryDataError(f"cannot write {target}: {error.strerror or error}") from error
    return False


def hide_password(url: str) -> str:
    """Return a URL without the user name and password in it."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _check_address(url: str, name: str) -> None:
    """Refuse a base URL from which nothing can be fetched."""
    shown = f"cannot fetch {name}: DEM_Reference {hide_password(url)}"
    if not url.lower().startswith(_SCHEMES):
        advice = f"a folder is written {Path(url).as_uri()}" if Path(url).is_absolute() else ""
        raise AuxiliaryDataError(
            f"{shown} is no address that can be used ({', '.join(_SCHEMES)}"
            f"{'; ' if advice else ''}{advice})"
        )
    if _PLACEHOLDER.search(url):
        raise AuxiliaryDataError(
            f"{shown} has placeholders; give the base address, to which the names of the tiles are "
            "added"
        )


def _join(url: str, name: str) -> str:
    """Add a name to the path of a base URL, before its query."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/{name}"))


def _request(url: str) -> urllib.request.Request:
    """Request for a URL; user name and password move from the URL into the header."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(urlunsplit(parts._replace(netloc=host)))
    request.add_header("User-Agent", "sen2cor")
    if user:
        token = base64.b64encode(unquote(user).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request


def _fetch_with_retries(
    request: urllib.request.Request,
    part: Path,
    check: Callable[[Path], None],
    limits: DownloadLimits,
) -> bool:
    url, reason = request.full_url, ""
    for attempt in range(limits.attempts):
        if attempt:
            time.sleep(limits.pause * 2 ** (attempt - 1))
        try:
            if not _download(request, part, limits):
                return False
            unpack(part)
            check(part)
            return True
        except (_TransferError, *ARCHIVE_ERRORS) as error:
            reason = str(error)
            logger.warning(
                "attempt %d of %d to fetch %s: %s", attempt + 1, limits.attempts, url, reason
            )
    raise AuxiliaryDataError(
        f"cannot fetch elevation tile from {url}: {reason}; add it to DEM_Directory, check "
        "DEM_Reference, or set DEM_Missing to FLAT"
    )


class _TransferError(Exception):
    """The transfer failed; another attempt may succeed."""


def _download(request: urllib.request.Request, part: Path, limits: DownloadLimits) -> bool:
    """Download a URL into a file; False if nothing exists at the URL."""
    end = time.monotonic() + limits.duration
    with part.open("wb") as stream:
        try:
            with urllib.request.urlopen(request, timeout=limits.timeout) as answer:
                expected = answer.headers.get("Content-Length")
                while block := answer.read(_CHUNK):
                    stream.write(block)
                    if time.monotonic() > end:
                        raise _TransferError(f"not complete after {limits.duration:g} s")
        except urllib.error.HTTPError as error:
            if error.code in _NOT_FOUND:
                return False
            raise _TransferError(f"HTTP {error.code} {error.reason}") from error
        except urllib.error.URLError as error:
            if request.type == "file" and isinstance(error.reason, FileNotFoundError):
                return False
            raise _TransferError(str(error.reason)) from error
        except (TimeoutError, ConnectionError, ssl.SSLError, http.client.HTTPException) as error:
            raise _TransferError(str(error) or type(error).__name__) from error
        if expected is not None and stream.tell() != int(expected):
            raise _TransferError(f"{stream.tell()} of {expected} bytes received")
    return True


@contextmanager
def _lock(path: Path, duration: float) -> Iterator[None]:
    """Exclude other runs, as far as the system and the file system support it.

    The lock ends with the process that holds it.  It only avoids fetching a tile twice; if it is
    unavailable, the download continues without it.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CREAT, 0o666)
    try:
        if not _acquire(descriptor, duration):
            logger.warning("cannot lock %s; another run may fetch the same tile", path)
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _acquire(descriptor: int, duration: float) -> bool:
    try:
        import fcntl
    except ImportError:
        return False
    end = time.monotonic() + duration
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        except OSError:
            return False
