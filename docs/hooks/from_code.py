"""Insert text from the code into the pages, so that they stay up to date.

A line of a page that is ``<!-- options -->`` becomes the options of the command, and so on for the
names in `SOURCES`. ``<!-- docstring sen2cor.atmosphere.inversion -->`` becomes the docstring of a
module; ``sen2cor.classification.clouds:filter_cloud_patches`` that of one of its functions or
classes. ``<!-- attributes MODULE:CLASS -->`` becomes the table of the attributes of a class.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

from sen2cor import arguments, errors
from sen2cor.settings.documents import DOCUMENTS
from sen2cor.settings.shipped_files import parameter_tables
from sen2cor.simulation import cli as simulation_cli

ROOT = Path(__file__).resolve().parents[2]

_DIRECTIVE = re.compile(r"^<!-- (\w+)(?: ([\w.:]+))? -->$", re.MULTILINE)
_TARGET = re.compile(r"^([\w-]+):.*?## (.*)$", re.MULTILINE)


def on_page_markdown(markdown: str, **_: object) -> str:
    """Replace the directives of a page; called by MkDocs."""
    return _DIRECTIVE.sub(lambda match: SOURCES[match[1]](*filter(None, [match[2]])), markdown)


def options(command: str = "L2A_Process") -> str:
    """Options of a command as a table."""
    parser = {"L2A_Process": arguments.build_parser, "L2A_Simulate": simulation_cli.parser}[
        command
    ]()
    rows = (
        (", ".join(f"`{name}`" for name in _names(action)), action.help or "")
        for action in parser._actions
        if action.help != argparse.SUPPRESS
    )
    return _table(("option", "meaning"), rows)


def _names(action: argparse.Action) -> Iterator[str]:
    for name in action.option_strings or (action.dest,):
        value = action.metavar
        if action.choices:
            value = "{" + ",".join(map(str, action.choices)) + "}"
        yield f"{name} {value}" if value and action.option_strings else name


def refused_options() -> str:
    """Options of other versions with the advice that the command gives."""
    return _table(
        ("option", "advice"), ((f"`{a}`", b) for a, b in arguments.OTHER_VERSIONS.items())
    )


def exit_codes() -> str:
    """Exit codes with their error classes."""
    rows = [("0", "", "Success, or nothing to do.")]
    rows += [
        (str(kind.exit_code), f"`{kind.__name__}`", (kind.__doc__ or "").splitlines()[0])
        for kind in errors.error_classes()
    ]
    rows += [("129, 130, 143", "", "Hung up (SIGHUP), interrupted (SIGINT), terminated (SIGTERM).")]
    return _table(("code", "error", "meaning"), rows)


def settings() -> str:
    """All elements of the configuration files."""
    return parameter_tables()


def foreign_settings() -> str:
    """Elements of other versions that are translated, and elements without effect."""
    rows = []
    for document in DOCUMENTS:
        rows += [(document.name, f"`{one.name}`", one.meaning) for one in document.legacy]
        rows += [
            (document.name, f"`{one.name}`", f"no effect: {one.reason}") for one in document.unused
        ]
    return _table(("file", "element", "meaning"), rows)


def make_targets() -> str:
    """Targets of the Makefile."""
    found = _TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8"))
    return _table(("target", "action"), ((f"`make {name}`", text) for name, text in found))


def changelog() -> str:
    """The changelog, without its title."""
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    return text.partition("\n")[2].replace("(docs/", "(")


def docstring(name: str) -> str:
    """Docstring of ``module`` or ``module:object`` as Markdown, with its file.

    Of a function or class, the part before its first section (Parameters, Attributes, ...).
    """
    path, text = _read_docstring(name)
    text = re.sub(r"\n+\w+\n-{3,}\n.*", "", text, flags=re.DOTALL)
    text = re.sub(r"``([^`]+)``", r"`\1`", text)
    text = re.sub(r"::$", ":", text, flags=re.MULTILINE)
    return f"{text}\n\n*File: `{path}`*"


def attributes(name: str) -> str:
    """Attributes of the class ``module:object`` as a table."""
    _, text = _read_docstring(name)
    section = re.search(r"^Attributes\n-+\n(.*?)(?=^\w+\n-{3,}|\Z)", text, re.DOTALL | re.MULTILINE)
    if section is None:
        raise ValueError(f"{name} documents no attributes")
    entries = re.findall(r"^(\w[\w, ]*) : .*\n((?:    .*\n?)+)", section[1], re.MULTILINE)
    return _table(("name", "meaning"), ((f"`{one}`", " ".join(it.split())) for one, it in entries))


def _read_docstring(name: str) -> tuple[str, str]:
    """Path of the file and docstring of ``module`` or ``module:object``."""
    module, _, member = name.partition(":")
    spec = find_spec(module)
    if spec is None or spec.origin is None:
        raise ValueError(f"no module {module}")
    node: ast.Module | ast.FunctionDef | ast.ClassDef
    node = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    if member:
        members = {
            child.name: child
            for child in node.body
            if isinstance(child, ast.FunctionDef | ast.ClassDef)
        }
        if member not in members:
            raise ValueError(f"no function or class {member} in {module}")
        node = members[member]
    return Path(spec.origin).relative_to(ROOT).as_posix(), ast.get_docstring(node) or ""


SOURCES: dict[str, Callable[..., str]] = {
    source.__name__: source
    for source in (
        options,
        refused_options,
        exit_codes,
        settings,
        foreign_settings,
        make_targets,
        changelog,
        docstring,
        attributes,
    )
}


def _table(head: tuple[str, ...], rows: object) -> str:
    lines = [head, ("---",) * len(head), *rows]  # type: ignore[misc]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |" for cells in lines
    )
