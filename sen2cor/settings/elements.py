"""Table of parameters: definition of the elements of the configuration files.

The fields of the settings classes (`sen2cor.settings.l2a_gipp`, `l2a_cal_sc_gipp` and
`l2a_cal_ac_gipp`) are the table: each defines type, default, range and meaning of a setting once.
Reader, messages, schemas, shipped files, list of differences and documentation follow from it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from sen2cor.settings.value_types import Kind


@dataclass(frozen=True)
class Parameter:
    """One element.

    Attributes
    ----------
    name : str
        Name of the XML element.
    kind : Kind
        How its text is read and what is allowed.
    default : str
        Default, as in the shipped file.
    meaning : str
        One line for the user, with the unit.
    document, group : str
        The file (``L2A_GIPP``, ...) and the path of the group inside it (``""``: at the top).
    since : str
        First version of Sen2Cor that has it, if later than 2.3; ``ours`` for elements that Sen2Cor
        does not have.
    aliases : tuple of str
        Names of the same element in other versions.
    changes_result : bool
        False for settings that the content of the images does not depend on.
    """

    name: str
    kind: Kind
    default: str
    meaning: str
    document: str
    group: str = ""
    since: str = ""
    aliases: tuple[str, ...] = ()
    changes_result: bool = True

    @property
    def default_value(self) -> Any:
        """The default as a value."""
        return self.kind.parse(self.default)


@dataclass(frozen=True)
class Table:
    """A group of one file, as a maker of dataclass fields."""

    document: str
    group: str = ""

    def item(
        self,
        name: str,
        kind: Kind,
        default: str,
        meaning: str,
        *,
        since: str = "",
        changes_result: bool = True,
    ) -> Any:
        """Return the dataclass field of one element; see `Parameter` for the arguments."""
        parameter = Parameter(
            name,
            kind,
            default,
            meaning,
            self.document,
            self.group,
            since,
            changes_result=changes_result,
        )
        return field(default=parameter.default_value, metadata={"parameter": parameter})


def list_parameters(cls: type) -> Iterator[tuple[str, Parameter]]:
    """Yield field name and parameter of each setting of a settings class, in order."""
    for entry in fields(cls):
        if "parameter" in entry.metadata:
            yield entry.name, entry.metadata["parameter"]
