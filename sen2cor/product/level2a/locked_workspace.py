"""Temporary folder in which a product is written; it is also the lock of the product.

Beside the final folder ``NAME.SAFE`` there is ``.NAME.SAFE.part`` with ``owner.json``, which
identifies the run, and a folder that becomes the final one by one rename. Creating the folder is
atomic, and so is removing the signature of a dead run: two runs can never write one product.
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

_DELETED_FILE = ".nfs"
"""Begin of the names of files that a network file system keeps while a program has them open."""

_JUST_STARTED = "another run has just started"

_OWNER_GRACE = 60.0
"""Seconds within which a run signs the folder that it has created."""

_FOREIGN_GRACE = 2 * 3600.0
"""Seconds without any change after which a run on another host or container counts as dead."""


@dataclass(frozen=True)
class Workspace:
    """A folder in which one run writes one product.

    Attributes
    ----------
    final : Path
        Final path of the product.
    token : str
        Token of this run: a stopped run that still writes cannot reach the product of the next.
    """

    final: Path
    token: str = field(default_factory=lambda: uuid.uuid4().hex[:8])

    @property
    def folder(self) -> Path:
        """The temporary folder."""
        return self.final.with_name(f".{self.final.name}.part")

    @property
    def product(self) -> Path:
        """Folder of the unfinished product."""
        return self.folder / f"product-{self.token}"

    @property
    def previous(self) -> Path:
        """Where the older product is kept while the new one is renamed."""
        return self.folder / "previous"

    @classmethod
    def claim(cls, final: Path, option: str = "--output_dir") -> Workspace:
        """Create the temporary folder of a product; remove leftovers of a terminated run.

        Parameters
        ----------
        final : Path
        option : str
            Option of the command that chooses the folder.

        Raises
        ------
        LockedError
            Another run is writing this product.
        OutputError
            The folder cannot be created.
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
        """Link or copy the files of the final product, if it exists.

        Returns
        -------
        bool
            Whether it existed.

        Notes
        -----
        A linked file is shared with the final product: replace it, never write into it.
        """
        if not self.final.is_dir():
            return False
        self.restore(self.product)
        return True

    def restore(self, folder: Path) -> None:
        """Restore a folder of the unfinished product from the final product."""
        with raise_output_error(folder):
            if folder != self.product:
                shutil.rmtree(folder, ignore_errors=True)
            original = self.final / folder.relative_to(self.product)
            for source in sorted(original.rglob("*")):
                target = folder / source.relative_to(original)
                if source.name.startswith(_DELETED_FILE):
                    continue
                if source.is_symlink() and not source.exists():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.symlink_to(os.readlink(source))  # noqa: PTH115 (kept as it is)
                elif source.is_file():
                    target.parent.mkdir(parents=True, exist_ok=True)
                    _link_or_copy(source, target)

    def publish(self) -> None:
        """Rename the product to its final path and remove the temporary folder.

        Raises
        ------
        OutputError
            Files cannot be flushed or renamed; an older product stays in place.
        """
        with raise_output_error(self.final):
            _flush_files(self.product)
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
        """Remove the temporary folder; an older product in it returns to its place."""
        self._clear()
        # the signature is removed last, so that a run that dies here is recognised as dead
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.folder.exists():
            logger.warning("%s cannot be removed; remove it by hand", self.folder)

    def _clear(self) -> None:
        """Remove all but the signature; an older product returns to its place."""
        if self.previous.exists() and not self.final.exists():
            with raise_output_error(self.final):
                self.previous.rename(self.final)
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != _OWNER_FILE:
                path.unlink(missing_ok=True)

    def _sign(self) -> None:
        """Sign the folder, which only one run can do."""
        try:
            with (self.folder / _OWNER_FILE).open("x", encoding="utf-8") as stream:
                json.dump(_identify_process(), stream)
        except (FileExistsError, FileNotFoundError):
            raise LockedError(_describe_lock(self.final, _JUST_STARTED)) from None

    def _take_over(self) -> None:
        """Take over the folder of a dead run; raise if its owner is alive."""
        owner = self._read_owner(_OWNER_FILE)
        self._check_dead(owner)
        signature = self.folder / _OWNER_FILE
        if signature.exists():
            # of several runs that find the same leftover, only one gets its signature; another may
            # have taken the new owner's, and returns it
            taken = self.folder / f"owner-{self.token}.json"
            try:
                signature.rename(taken)
            except FileNotFoundError:
                raise LockedError(_describe_lock(self.final, _JUST_STARTED)) from None
            if self._read_owner(taken.name) != owner:
                taken.rename(signature)
                raise LockedError(_describe_lock(self.final, _JUST_STARTED))
        self._sign()
        logger.warning("removing leftovers of an interrupted run: %s", self.folder)
        self._clear()

    def _check_dead(self, owner: dict[str, Any] | None) -> None:
        if owner is None:
            # the clock may have been changed meanwhile, in either direction
            if abs(time.time() - _read_modification_time(self.folder)) < _OWNER_GRACE:
                raise LockedError(_describe_lock(self.final, _JUST_STARTED))
        elif any(owner.get(name) != value for name, value in _identify_machine().items()):
            if time.time() - _find_last_change(self.folder) < _FOREIGN_GRACE:
                raise LockedError(
                    _describe_lock(
                        self.final,
                        f"process {owner.get('pid')} on host {owner.get('host')} has been writing "
                        f"it since {owner.get('started')}; if it is dead, remove {self.folder}",
                    )
                )
        elif _read_process_start(owner.get("pid")) == owner.get("process_start"):
            raise LockedError(
                _describe_lock(self.final, f"process {owner.get('pid')} is writing it")
            )

    def _read_owner(self, name: str) -> dict[str, Any] | None:
        try:
            owner = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return owner if isinstance(owner, dict) else None


def _identify_machine() -> dict[str, str]:
    """Return what must be equal for process numbers to be comparable."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")  # noqa: PTH115 (not a path)
    except OSError:
        namespace = ""
    return {"host": socket.gethostname(), "pid_namespace": namespace}


def _identify_process() -> dict[str, Any]:
    return {
        **_identify_machine(),
        "pid": os.getpid(),
        "process_start": _read_process_start(os.getpid()),
        "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def _read_process_start(pid: object) -> str | None:
    """Return the start of a process, which distinguishes reused numbers; None if it is dead.

    On Linux in clock ticks since boot, which do not change when the clock is set.
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


def _find_last_change(folder: Path) -> float:
    return max(_read_modification_time(path) for path in (folder, *folder.rglob("*")))


def _read_modification_time(path: Path) -> float:
    """Return the time of the last change; 0 if the path no longer exists."""
    try:
        return path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _describe_lock(final: Path, reason: str) -> str:
    return f"{final} is locked: {reason}"


def _link_or_copy(source: Path, target: Path) -> None:
    if os.access(source, os.W_OK):
        try:
            os.link(source, target)
            return
        except OSError:
            logger.debug("%s cannot be linked; copied", source)
    shutil.copyfile(source, target)


def _flush_files(root: Path) -> None:
    for folder, _, names in os.walk(root):
        for name in names:
            if (Path(folder) / name).is_symlink():
                continue
            with (Path(folder) / name).open("rb+") as stream:
                os.fsync(stream.fileno())
        _flush_folder(Path(folder))


def _flush_folder(folder: Path) -> None:
    """Flush the names in a folder to disk, except on Windows, which cannot open folders."""
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
