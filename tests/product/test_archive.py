"""Zip archives: unpacked for a run, and what is refused."""

from __future__ import annotations

import shutil
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sen2cor.errors import InputError, OutputError
from sen2cor.product import archive as module
from sen2cor.product.archive import is_archive, unpack
from tests.command import hidden, product_in, run

NAME = "S2A_MSIL1C_X.SAFE"


def made(path: Path, fill: Callable[[zipfile.ZipFile], None]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{NAME}/MTD_MSIL1C.xml", "<x/>")
        fill(archive)
    return path


def link(archive: zipfile.ZipFile) -> None:
    entry = zipfile.ZipInfo(f"{NAME}/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive.writestr(entry, "/etc/passwd")


def encrypted(archive: zipfile.ZipFile) -> None:
    archive.writestr(f"{NAME}/secret", "x")
    archive.filelist[-1].flag_bits |= 1


def twice(archive: zipfile.ZipFile) -> None:
    with pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(f"{NAME}/MTD_MSIL1C.xml", "<y/>")


def entry(name: str) -> Callable[[zipfile.ZipFile], None]:
    def fill(archive: zipfile.ZipFile) -> None:
        information = zipfile.ZipInfo()
        information.filename = name  # as it is, on any system
        archive.writestr(information, "x")

    return fill


@pytest.mark.parametrize(
    ("fill", "says"),
    [
        (entry("../outside"), "points outside"),
        (entry(f"{NAME}/../../outside"), "points outside"),
        (entry("/tmp/outside"), "points outside"),
        (entry("..\\outside"), "points outside"),
        (entry(f"{NAME}\\..\\..\\outside"), "points outside"),
        (entry(f"{NAME}/a\\../../../outside"), "points outside"),
        (entry("\\outside"), "points outside"),
        (entry("\\\\host\\outside"), "points outside"),
        (entry("C:\\outside"), "points outside"),
        (entry("C:outside"), "points outside"),
        (link, "is a link"),
        (encrypted, "is encrypted"),
        (twice, "appears twice"),
        (entry(f"{NAME}\\MTD_MSIL1C.xml"), "appears twice"),
        (entry(f"{NAME}/./MTD_MSIL1C.xml"), "appears twice"),
        (entry("other.SAFE/MTD_MSIL1C.xml"), "contains 2 products"),
    ],
)
def test_what_no_product_has_is_refused(
    fill: Callable[[zipfile.ZipFile], None], says: str, tmp_path: Path
) -> None:
    place = tmp_path / "a" / "b"
    with pytest.raises(InputError, match=says), unpack(made(tmp_path / "p.zip", fill), place):
        pass
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["p.zip"]
    assert not place.exists() or list(place.iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/outside", "..\\outside", "C:outside"])
def test_names_are_in_the_archive_as_they_were_given(name: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(made(tmp_path / "p.zip", entry(name))) as archive:
        assert archive.infolist()[-1].orig_filename == name


@pytest.mark.parametrize("around", ["", "order/", "order\\"])
@pytest.mark.parametrize("separator", ["/", "\\"])
def test_one_folder_around_and_backslashes(around: str, separator: str, tmp_path: Path) -> None:
    names = ("", "MTD_MSIL1C.xml", "DATASTRIP/DS/MTD_DS.xml", "GRANULE/L1C_T/MTD_TL.xml")
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            entry(f"{around}{NAME}{separator}{name.replace('/', separator)}")(archive)
    with unpack(path, tmp_path / "out") as folder:
        assert folder.name == NAME
        found = {
            file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()
        }
        assert found == set(names[1:])
    assert hidden(tmp_path / "out") == []


def test_an_archive_in_an_archive_is_named(tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("order/S2A_MSIL1C_X.zip", b"PK")
    with (
        pytest.raises(InputError, match=r"another archive, S2A_MSIL1C_X.zip; unpack"),
        unpack(path, tmp_path / "out"),
    ):
        pass


@pytest.mark.parametrize("option", ["--work_dir", "--output_dir"])
def test_the_option_that_helps_is_named(option: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    path = made(tmp_path / "p.zip", entry(f"{NAME}/a"))
    with (
        pytest.raises(OutputError, match=option),
        unpack(path, tmp_path / "file" / "out", option),
    ):
        pass


def test_a_bomb_is_refused_before_it_goes_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EXPANSION_CHECKED_FROM", 1_000_000)
    bomb = made(tmp_path / "p.zip", lambda archive: archive.writestr("a", bytes(5_000_000)))
    with pytest.raises(InputError, match="would unpack to"), unpack(bomb, tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()


def test_a_size_that_lies_is_noticed(tmp_path: Path) -> None:
    path = made(tmp_path / "p.zip", lambda archive: archive.writestr("a", bytes(70_000)))
    content = path.read_bytes()
    path.write_bytes(content.replace((70_000).to_bytes(4, "little"), (9).to_bytes(4, "little")))
    with pytest.raises(InputError), unpack(path, tmp_path / "out"):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_an_entry_without_a_name_is_refused(tmp_path: Path) -> None:
    path = made(tmp_path / "p.zip", entry("a"))
    content = path.read_bytes()
    central = content.rindex(b"PK\1\2")
    nameless = bytearray(content)
    nameless[central + 28 : central + 30] = b"\0\0"
    nameless[central + 30 : central + 32] = b"\1\0"  # what was its name is an extra field now
    path.write_bytes(nameless)
    with pytest.raises(InputError, match="has no name"), unpack(path, tmp_path / "out"):
        pass


def test_room_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("Usage", (), {"free": 1})()
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)
    path = made(tmp_path / "p.zip", entry(f"{NAME}/a"))
    with pytest.raises(OutputError, match="--work_dir"), unpack(path, tmp_path / "out"):
        pass
    assert list((tmp_path / "out").iterdir()) == []


def test_truncated_and_empty_archives(tmp_path: Path) -> None:
    path = made(tmp_path / "p.zip", entry(f"{NAME}/a"))
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert is_archive(path)
        with pytest.raises(InputError), unpack(path, tmp_path / "out"):
            pass


def test_a_product_is_processed_out_of_its_archive(small_product: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    path = Path(
        shutil.make_archive(
            str(tmp_path / "in" / small_product.stem), "zip",
            small_product.parent, small_product.name,
        )
    )  # fmt: skip
    result = run(path, "--resolution", 60, "--work_dir", tmp_path / "work")
    assert result.returncode == 0, result.stderr
    product = product_in(tmp_path / "in")
    assert result.stdout.splitlines()[-2] == f"L2A product: {product}"
    assert hidden(tmp_path / "in") == hidden(tmp_path / "work") == []
    again = run(path, "--resolution", 60)
    assert "Product already processed." in again.stdout
