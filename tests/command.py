"""Run the command as a separate process and inspect its output."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    """Start L2A_Process."""
    inherited = {name: value for name, value in os.environ.items() if "SEN2COR" not in name}
    return subprocess.Popen(
        [sys.executable, "-m", "sen2cor.cli", *map(str, arguments)],
        env={**inherited, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run L2A_Process to its end."""
    process = start(*arguments, **environment)
    output, errors = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, output, errors)


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


def hidden(folder: Path) -> list[str]:
    """Return the names of temporary files and folders."""
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


def stopped(process: subprocess.Popen[Any], limit: float = 30.0) -> tuple[str, str]:
    """Wait for the end of a process; kill it and fail if it hangs."""
    try:
        output, errors = process.communicate(timeout=limit)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return output, errors
