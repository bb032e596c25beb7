"""Tar archives and archives that were not fetched to their end."""

from __future__ import annotations

import io
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.errors import InputError
from sen2cor.product import archive as module
from sen2cor.product.archive import archive_stem, is_archive, unpack
from tests.command import hidden, product_in

NAME = "S2A_MSIL1C_X.SAFE"
ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")


def member(name: str, kind: bytes = tarfile.REGTYPE, **attributes: str) -> tarfile.TarInfo:
    information = tarfile.TarInfo(name)
    information.type = kind
    for key, value in attributes.items():
        setattr(information, key, value)
    return information


def made(path: Path, *members: tarfile.TarInfo, content: bytes = b"x") -> Path:
    mode = {".tar": "w", ".bz2": "w:bz2", ".xz": "w:xz"}.get(path.suffix, "w:gz")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for information in (member(f"{NAME}/MTD_MSIL1C.xml"), *members):
            if information.isreg():
                information.size = len(content)
            archive.addfile(information, io.BytesIO(content))
    return path


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("around", ["", "./", "order/"])
def test_all_compressions(ending: str, around: str, tmp_path: Path) -> None:
    path = tmp_path / f"p{ending}"
    mode = {".tar": "w", ".tar.bz2": "w:bz2", ".tar.xz": "w:xz"}.get(ending, "w:gz")
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name in ("MTD_MSIL1C.xml", "GRANULE/T/MTD_TL.xml", "GRANULE/T/._MTD_TL.xml"):
            information = member(f"{around}{NAME}/{name}")
            information.size = 3
            archive.addfile(information, io.BytesIO(b"abc"))
    assert is_archive(path) and archive_stem(path) == "p"
    with unpack(path, tmp_path / "out") as folder:
        assert folder.name == NAME
        assert (folder / "GRANULE/T/MTD_TL.xml").read_bytes() == b"abc"
        assert not list(folder.rglob("._*"))
    assert hidden(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        (member("../outside"), "points outside"),
        (member(f"{NAME}/../../outside"), "points outside"),
        (member("/tmp/outside"), "points outside"),
        (member("C:\\outside"), "points outside"),
        (member(f"{NAME}/link", tarfile.SYMTYPE, linkname="/etc/passwd"), "is a link"),
        (member(f"{NAME}/link", tarfile.LNKTYPE, linkname=f"{NAME}/MTD_MSIL1C.xml"), "is a link"),
        (member(f"{NAME}/pipe", tarfile.FIFOTYPE), "is a link or a special file"),
        (member(f"{NAME}/device", tarfile.CHRTYPE), "is a link or a special file"),
        (member(f"{NAME}/./MTD_MSIL1C.xml"), "appears twice"),
        (member("other.SAFE/MTD_MSIL1C.xml"), "contains 2 products"),
    ],
)
@pytest.mark.parametrize("ending", [".tar", ".tgz"])
def test_what_no_product_has_is_refused(
    entry: tarfile.TarInfo, says: str, ending: str, tmp_path: Path
) -> None:
    path = made(tmp_path / f"p{ending}", entry)
    with pytest.raises(InputError, match=says), unpack(path, tmp_path / "out"):
        pass
    assert [found.name for found in tmp_path.rglob("*") if found.is_file()] == [path.name]


