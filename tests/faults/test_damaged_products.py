"""Downloads that were damaged: the manifest finds them, before any pixel is written."""

from __future__ import annotations

import os
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sen2cor import process
from sen2cor.cli import main
from sen2cor.errors import InputError
from tests.refreshed_manifest import refresh_manifest
from tests.small_product import write_small_product, write_tiles

pytestmark = pytest.mark.many_cases

EXTENT = 720
Damage = Callable[[Path], None]


def find(product: Path, pattern: str) -> Path:
    return sorted(product.glob(pattern))[0]


def in_band(name: str, change: Callable[[bytes], bytes]) -> Damage:
    return in_file(f"GRANULE/*/IMG_DATA/*_{name}.jp2", change)


def in_file(pattern: str, change: Callable[[bytes], bytes]) -> Damage:
    def damage(product: Path) -> None:
        path = find(product, pattern)
        path.write_bytes(change(path.read_bytes()))

    return damage


def flip(fraction: float) -> Callable[[bytes], bytes]:
    """Flip one bit somewhere."""

    def change(content: bytes) -> bytes:
        at = int(fraction * len(content))
        return content[:at] + bytes([content[at] ^ 4]) + content[at + 1 :]

    return change


def hole(fraction: float, length: int) -> Callable[[bytes], bytes]:
    """Zeros, as a download leaves whose parts were not all fetched."""

    def change(content: bytes) -> bytes:
        at = int(fraction * len(content))
        return content[:at] + bytes(min(length, len(content) - at)) + content[at + length :]

    return change


def swap(first: str, second: str) -> Damage:
    def damage(product: Path) -> None:
        one, other = (find(product, f"GRANULE/*/IMG_DATA/*_{b}.jp2") for b in (first, second))
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)

    return damage


PAGE = b"<!DOCTYPE html>\n<html><body>503 Service Unavailable</body></html>"

