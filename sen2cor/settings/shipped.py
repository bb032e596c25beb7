"""What ships, made from the table: configuration files, schemas, and the manual's table.

``python -m sen2cor.settings.shipped cfg`` writes the files of the source tree anew after a change
of the table; a test holds them equal.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from sen2cor.settings.documents import DOCUMENTS, Document
from sen2cor.settings.psd_schemes import DEFAULT_SCHEMES
from sen2cor.settings.schema import render_schema
from sen2cor.settings.writer import render_document


def shipped_files() -> dict[str, bytes]:
    """Return the contents of the shipped configuration folder by file name."""
    files = {}
    for document in DOCUMENTS:
        files[f"{document.name}.xml"] = render_document(document, {}, DEFAULT_SCHEMES)
        files[f"{document.name}.xsd"] = render_schema(document)
    return files


def parameter_tables() -> str:
    """Return all elements as Markdown tables, one for each file."""
    return "\n".join(line for document in DOCUMENTS for line in _table(document))


def _table(document: Document) -> Iterator[str]:
    yield from (f"## {document.name}.xml", "", f"{document.title}.", "")
    for group, parameters in groupby(document.parameters, lambda entry: entry.group):
        yield from (f"### {group}", "")
        yield from ("| element | allowed | default | meaning | from |", "|---|---|---|---|---|")
        for parameter in parameters:
            cells = (
                f"**{parameter.name}**",
                parameter.kind.allowed,
                parameter.default,
                parameter.meaning,
                {"ours": "own"}.get(parameter.since, parameter.since),
            )
            yield f"| {' | '.join(cells)} |"
        yield ""


if __name__ == "__main__":
    for file_name, content in shipped_files().items():
        Path(sys.argv[1], file_name).write_bytes(content)
