"""Run the command, in this or in a separate process, and inspect its output."""

from __future__ import annotations

import hashlib
import io
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sen2cor.cli import main

ROOT = Path(__file__).resolve().parents[1]

PATIENCE = 1200.0
"""Seconds after which a process that should have ended hangs, on a machine of any load."""


def start(*arguments: object, cwd: Path | None = None, **environment: str) -> subprocess.Popen[str]:
    """Start L2A_Process as a separate process."""
    return subprocess.Popen(
        [sys.executable, "-m", "sen2cor.cli", *map(str, arguments)],
        cwd=cwd,
        env={**_inherited(), "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run_process(
    *arguments: object, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run L2A_Process to its end as a separate process."""
    process = start(*arguments, cwd=cwd, **environment)
    output, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run L2A_Process to its end in this process, which saves its start."""
    words = [str(argument) for argument in arguments]
    output, errors = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, _inherited(), clear=True),
        redirect_stdout(output),
        redirect_stderr(errors),
    ):
        code = main(words)
    return subprocess.CompletedProcess(words, code, output.getvalue(), errors.getvalue())


def _inherited() -> dict[str, str]:
    """Environment variables other than those of the package."""
    return {name: value for name, value in os.environ.items() if "SEN2COR" not in name}


def configuration(folder: Path, **elements: object) -> Path:
    """Write the packaged L2A_GIPP with changed elements."""
    text = (ROOT / "cfg" / "L2A_GIPP.xml").read_text()
    for name, value in elements.items():
        text, number = re.subn(f"<{name}>.*?<", f"<{name}>{value}<", text)
        assert number == 1, name
    path = folder / f"L2A_GIPP_{len(list(folder.glob('L2A_GIPP_*')))}.xml"
    path.write_text(text)
    return path


def product_in(folder: Path) -> Path:
    """Return the only Level-2A product in a folder."""
    (found,) = folder.glob("*MSIL2A*.SAFE")
    return found


def image_digests(product: Path) -> dict[str, str]:
    """Return a digest of every byte of each image."""
    return {
        path.relative_to(product).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(product.rglob("*.jp2"))
    }


def file_states(folder: Path) -> dict[str, tuple[str, float]]:
    """Return digest and modification time of each file in a folder."""
    return {
        str(path.relative_to(folder)): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime,
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def hidden(folder: Path) -> list[str]:
    """Return the names of temporary files and folders."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def stopped(process: subprocess.Popen[Any], limit: float = PATIENCE) -> tuple[str, str]:
    """Wait for the end of a process; kill it and fail if it hangs."""
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return output, errors
