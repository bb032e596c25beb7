"""Files of other programs in products: they decide nothing and are not lost."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.product.level2a.reader import open_level2a
from sen2cor.product.side_files import is_copy, is_side_file
from tests.command import image_digests
from tests.product.level1c_builder import build

BESIDE_IMAGES = (
    "{image}.aux.xml", "{image}.ovr", "{image}.msk", "{image}.vat.dbf", "{image}.xml", "{stem}.qmd",
    "{stem}.hdr", "{stem}.enp", "{stem}.j2w", "{stem}.gfs", "._{image}", "{image}~", ".{image}.swp",
    "{image}.bak", "{image}.part", "{image}.filepart", "{image}.tmp",
)  # fmt: skip
ANYWHERE = (
    "Thumbs.db", ".DS_Store", "desktop.ini", "._MTD_MSIL2A.xml", "._MTD_TL.xml", ".nfs0000000012",
    "MTD_TL.xml~", "MTD_MSIL2A.xml.bak",
)  # fmt: skip


def litter(product: Path) -> set[Path]:
    """Put side files into all folders and beside all images; return them."""
    made = set()
    for folder in (product, *(path for path in product.rglob("*") if path.is_dir())):
        made |= {folder / name for name in ANYWHERE}
    for image in product.rglob("*.jp2"):
        made |= {
            image.with_name(name.format(image=image.name, stem=image.stem))
            for name in BESIDE_IMAGES
        }
    for path in made:
        path.write_bytes(b"side file")
    (product / "GRANULE" / "@eaDir").mkdir(exist_ok=True)
    return made


def kept(files: set[Path]) -> set[Path]:
    """Return the files that a run has to keep: those of NFS belong to other programs."""
    return {path for path in files if not path.name.startswith(".nfs")}


@pytest.fixture
def littered(small_product: Path, finished_product: Path, tmp_path: Path) -> tuple[Path, set[Path]]:
    """Finished product with side files, beside its Level-1C product."""
    shutil.copytree(small_product, tmp_path / small_product.name)
    level2a = tmp_path / finished_product.name
    shutil.copytree(finished_product, level2a)
    return level2a, litter(level2a)


@pytest.mark.parametrize(
    "name",
    [*(name.format(image="T33UUU_B02_10m.jp2", stem="T33UUU_B02_10m") for name in BESIDE_IMAGES),
     *ANYWHERE, "GRANULE/@eaDir/T33UUU_B02_10m.jp2", "X.JP2.AUX.XML", "__MACOSX/MTD_TL.xml"],
)  # fmt: skip
def test_side_files_are_known_by_name(name: str) -> None:
    assert is_side_file(Path(name))


def test_no_file_of_a_product_is_a_side_file(
    small_product: Path, finished_product: Path, reference_data: Path
) -> None:
    roots = [small_product, finished_product, *(reference_data / "l1c_products").iterdir()]
    roots += [path for path in (reference_data / "metadata").glob("*/*.SAFE")]
    for root in roots:
        for path in root.rglob("*"):
            relative = path.relative_to(root)
            assert not is_side_file(relative) or path.name.endswith(".aux.xml"), path
            assert not is_copy(path.name), path


@pytest.mark.parametrize(
    ("name", "copy"),
    [("Copy of L1C_T33UUU", True), ("L1C_T33UUU - Copy", True), ("L1C_T33UUU - Copy (2)", True),
     ("Kopie von a.xml", True), ("a (1).jp2", True), ("L1C_T33UUU_A000001_20170616T102100", False)],
)  # fmt: skip
def test_copies_are_known_by_name(name: str, copy: bool) -> None:
    assert is_copy(name) == copy


@pytest.mark.parametrize("arguments", [(), ("--resolution", "20"), ("--sc_only",)])
def test_side_files_in_a_level2a_product_stop_no_run(
    littered: tuple[Path, set[Path]], arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    level2a, files = littered
    before = image_digests(level2a)
    assert main([*arguments, str(level2a)]) == 0
    assert "Product already processed." in capsys.readouterr().out
    assert image_digests(level2a) == before
    assert all(path.is_file() for path in files)


def test_refresh_keeps_side_files_out_of_the_manifest_and_names_the_outdated(
    littered: tuple[Path, set[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    level2a, files = littered
    hour_ago = time.time() - 3600
    for path in level2a.rglob("*"):
        os.utime(path, (hour_ago, hour_ago))
    scene = next(level2a.rglob("L2A_*_SCL_20m.jp2"))
    before = image_digests(level2a)
    assert main(["--refresh", "--sc_only", str(level2a)]) == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "side files" in line]
    assert len(warnings) == 1 and "may show the earlier pixels" in warnings[0]
    assert image_digests(level2a) == before
    assert all(path.read_bytes() == b"side file" for path in kept(files))
    manifest = (level2a / "manifest.safe").read_text()
    assert scene.name in manifest
    assert not [path.name for path in files if f"/{path.name}" in manifest]
    assert manifest.count('ID="Tile1"') == 1


def test_pictures_and_stac_ignore_side_files(
    littered: tuple[Path, set[Path]], finished_product: Path
) -> None:
    level2a, _ = littered
    (tile,), (clean,) = open_level2a(level2a).tiles, open_level2a(finished_product).tiles
    names = {key: path.name for key, path in tile.images.items()}
    assert names == {key: path.name for key, path in clean.images.items()}
    assert main(["--quicklook", "--stac", str(level2a)]) == 0
    assert (level2a.parent / f"{level2a.stem}.json").is_file()


def test_an_image_exported_beside_the_original_is_no_format(
    littered: tuple[Path, set[Path]], capsys: pytest.CaptureFixture[str]
) -> None:
    level2a, _ = littered
    image = next(level2a.rglob("L2A_*_B03_10m.jp2"))
    exported = image.with_suffix(".tif")
    exported.write_bytes(b"exported")
    assert open_level2a(level2a).tiles[0].images["B03", 10] == image
    assert main([str(level2a)]) == 0
    assert main(["--refresh", "--sc_only", str(level2a)]) == 0
    assert exported.read_bytes() == b"exported"
    assert main(["--format", "cog", "--refresh", str(level2a)]) == 4
    assert ".jp2 images" in capsys.readouterr().err


def test_a_copy_of_a_tile_in_a_level2a_product_is_no_second_tile(
    littered: tuple[Path, set[Path]],
) -> None:
    level2a, _ = littered
    (tile,) = (path for path in (level2a / "GRANULE").glob("L2A_*"))
    for name in (f"Copy of {tile.name}", f"{tile.name}_old"):
        shutil.copytree(tile, tile.with_name(name))
    assert [found.folder for found in open_level2a(level2a).tiles] == [tile]
    assert main(["--refresh", "--sc_only", str(level2a)]) == 0
    assert (level2a / "MTD_MSIL2A.xml").read_text().count("_SCL_20m</") == 1
    assert tile.with_name(f"{tile.name}_old").is_dir()


def test_links_that_lead_nowhere_are_kept(littered: tuple[Path, set[Path]]) -> None:
    level2a, _ = littered
    link = level2a / "elsewhere"
    link.symlink_to("/no/such/file")
    assert main(["--refresh", "--sc_only", str(level2a)]) == 0
    assert link.is_symlink() and link.readlink() == Path("/no/such/file")


def test_side_files_in_a_level1c_product_change_nothing(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    level1c = tmp_path / small_product.name
    shutil.copytree(small_product, level1c)
    files = litter(level1c)
    out = tmp_path / "out"
    assert main(["--sc_only", "--output_dir", str(out), str(level1c)]) == 0
    (level2a,) = out.iterdir()
    classes = {name: digest for name, digest in image_digests(finished_product).items()
               if "_SCL_" in name}  # fmt: skip
    assert classes.items() <= image_digests(level2a).items()
    assert not [path for path in level2a.rglob("*") if is_side_file(path.relative_to(level2a))]
    assert all(path.is_file() for path in files)


@pytest.mark.parametrize("name", ["Copy of {}.jp2", "{} - Copy.jp2", "{} (1).jp2", "old_{}.jp2"])
def test_a_copy_of_a_band_is_ignored(name: str, tmp_path: Path) -> None:
    root = build(tmp_path)
    for image in list(root.rglob("*_B*.jp2")):
        image.with_name(name.format(image.stem)).write_bytes(b"copy")
    bands = open_level1c(root).tiles[0].bands
    assert all(path.stem.startswith("T56JKT") and len(path.stem) == 26 for path in bands.values())


def test_an_unfinished_download_of_a_band_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = build(tmp_path)
    image = next(root.rglob("*_B05.jp2"))
    image.rename(image.with_name(f"{image.name}.filepart"))
    assert main(["--output_dir", str(tmp_path / "out"), str(root)]) == 3
    assert f"{image.name}.filepart is an unfinished download" in capsys.readouterr().err
