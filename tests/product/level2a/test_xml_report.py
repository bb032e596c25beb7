"""The XML report of a run."""

from __future__ import annotations

import logging
import os
import resource
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from sen2cor.product.level2a.xml_report import XmlReportHandler, claim_report


def _logger(handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger("test")
    logger.addHandler(handler)
    return logger


def test_one_entry_per_record_with_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "run_report.xml"
    handler = XmlReportHandler(path)
    _logger(handler).warning("no ECMWF data in %s", "tile")
    root = etree.parse(path).getroot()
    assert root.tag == "Sen2Cor_Level-2A_Report_File"
    (check,) = root.findall("check")
    inspection = check.find("inspection")
    assert set(inspection.attrib) == {
        "execution",
        "level",
        "process",
        "module",
        "function",
        "line",
    }
    assert inspection.get("level") == "WARNING"
    assert inspection.get("process") == str(os.getpid())
    assert inspection.get("module") == Path(__file__).stem
    assert inspection.get("function") == "test_one_entry_per_record_with_its_origin"
    assert check.find("message").attrib == {"contentType": "Text"}
    assert check.findtext("message") == "no ECMWF data in tile"
    handler.close()


def test_siimpc_733_well_formed_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    handler = XmlReportHandler(path)
    logger = _logger(handler)
    assert len(etree.parse(path).getroot()) == 0
    messages = [
        "B02 < B03 & B04 > 5",
        "quote \" and '",
        "]]>",
        "bell \x07 and \x00",
        "ü \U0001f6f0",
    ]
    for count, message in enumerate(messages, start=1):
        logger.info("%s", message)
        assert len(etree.parse(path).getroot()) == count
    texts = [found.text for found in etree.parse(path).getroot().iter("message")]
    assert texts[:3] == messages[:3]
    assert texts[3] == "bell \ufffd and \ufffd"
    assert texts[4] == messages[4]
    handler.close()


@settings(max_examples=50)
@given(st.text(alphabet=st.characters()))
def test_any_text_is_readable(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("report") / "report.xml"
    handler = XmlReportHandler(path)
    _logger(handler).error("%s", text)
    handler.close()
    (message,) = etree.parse(path).getroot().iter("message")
    assert len(message.text or "") <= max(len(text), 1)


def test_an_exception_is_written_with_its_traceback(tmp_path: Path) -> None:
    handler = XmlReportHandler(tmp_path / "report.xml")
    try:
        raise ValueError("<broken>")
    except ValueError:
        _logger(handler).exception("failed")
    handler.close()
    (message,) = etree.parse(tmp_path / "report.xml").getroot().iter("message")
    assert "ValueError: <broken>" in message.text


def test_siimpc_555_two_runs_two_reports(tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=2))
    first = datetime(2017, 4, 3, 12, 50, 59, tzinfo=zone)
    names = [claim_report(tmp_path / "log", "S2A_MSIL2A_X.SAFE", first).name for _ in range(2)]
    assert names == [
        "S2A_MSIL2A_X_20170403T105059_report.xml",
        "S2A_MSIL2A_X_20170403T105100_report.xml",
    ]


def test_of_many_runs_at_once_each_has_a_report(tmp_path: Path) -> None:
    started = datetime(2017, 4, 3, tzinfo=timezone.utc)
    code = (
        "import sys; from datetime import datetime; from pathlib import Path;"
        "from sen2cor.product.level2a.xml_report import claim_report; sys.stdin.readline();"
        "[print(claim_report(Path(sys.argv[1]), 'X', datetime.fromisoformat(sys.argv[2])))"
        " for _ in range(20)]"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "log"), started.isoformat()]
    runs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    for run in runs:
        assert run.stdin is not None
        run.stdin.write("\n")
        run.stdin.flush()
    paths = [path for run in runs for path in run.communicate()[0].split()]
    assert len(paths) == len(set(paths)) == 80


def test_what_has_no_room_leaves_a_whole_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "report.xml"
    handler = XmlReportHandler(path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2000, limits[1]))
    try:
        for length in (10, 3000, 20, 3000):
            _logger(handler).info("%s", "x" * length)
            texts = [found.text for found in etree.parse(path).getroot().iter("message")]
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    handler.close()
    assert texts == ["x" * 10, "x" * 20]
    assert len(etree.fromstring(handler.document)) == 4
    assert capsys.readouterr().err.count(f"WARNING: {path}: ") == 1


def test_the_document_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    handlers = [XmlReportHandler(path), XmlReportHandler(None)]
    for handler in handlers:
        _logger(handler).info("ü")
        handler.close()
    assert handlers[0].document == path.read_bytes()
    assert etree.fromstring(handlers[1].document).findtext(".//message") == "ü"
