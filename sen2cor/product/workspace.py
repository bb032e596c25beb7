"""The temporary folder in which a product grows, which is its lock as well.

Beside the final folder ``NAME.SAFE`` stands ``.NAME.SAFE.part`` with ``owner.json`` (who works
here) and ``product`` (what becomes the final folder by one rename). Making the folder is atomic,
so two runs can never work on one product.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

from sen2cor.errors import LockedError, OutputError

logger = logging.getLogger(__name__)

_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)
_NO_PERMISSION = (errno.EACCES, errno.EPERM, errno.EROFS)
_OWNER_FILE = "owner.json"

_OWNER_GRACE = 60.0
"""Seconds in which a run that has just made its folder may not yet have put its name in."""

_FOREIGN_GRACE = 2 * 3600.0
"""Seconds without any change after which a run on another host (or container) counts as dead."""


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn errors of the file system into an `OutputError` that says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _NO_SPACE:
            advice = "free some space or choose another folder with --output_dir"
        elif error.errno in _NO_PERMISSION:
            advice = "make the folder writable or choose another one with --output_dir"
        else:
            advice = "check the disk or choose another folder with --output_dir"
        reason = error.strerror or str(error)
        target = error.filename2 or error.filename or path
        raise OutputError(f"cannot write {target}: {reason}; {advice}") from error


@dataclass(frozen=True)
class Workspace:
    """A folder in which one run makes one product.

    Attributes
    ----------
    final : Path
        Where the product will stand.
    """

    final: Path

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.final.with_name(f".{self.final.name}.part")

    @property
    def product(self) -> Path:
        """The growing product."""
        return self.folder / "product"

    @property
    def previous(self) -> Path:
        """Where an older product waits while the new one takes its place."""
        return self.folder / "previous"

    @classmethod
    def claim(cls, final: Path) -> Workspace:
        """Make the temporary folder of a product; what a dead run left of it is removed.

        Raises
        ------
        LockedError
            If another run is working on this product.
        OutputError
            If the folder cannot be made.
        """
        workspace = cls(final)
        with writing(workspace.folder):
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                workspace.folder.mkdir()
            except FileExistsError:
                workspace._clear_leftover()
                try:
                    workspace.folder.mkdir()
                except FileExistsError:
                    raise LockedError(_locked(final, "another run has just started")) from None
            try:
                workspace._sign()
            except OSError:
                shutil.rmtree(workspace.folder, ignore_errors=True)
                raise
        return workspace

    def carry_over(self) -> bool:
        """Take over the files of the final product, if there is one: linked where possible.

        Returns
        -------
        bool
            Whether there was one.

        Notes
        -----
        A linked file is shared with the final product: it may be replaced, never written into.
        """
        if not self.final.is_dir():
            return False
        self.restore(self.product)
        return True

    def restore(self, folder: Path) -> None:
        """Bring a folder of the growing product back to what it is in the final product."""
        with writing(folder):
            if folder != self.product:
                shutil.rmtree(folder, ignore_errors=True)
            original = self.final / folder.relative_to(self.product)
            for source in sorted(original.rglob("*")):
                target = folder / source.relative_to(original)
                if source.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _link_or_copy(source, target)

    def publish(self) -> None:
        """Put the product in its place; afterwards the temporary folder is gone.

        Raises
        ------
        OutputError
            If files cannot be flushed or renamed; the older product, if any, stays in its place.
        """
        with writing(self.final):
            _flush(self.product)
            if self.final.exists():
                self.final.rename(self.previous)
            try:
                self.product.rename(self.final)
            except OSError:
                if self.previous.exists():
                    self.previous.rename(self.final)
                raise
            _flush_folder(self.final.parent)
        self.remove()

    def remove(self) -> None:
        """Remove the temporary folder; an older product that waits in it returns to its place."""
        if self.previous.exists() and not self.final.exists():
            with writing(self.final):
                self.previous.rename(self.final)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sign(self) -> None:
        (self.folder / _OWNER_FILE).write_text(json.dumps(_this_process()), encoding="utf-8")
        self.product.mkdir()

    def _clear_leftover(self) -> None:
        """Remove the folder of a dead run, or say who is alive."""
        owner = self._read_owner(self.folder)
        if owner is None:
            if time.time() - self.folder.stat().st_mtime < _OWNER_GRACE:
                raise LockedError(_locked(self.final, "another run has just started"))
        elif owner.get("host") != socket.gethostname():
            if time.time() - _last_change(self.folder) < _FOREIGN_GRACE:
                raise LockedError(
                    _locked(
                        self.final,
                        f"process {owner.get('pid')} on host {owner.get('host')} has been working "
                        f"on it since {owner.get('started')}; if it is dead, remove {self.folder}",
                    )
                )
        elif _is_alive(owner):
            raise LockedError(_locked(self.final, f"process {owner.get('pid')} is working on it"))
        logger.warning("Removing what an interrupted run left: %s", self.folder)
        # Of several runs that find the same leftover one is the first to rename it; the next may
        # have got hold of the first one's new folder, and gives it back.
        grave = self.folder.with_name(f"{self.folder.name}.{os.getpid()}")
        try:
            self.folder.rename(grave)
        except FileNotFoundError:
            return
        if self._read_owner(grave) != owner:
            grave.rename(self.folder)
            raise LockedError(_locked(self.final, "another run has just started"))
        saved = grave / self.previous.name
        if saved.exists() and not self.final.exists():
            saved.rename(self.final)
        shutil.rmtree(grave)

    @staticmethod
    def _read_owner(folder: Path) -> dict[str, Any] | None:
        try:
            owner = json.loads((folder / _OWNER_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return owner if isinstance(owner, dict) else None


def _this_process() -> dict[str, Any]:
    return {
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "process_start": psutil.Process().create_time(),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _is_alive(owner: dict[str, Any]) -> bool:
    """Whether the process still runs; a number that was given anew belongs to someone else."""
    try:
        process = psutil.Process(int(owner["pid"]))
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return bool(abs(process.create_time() - float(owner["process_start"])) < 2.0)
    except psutil.AccessDenied:
        return True
    except (psutil.NoSuchProcess, KeyError, TypeError, ValueError):
        return False


def _last_change(folder: Path) -> float:
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _locked(final: Path, reason: str) -> str:
    return f"{final} is locked: {reason}"


def _link_or_copy(source: Path, target: Path) -> None:
    if os.access(source, os.W_OK):
        try:
            os.link(source, target)
            return
        except OSError:
            logger.debug("No hard link to %s possible, it is copied", source)
    shutil.copyfile(source, target)


def _flush(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            with (Path(folder) / name).open("rb+") as stream:
                os.fsync(stream.fileno())
        _flush_folder(Path(folder))


def _flush_folder(folder: Path) -> None:
    """Make names in a folder permanent, where the system can (Windows opens no folders)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
    finally:
        os.close(descriptor)
