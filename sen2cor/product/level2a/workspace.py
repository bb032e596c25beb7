"""The temporary folder in which a product grows, which is its lock as well.

Beside the final folder ``NAME.SAFE`` stands ``.NAME.SAFE.part`` with ``owner.json`` (who works
here) and a folder that becomes the final one by one rename. Making the folder is atomic, and so is
taking the signature of a dead run away: two runs can never work on one product.
"""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import socket
import time
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import psutil

from sen2cor.errors import LockedError
from sen2cor.files import raise_output_error

logger = logging.getLogger(__name__)

_OWNER_FILE = "owner.json"
_JUST_STARTED = "another run has just started"

_OWNER_GRACE = 60.0
"""Seconds in which a run that has just made its folder may not yet have put its name in."""

_FOREIGN_GRACE = 2 * 3600.0
"""Seconds without any change after which a run on another host (or container) counts as dead."""


@dataclass(frozen=True)
class Workspace:
    """A folder in which one run makes one product.

    Attributes
    ----------
    final : Path
        Where the product will stand.
    token : str
        Of this run: nothing that a stopped run may still write gets into the next one's product.
    """

    final: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.final.with_name(f".{self.final.name}.part")

    @property
    def product(self) -> Path:
        """The growing product."""
        return self.folder / f"product-{self.token}"

    @property
    def previous(self) -> Path:
        """Where an older product waits while the new one takes its place."""
        return self.folder / "previous"

    @classmethod
    def claim(cls, final: Path, option: str = "--output_dir") -> Workspace:
        """Make the temporary folder of a product; what a dead run left of it is removed.

        Parameters
        ----------
        final : Path
        option : str
            Of the command, which chooses the folder.

        Raises
        ------
        LockedError
            If another run is working on this product.
        OutputError
            If the folder cannot be made.
        """
        workspace = cls(final)
        with raise_output_error(workspace.folder, option):
            final.parent.mkdir(parents=True, exist_ok=True)
            try:
                workspace.folder.mkdir()
            except FileExistsError:
                workspace._take_over()
            else:
                try:
                    workspace._sign()
                except BaseException:
                    shutil.rmtree(workspace.folder, ignore_errors=True)
                    raise
            workspace.product.mkdir()
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
        with raise_output_error(folder):
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
        with raise_output_error(self.final):
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
        self._clear()
        # the signature goes last, so that a run that dies here is known to be dead
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            logger.warning("%s could not be removed", self.folder)

    def _clear(self) -> None:
        """Remove all but the signature; an older product that waits returns to its place."""
        if self.previous.exists() and not self.final.exists():
            with raise_output_error(self.final):
                self.previous.rename(self.final)
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _OWNER_FILE:
                path.unlink(missing_ok=True)

    def _sign(self) -> None:
        """Sign the folder; only one run can."""
        try:
            with (self.folder / _OWNER_FILE).open("x", encoding="utf-8") as stream:
                json.dump(_this_process(), stream)
        except (FileExistsError, FileNotFoundError):
            raise LockedError(_locked(self.final, _JUST_STARTED)) from None

    def _take_over(self) -> None:
        """Make the folder of a dead run one's own, or say who is alive."""
        owner = self._read_owner(_OWNER_FILE)
        self._check_dead(owner)
        signature = self.folder / _OWNER_FILE
        if signature.exists():
            # Of several runs that find the same leftover one gets its signature; the next may have
            # got hold of the first one's, and gives it back.
            taken = self.folder / f"owner-{self.token}.json"
            try:
                signature.rename(taken)
            except FileNotFoundError:
                raise LockedError(_locked(self.final, _JUST_STARTED)) from None
            if self._read_owner(taken.name) != owner:
                taken.rename(signature)
                raise LockedError(_locked(self.final, _JUST_STARTED))
        self._sign()
        logger.warning("Removing what an interrupted run left: %s", self.folder)
        self._clear()

    def _check_dead(self, owner: dict[str, Any] | None) -> None:
        if owner is None:
            # the clock may have been set meanwhile, in either direction
            if abs(time.time() - _modified(self.folder)) < _OWNER_GRACE:
                raise LockedError(_locked(self.final, _JUST_STARTED))
        elif any(owner.get(name) != value for name, value in _this_machine().items()):
            if time.time() - _last_change(self.folder) < _FOREIGN_GRACE:
                raise LockedError(
                    _locked(
                        self.final,
                        f"process {owner.get('pid')} on host {owner.get('host')} has been working "
                        f"on it since {owner.get('started')}; if it is dead, remove {self.folder}",
                    )
                )
        elif _start_of(owner.get("pid")) == owner.get("process_start"):
            raise LockedError(_locked(self.final, f"process {owner.get('pid')} is working on it"))

    def _read_owner(self, name: str) -> dict[str, Any] | None:
        try:
            owner = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return owner if isinstance(owner, dict) else None


def _this_machine() -> dict[str, str]:
    """Return what must be equal for process numbers to mean the same."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 (not a path)
    except OSError:
        namespace = ""
    return {"host": socket.gethostname(), "pid_namespace": namespace}


def _this_process() -> dict[str, Any]:
    return {
        **_this_machine(),
        "pid": os.getpid(),
        "process_start": _start_of(os.getpid()),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _start_of(pid: object) -> str | None:
    """When a process began, which tells it from others of its number; None if it is dead.

    On Linux in ticks since that boot, which do not change when the clock is set.
    """
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return None
        began = str(round(process.create_time()))
    except (psutil.Error, TypeError, ValueError):
        return None
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return began
    return f"{boot} {fields.rpartition(')')[2].split()[19]}"


def _last_change(folder: Path) -> float:
    return max(_modified(path) for path in (folder, *folder.rglob("*")))


def _modified(path: Path) -> float:
    """Return the time of the last change; 0 of what has gone meanwhile."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


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
