"""The settings that a run would use, with where each comes from."""

from __future__ import annotations

from sen2cor.inspection.screen import Screen
from sen2cor.settings import Settings
from sen2cor.settings.documents import DOCUMENTS


def show_settings(settings: Settings, screen: Screen) -> None:
    """Print files, elements with value and origin, and warnings.

    Elements whose value is not the default stand out, with the default.

    Parameters
    ----------
    settings : Settings
    screen : Screen
    """
    screen.title("Settings files")
    screen.rows((document.name, str(settings.sources[document.name])) for document in DOCUMENTS)
    entries = list(settings.values())
    for document in DOCUMENTS:
        screen.line()
        screen.title(document.name)
        rows, styles = [], []
        for parameter, value in entries:
            if parameter.document != document.name:
                continue
            differs = value != parameter.default_value
            origin = settings.find_origin(parameter, value)
            note = f"{origin} (default {parameter.default or 'empty'})" if differs else origin
            rows.append((parameter.name, parameter.kind.render(value), note))
            styles.append(("bold",) if differs else ("dim",) if origin == "default" else ())
        screen.rows(rows, styles)
    number = len(settings.differences())
    screen.line()
    screen.line(
        f"{number} of {len(entries)} differ from the default."
        if number
        else f"All {len(entries)} have their default."
    )
    for warning in settings.warnings:
        screen.line(screen.style(f"WARNING: {warning}", "yellow"))
