"""Fixtures of the settings tests: configuration files made from strings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sen2cor.settings import Settings, load_settings
from sen2cor.settings.documents import CLASSIFICATION, CORRECTION, USER, Document

Load = Callable[..., Settings]
ARGUMENT = {USER.name: "gipp", CLASSIFICATION.name: "sc", CORRECTION.name: "ac"}
"""Argument of `load` that takes each file."""


def wrap(document: Document, path: str, content: str) -> str:
    """Return a file that holds ``content`` in the group ``path``."""
    groups = [name for name in path.split("/") if name]
    opening = "".join(f"<{name}>" for name in groups)
    closing = "".join(f"</{name}>" for name in reversed(groups))
    return f"<{document.root}>{opening}\n{content}\n{closing}</{document.root}>"


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load settings from texts; files that are not given are the packaged ones."""

    def load_texts(
        gipp: str | bytes | None = None,
        sc: str | bytes | None = None,
        ac: str | bytes | None = None,
    ) -> Settings:
        paths = []
        for document, text in ((USER, gipp), (CLASSIFICATION, sc), (CORRECTION, ac)):
            path = tmp_path / f"{document.name}.xml" if text is not None else None
            if path is not None:
                path.write_bytes(text if isinstance(text, bytes) else text.encode())
            paths.append(path)
        return load_settings(*paths, environ={})

    return load_texts