def test_a_bomb_is_refused_before_it_goes_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_EXPANSION_CHECKED_FROM", 1_000_000)
    bomb = made(tmp_path / "p.tar.gz", member("a"), content=bytes(5_000_000))
    with pytest.raises(InputError, match="would unpack to"), unpack(bomb, tmp_path / "out"):
        pass
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_tar_archive_cut_anywhere_is_incomplete(ending: str, tmp_path: Path) -> None:
    path = made(tmp_path / f"p{ending}", member(f"{NAME}/a"), content=bytes(range(256)) * 8)
    whole = path.read_bytes()
    # the end of a tar archive is filled with zeros
    last = len(whole.rstrip(b"\0")) if ending == ".tar" else len(whole)
    for length in {*range(0, last, max(1, last // 40)), *range(0, last, 512)}:
        path.write_bytes(whole[:length])
        assert is_archive(path)
        with (
            pytest.raises(InputError, match=r"incomplete or damaged.*fetch it again"),
            unpack(path, tmp_path / "out"),
        ):
            pass
        assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


@pytest.fixture(scope="module")
def zipped(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("zip")
    stem = str(folder / small_product.stem)
    return Path(
        shutil.make_archive(stem, "zip", small_product.parent, small_product.name)
    ).read_bytes()


def cut_end(content: bytes) -> bytes:
    return content[:-30]


def cut_half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def spoil_entry(content: bytes) -> bytes:
    """Zeros in the middle, as a download leaves them that reserved the space first."""
    middle = len(content) // 2
    return content[:middle] + bytes(20_000) + content[middle + 20_000 :]


@pytest.mark.parametrize("damage", [cut_end, cut_half, spoil_entry])
@pytest.mark.parametrize("name", ["{}.zip", "{}", "{}.SAFE"])
def test_a_zip_archive_cut_while_fetching(
    damage: Callable[[bytes], bytes], name: str, zipped: bytes, small_product: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    path = tmp_path / name.format(small_product.stem)
    path.write_bytes(damage(zipped))
    assert main([str(path)]) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "Error:" in line]
    assert str(path) in line and "incomplete or damaged" in line and "fetch it again" in line
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_an_error_page_instead_of_an_archive(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "S2A.zip"
    path.write_text("<html>please log in</html>")
    assert main([str(path)]) == 3
    assert "fetch it again" in capsys.readouterr().err


@pytest.mark.parametrize("ending", ["crdownload", "part", "filepart", "partial", "download", "tmp"])
def test_an_unfinished_download_is_not_opened(
    ending: str, zipped: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"S2A.zip.{ending}"
    path.write_bytes(zipped)
    assert main([str(path)]) == 3
    line = capsys.readouterr().err
    assert path.name in line and "incomplete" in line and "fetch it again" in line
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["S2A_MSIL2A_X.SAFE/MTD_MSIL2A.xml"], "Level-2A"),
        (["S2A_OPER_PRD_MSIL1B_X.SAFE/S2A_OPER_MTD_SAFL1B_X.xml"], "Level-1B"),
        (["LC08_L1TP_193024_20170616_20170629_01_T1_MTL.txt"], "Landsat"),
        (["S3A_OL_1_EFR.SEN3/xfdumanifest.xml"], "Sentinel-3"),
        (["SENTINEL2A_20170616-102101-123_L2A_T33UUU_D/SENTINEL2A_X_MTD_ALL.xml"], "Theia"),
    ],
)
def test_archives_of_other_products_are_named(
    names: list[str], what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "other.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "<x/>")
    assert main([str(path)]) == 3
    assert what in capsys.readouterr().err
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("top", ["product", "files"])
def test_a_product_is_processed_out_of_a_tar_archive(
    top: str, small_product: Path, tmp_path: Path
) -> None:
    """The name of the archive is that of the product if there is no folder in it."""
    path = tmp_path / f"{small_product.stem}_mine.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        archive.add(small_product, small_product.name if top == "product" else ".")
    for _ in range(2):
        assert main(["--cr_only", str(path)]) == 0
    expected = small_product.stem.replace("MSIL1C", "MSIL2A")
    addition = "" if top == "product" else "_mine"
    assert product_in(tmp_path).name == f"{expected}{addition}.SAFE"
    assert hidden(tmp_path) == []


def test_an_archive_of_a_mac_holds_one_product(small_product: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{NAME}/MTD_MSIL1C.xml", "<x/>")
        archive.writestr(f"__MACOSX/{NAME}/._MTD_MSIL1C.xml", "fork")
        archive.writestr("__MACOSX/MTD_MSIL1C.xml", "fork")
    with unpack(path, tmp_path / "out") as folder:
        assert [found.name for found in folder.parent.iterdir()] == [NAME]
