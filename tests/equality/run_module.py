"""Run a module of the package as ``python -m`` does, with the code of one folder and no other.

PYTHONPATH=folder python tests/equality/run_module.py folder module argument ...
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path


def _check(folder: Path) -> None:
    for name, module in sys.modules.items():
        path = getattr(module, "__file__", None)
        if name.split(".")[0] == "sen2cor" and path and folder not in Path(path).resolve().parents:
            raise SystemExit(f"{name} is that of {path}, not of {folder}")


def main() -> None:
    """Run the module that the command line names."""
    del sys.path[0]  # the folder of this file
    folder, module, *arguments = sys.argv[1:]
    sys.argv = [module, *arguments]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=False)
    finally:
        _check(Path(folder).resolve())


if __name__ == "__main__":
    main()