CASES: dict[str, tuple[Damage, str]] = {
    "flipped bit": (in_band("B03", flip(0.6)), "B03"),
    "flipped bit at 10 m only": (in_band("B08", flip(0.5)), "B08"),
    "flipped bit of cirrus": (in_band("B10", flip(0.7)), "B10"),
    "flipped bit in the georeference": (in_band("B01", flip(0.01)), "B01"),
    "hole of 4 KiB": (in_band("B02", hole(0.5, 4096)), "B02"),
    "hole of 64 KiB": (in_band("B8A", hole(0.4, 65536)), "B8A"),
    "second half zeros": (in_band("B04", hole(0.5, 1 << 30)), "B04"),
    "two images swapped": (swap("B02", "B03"), "B0[23]"),
    "two images of 60 m swapped": (swap("B09", "B01"), "B0[19]"),
    "truncated": (in_band("B05", lambda c: c[:-700]), "B05"),
    "empty": (in_band("B06", lambda c: b""), "B06"),
    "HTML": (in_band("B07", lambda c: PAGE), "B07"),
    "bytes behind the image": (in_band("B11", lambda c: c + bytes(9)), "B11"),
    "product metadata": (in_file("MTD_MSIL1C.xml", lambda c: c + b" "), r"MTD_MSIL1C\.xml"),
    "tile metadata": (in_file("GRANULE/*/MTD_TL.xml", lambda c: c.replace(b"3", b"4")), "MTD_TL"),
    "datastrip metadata": (in_file("DATASTRIP/*/MTD_DS.xml", lambda c: c + b"\n"), "MTD_DS"),
    "INSPIRE": (in_file("INSPIRE.xml", flip(0.5)), "INSPIRE"),
    "mask": (in_file("GRANULE/*/QI_DATA/MSK_SATURA_B02.gml", lambda c: c + b"\n"), "MSK_SATURA"),
    "empty mask": (in_file("GRANULE/*/QI_DATA/MSK_CLOUDS_B00.gml", lambda c: b""), "MSK_CLOUDS"),
    "manifest": (in_file("manifest.safe", lambda c: c[: len(c) // 2]), "manifest"),
    "empty manifest": (in_file("manifest.safe", lambda c: b""), "manifest"),
}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Small product; not to be changed."""
    return write_small_product(tmp_path_factory.mktemp("source"), extent=EXTENT)


@pytest.fixture
def product(source: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(source, tmp_path / "in" / source.name))


@pytest.mark.parametrize("name", CASES)
def test_damage_is_an_error_and_leaves_nothing(
    product: Path, tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    damage, says = CASES[name]
    damage(product)
    out = tmp_path / "out"
    assert main(["--output_dir", str(out), str(product)]) == 3
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "Error:" in line]
    assert re.search(says, line) and "again" in line
    # what the structure of an image shows is no matter of opinion
    assert ("--no-checksums" in line) == ("not a readable image" not in line)
    assert not out.exists() or list(out.iterdir()) == []

    assert main(["--check", str(product)]) == 3
    printed = capsys.readouterr()
    (line,) = printed.err.splitlines()
    assert re.search(says, line) and product.name in line and not printed.out


@pytest.mark.parametrize("psd", ["14.2", "15"])
def test_damaged_raster_or_polygon_mask_and_grib_of_each_format(
    tmp_path: Path, psd: str, capsys: pytest.CaptureFixture[str]
) -> None:
    product = write_small_product(tmp_path / "in", psd, EXTENT)
    mask = find(product, "GRANULE/*/QI_DATA/MSK_*")
    intact = mask.read_bytes()
    mask.write_bytes(flip(0.9)(intact))
    arguments = ["--resolution", "60", "--output_dir", str(tmp_path / "out"), str(product)]
    assert main(arguments) == 3
    assert mask.name in capsys.readouterr().err
    mask.write_bytes(intact)
    assert main(arguments) == 0


def test_one_damaged_tile_of_two_does_not_stop_the_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    product = write_tiles(tmp_path / "in", ("33UUU", "33UVU"), EXTENT)
    in_file("GRANULE/*_T33UVU_*/IMG_DATA/*_B03.jp2", flip(0.5))(product)
    out = tmp_path / "out"
    assert main(["--resolution", "60", "--output_dir", str(out), str(product)]) == 1
    assert "band B03" in capsys.readouterr().err
    (made,) = out.glob("*.SAFE")
    assert [folder.name[-13:-7] for folder in made.glob("GRANULE/*")] == ["T33UUU"]


def test_no_checksums_accepts_what_was_changed_on_purpose(
    product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_file("GRANULE/*/MTD_TL.xml", lambda c: c + b"<!-- mine -->")(product)
    in_file("INSPIRE.xml", lambda c: c + b"\n")(product)
    out = tmp_path / "out"
    arguments = ["--resolution", "60", "--output_dir", str(out), str(product)]
    assert main(["--no-checksums", *arguments]) == 0
    shutil.rmtree(out)
    with pytest.raises(InputError, match="checksums=False"):
        process(product, resolution=60, output_directory=out)
    made = process(product, resolution=60, output_directory=out, checksums=False).product
    assert main(["--check", str(made)]) == 0


def test_without_manifest_a_note_and_no_error(
    product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (product / "manifest.safe").unlink()
    assert main(["--resolution", "60", "--output_dir", str(tmp_path / "out"), str(product)]) == 0
    assert "no manifest.safe" in capsys.readouterr().err
    assert main(["--check", str(product)]) == 0
    assert "no manifest.safe" in capsys.readouterr().out


def test_manifest_without_some_checksums_is_noted(
    product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    in_file("manifest.safe", lambda c: re.sub(rb"<checksum.*?</checksum>", b"", c))(product)
    assert main(["--resolution", "60", "--output_dir", str(tmp_path / "out"), str(product)]) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "checksum" in line]
    assert len(warnings) == 1 and "missing" in warnings[0]


@pytest.fixture(scope="module")
def made(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Level-2A product of 20 m; not to be changed."""
    out = tmp_path_factory.mktemp("made")
    assert main(["--resolution", "20", "--output_dir", str(out), str(source)]) == 0
    (product,) = out.glob("*.SAFE")
    return product


class TestLevel2A:
    """A damaged Level-2A product must not get right checksums by another run."""

    @pytest.fixture
    def level2a(self, made: Path, tmp_path: Path) -> Path:
        return Path(shutil.copytree(made, tmp_path / made.name))

    def test_check_accepts_and_finds_damage(
        self, level2a: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = sorted(path.stat().st_mtime_ns for path in level2a.rglob("*"))
        assert main(["--check", str(level2a)]) == 0
        assert "intact" in capsys.readouterr().out
        assert sorted(path.stat().st_mtime_ns for path in level2a.rglob("*")) == before
        find(level2a, "GRANULE/*/IMG_DATA/R20m/*_B05_20m.jp2").unlink()
        assert main(["--check", str(level2a)]) == 3
        assert "B05_20m.jp2 is missing" in capsys.readouterr().err

    @pytest.mark.parametrize("linked", [True, False])
    def test_resolution_added_to_damaged_images(
        self, source: Path, level2a: Path, linked: bool, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        if not linked:
            monkeypatch.setattr(os, "link", _no_link)
        in_file("GRANULE/*/IMG_DATA/R20m/*_B11_20m.jp2", flip(0.5))(level2a)
        before = sorted(path.name for path in level2a.rglob("*"))
        arguments = ["--output_dir", str(level2a.parent), str(source), "--resolution"]
        assert main([*arguments, "60"]) == 3
        assert "B11_20m" in capsys.readouterr().err
        assert sorted(path.name for path in level2a.rglob("*")) == before
        assert main([*arguments, "20", "--refresh"]) == 0
        assert main(["--check", str(level2a)]) == 0

    def test_classes_of_an_earlier_run(
        self, source: Path, level2a: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        in_file("GRANULE/*/IMG_DATA/R20m/*_SCL_20m.jp2", flip(0.7))(level2a)
        arguments = ["--output_dir", str(level2a.parent), str(source), "--resolution", "10"]
        assert main(arguments) == 3
        line = capsys.readouterr().err
        assert "SCL_20m" in line and "--refresh" in line

    def test_cog(self, source: Path, tmp_path: Path) -> None:
        arguments = ["--format", "cog", "--resolution", "60", "--output_dir", str(tmp_path)]
        assert main([*arguments, str(source)]) == 0
        (product,) = tmp_path.glob("*.SAFE")
        assert main(["--check", str(product)]) == 0
        in_file("GRANULE/*/IMG_DATA/R60m/*_B02_60m.tif", flip(0.5))(product)
        assert main(["--check", str(product)]) == 3


def _no_link(*_: object) -> None:
    raise OSError("no links here")


class TestArchives:
    """Zip archives: checked without unpacking, and when they are processed."""

    @pytest.fixture
    def archive(self, product: Path) -> Path:
        return Path(shutil.make_archive(str(product.parent / "p"), "zip", product.parent))

    @pytest.mark.parametrize("form", ["tar", "gztar"])
    def test_tar(self, product: Path, form: str, capsys: pytest.CaptureFixture[str]) -> None:
        name = str(product.parent / "p")
        assert main(["--check", shutil.make_archive(name, form, product.parent)]) == 0
        assert "intact" in capsys.readouterr().out
        in_band("B04", hole(0.5, 4096))(product)
        assert main(["--check", shutil.make_archive(name, form, product.parent)]) == 3
        assert "B04" in capsys.readouterr().err

    def test_intact(self, archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
        before = sorted(archive.parent.rglob("*"))
        assert main(["--check", str(archive)]) == 0
        assert "intact" in capsys.readouterr().out
        assert sorted(archive.parent.rglob("*")) == before

    @pytest.mark.parametrize("keep", [0.3, 0.98])
    def test_truncated(
        self, archive: Path, tmp_path: Path, keep: float, capsys: pytest.CaptureFixture[str]
    ) -> None:
        content = archive.read_bytes()
        archive.write_bytes(content[: int(keep * len(content))])
        out = tmp_path / "out"
        for arguments in (["--check"], ["--output_dir", str(out)]):
            assert main([*arguments, str(archive)]) == 3
            assert "p.zip" in capsys.readouterr().err
        assert not out.exists() or list(out.iterdir()) == []

    @pytest.mark.parametrize("damage", [hole(0, 4096), flip(0.5), hole(0.5, 1 << 30)])
    def test_damaged_member(
        self, archive: Path, tmp_path: Path, damage: Callable[[bytes], bytes],
        capsys: pytest.CaptureFixture[str],
    ) -> None:  # fmt: skip
        with zipfile.ZipFile(archive) as opened:
            entry = next(e for e in opened.infolist() if e.filename.endswith("_B03.jp2"))
        content = archive.read_bytes()
        start = entry.header_offset + 30 + len(entry.filename)
        end = start + entry.compress_size
        archive.write_bytes(content[:start] + damage(content[start:end]) + content[end:])
        out = tmp_path / "out"
        for arguments in (["--check"], ["--output_dir", str(out)]):
            assert main([*arguments, str(archive)]) == 3
            assert "B03" in capsys.readouterr().err
        assert not out.exists() or list(out.iterdir()) == []

    def test_image_damaged_before_it_was_packed(
        self, product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        in_band("B12", flip(0.5))(product)
        archive = shutil.make_archive(str(tmp_path / "p"), "zip", product.parent)
        for arguments in (["--check"], ["--output_dir", str(tmp_path / "out")]):
            assert main([*arguments, archive]) == 3
            assert "B12" in capsys.readouterr().err


class TestCheck:
    """``--check``: one line a product, exit code 0 or 3."""

    def test_several_products(
        self, source: Path, product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        find(product, "GRANULE/*/IMG_DATA/*_B02.jp2").unlink()
        refresh_manifest(product)
        absent = tmp_path / "none.SAFE"
        assert main(["--check", str(product), str(absent), str(source)]) == 3
        printed = capsys.readouterr()
        assert len(printed.out.splitlines()) == 1 and "intact" in printed.out
        first, second = printed.err.splitlines()
        assert "no image of B02" in first and "none.SAFE" in second

    def test_truncated_image_without_manifest(
        self, product: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (product / "manifest.safe").unlink()
        in_band("B03", lambda c: c[: len(c) // 2])(product)
        in_file("GRANULE/*/MTD_TL.xml", lambda c: c[: len(c) // 2])(product)
        assert main(["--check", str(product)]) == 3
        line = capsys.readouterr().err
        assert "_B03.jp2 is damaged" in line and re.search("MTD_TL.xml .*not well-formed", line)

    def test_many_problems_are_one_line(
        self, product: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for path in product.glob("GRANULE/*/QI_DATA/*.gml"):
            path.write_bytes(b"")
        assert main(["--check", "--quiet", str(product)]) == 3
        (line,) = capsys.readouterr().err.splitlines()
        assert "more" in line and len(line) < 2000

    def test_folder_that_is_no_product(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["--check", str(tmp_path)]) == 3
        assert "not a product" in capsys.readouterr().err


def test_real_products_with_decimated_images(
    reference_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their images were made smaller: the manifest says so, and --no-checksums accepts it."""
    (product,) = reference_data.glob("l1c_products/*_T55JEJ_*.SAFE")
    arguments = ["--resolution", "60", "--output_dir", str(tmp_path), str(product)]
    assert main(arguments) == 3
    line = capsys.readouterr().err
    assert "image of band B01" in line and "--no-checksums" in line
    assert main(["--check", str(product)]) == 3
    assert "and 9 more" in capsys.readouterr().err  # the 13 bands and the true colour image
    assert main(["--no-checksums", *arguments]) == 0
