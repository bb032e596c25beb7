"""Runs of simulator and processor with one code or the other, kept where nothing has changed.

All is in the folder ``.equal`` of the tree: Level-1C products in ``inputs``, what the code of a
commit made in a folder of its name, what the working tree made in ``new``. A run has a key, the
digest of all that its result follows from; it is repeated where the key has changed.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.simulated_run import ROOT, changed_settings
from tests.equality.cases import DEM, SCENES, Case

STORE = ROOT / ".equal"
INPUTS = STORE / "inputs"

NOT_SIMULATOR = {"atmosphere", "classification", "dem", "pipeline"}
"""Packages in ``sen2cor/`` of which the simulator has nothing."""

_RUNNER = Path(__file__).with_name("run_module.py")
_SETTINGS = {
    "L2A_GIPP": "--GIP_L2A",
    "L2A_CAL_SC_GIPP": "--GIP_L2A_SC",
    "L2A_CAL_AC_GIPP": "--GIP_L2A_AC",
}


class RunError(Exception):
    """A command did not end well."""


@dataclass(frozen=True)
class Code:
    """The processor of one state, and where its results go.

    Attributes
    ----------
    folder : Path
        Its tree.
    results : Path
    """

    folder: Path
    results: Path

    def simulate(self, scene: str, target: Path) -> None:
        """Make a Level-1C product and its truth."""
        self.run("sen2cor.simulation.cli", *SCENES[scene], "--output", str(target))

    def process(self, case: Case, target: Path) -> None:
        """Make the Level-2A product of a case."""
        options = [*case.options, "--output_dir", str(target)]
        level1c = only(input_folder(case.scene), "*.SAFE")
        if case.settings:
            folder = target.with_suffix(".settings")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for name, option in _SETTINGS.items():
                shipped = self.folder / "cfg" / f"{name}.xml"
                path = folder / shipped.name
                path.write_bytes(changed_settings(shipped, _values(case)))
                options += [option, str(path)]
        self.run("sen2cor.cli", *options, str(level1c))

    def run(self, module: str, *arguments: str) -> None:
        """Run a module as a command.

        Raises
        ------
        RunError
            It did not end with 0, or not only with the code of this folder.
        """
        inherited = {name: value for name, value in os.environ.items() if "SEN2COR" not in name}
        done = subprocess.run(
            [sys.executable, str(_RUNNER), str(self.folder), module, *arguments],
            cwd=self.folder,
            env={**inherited, "PYTHONPATH": str(self.folder)},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            said = (done.stderr or done.stdout).strip().splitlines() or [""]
            raise RunError(f"{module} ended with {done.returncode}: {said[-1]}")


def _values(case: Case) -> dict[str, str]:
    if DEM not in case.settings.values():
        return dict(case.settings)
    dem = only(input_folder(case.scene), "*.truth") / "dem"
    return {name: str(dem) if value == DEM else value for name, value in case.settings.items()}


def make_input(code: Code, scene: str) -> None:
    """Make a Level-1C product where the simulator or the options of the scene have changed."""
    folder = input_folder(scene)
    package = code.folder / "sen2cor"
    roots = [path for path in package.iterdir() if path.name not in NOT_SIMULATOR]
    key = digest(*SCENES[scene], _packages(), *_contents(package, roots))
    if not _is_kept(folder, key):
        code.simulate(scene, folder)
        _keep(folder, key)


def make_kept_simulation(code: Code, scene: str) -> None:
    """Simulate a scene with the code of a commit where this is not done."""
    folder = code.results / f"simulated {scene}"
    key = digest(*SCENES[scene], _packages())
    if not _is_kept(folder, key):
        code.simulate(scene, folder)
        _keep(folder, key)


def make_kept_product(code: Code, name: str, case: Case) -> None:
    """Process a case with the code of a commit where this is not done for this input."""
    folder = code.results / name
    source = input_folder(case.scene)
    key = digest(repr(case), _packages(), *_contents(source, [source]))
    if not _is_kept(folder, key):
        code.process(case, folder)
        _keep(folder, key)


def make_product(code: Code, name: str, case: Case) -> None:
    """Process a case anew."""
    folder = code.results / name
    shutil.rmtree(folder, ignore_errors=True)
    code.process(case, folder)


def input_folder(scene: str) -> Path:
    """Folder of a Level-1C product and its truth."""
    return INPUTS / scene


def only(folder: Path, pattern: str) -> Path:
    """Return the only path of a pattern."""
    (found,) = folder.glob(pattern)
    return found


def digest(*parts: str) -> str:
    """Return the digest of some text."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _packages() -> str:
    """Versions of all that is installed."""
    found = {f"{one.name} {one.version}" for one in importlib.metadata.distributions()}
    return f"{sys.version} {sorted(found)}"


def _contents(folder: Path, roots: Iterable[Path]) -> list[str]:
    """Names and digests of all files at or below some paths."""
    files = {
        file
        for root in roots
        for file in ([root] if root.is_file() else root.rglob("*"))
        if file.is_file() and file.suffix != ".pyc"
    }
    return [
        f"{file.relative_to(folder)} {hashlib.sha256(file.read_bytes()).hexdigest()}"
        for file in sorted(files)
    ]


def _is_kept(folder: Path, key: str) -> bool:
    """Whether a result of this key exists; outdated results are removed."""
    path = _key_path(folder)
    if path.is_file() and path.read_text() == key:
        return True
    path.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)
    return False


def _keep(folder: Path, key: str) -> None:
    _key_path(folder).write_text(key)


def _key_path(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.key")
