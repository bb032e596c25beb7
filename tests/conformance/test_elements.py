"""Each difference to the metadata of other processors is known and has a reason."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from tests.conformance.elements import Difference, compare, differences


def test_every_difference_has_a_reason(reference_data: Path) -> None:
    found = list(compare(reference_data))
    assert {model for model, _, _ in found} >= {"Sen2Cor 2.3.1", "Sen2Cor 2.4.0"}
    assert [entry for entry in found if entry[2].reason is None] == []


def test_what_is_missing_added_and_different_is_found() -> None:
    ours = etree.fromstring('<a x="1"><b>2.5</b><c>word</c><e><f/></e></a>')
    theirs = etree.fromstring('<a y="1"><b>-17</b><c>12</c><d/></a>')
    assert list(differences(ours, theirs)) == [
        Difference("missing", "/a/@y", theirs="9"),
        Difference("missing", "/a/d"),
        Difference("added", "/a/@x", ours="9"),
        Difference("different", "/a/c", "word", "9"),
        Difference("added", "/a/e"),
    ]
