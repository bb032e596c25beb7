"""Folders in GRANULE: those that the product metadata name are processed, others ignored."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.errors import InputError
from sen2cor.product.level1c.reader import open_level1c
from tests.command import image_digests
from tests.product.level1c_builder import Recipe, build

PSD_13 = Recipe(namespace="psd-13", baseline="02.04", tiles=("53HLA", "53HMA"))


def add_empty(folder: Path) -> Path:
    other = folder.with_name(f"{folder.name}_null")
    other.mkdir()
    return other


def add_empty_subfolders(folder: Path) -> Path:
    other = folder.with_name("L1C_T56JKT_A999999_20170719T000218")
    (other / "IMG_DATA").mkdir(parents=True)
    return other


def add_copy(folder: Path) -> Path:
    return Path(shutil.copytree(folder, folder.with_name(f"Copy of {folder.name}")))


def add_suffixed_copy(folder: Path) -> Path:
    return Path(shutil.copytree(folder, folder.with_name(f"{folder.name} (2)")))


def add_broken_copy(folder: Path) -> Path:
    other = add_copy(folder)
    next(other.rglob("*_B04.jp2")).write_bytes(b"")
    return other


def add_side_folder(folder: Path) -> Path:
    other = folder.with_name("exports")
    other.mkdir()
    (other / "notes.txt").write_text("mine")
    return other


def add_other_tile(folder: Path) -> Path:
    other = add_copy(folder).rename(folder.with_name("L1C_T56JLT_A001915_20170719T000218"))
    for metadata in other.glob("*.xml"):
        metadata.write_text(metadata.read_text().replace("T56JKT", "T56JLT"))
    return other


ADDITIONS = (
    add_empty, add_empty_subfolders, add_copy, add_suffixed_copy, add_broken_copy, add_side_folder,
    add_other_tile,
)  # fmt: skip


@pytest.mark.parametrize("recipe", [Recipe(), PSD_13], ids=["14", "13"])
@pytest.mark.parametrize("add", ADDITIONS)
def test_a_folder_that_the_metadata_do_not_name_is_ignored(
    recipe: Recipe, add: type, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = build(tmp_path, recipe)
    named = sorted((root / "GRANULE").iterdir())
    other = add(named[0])
    product = open_level1c(root)
    assert sorted(tile.folder for tile in product.tiles) == named
    assert not product.unusable
    messages = [text for text in caplog.messages if "do not name are ignored" in text]
    assert len(messages) == 1 and other.name in messages[0]


def test_hidden_and_side_folders_are_not_even_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    root = build(tmp_path)
    for name in ("@eaDir", "__MACOSX", ".ipynb_checkpoints"):
        (root / "GRANULE" / name).mkdir()
    assert len(open_level1c(root).tiles) == 1
    assert not [text for text in caplog.messages if "ignored" in text]


def test_the_paths_of_the_images_name_the_folder(tmp_path: Path) -> None:
    """Its name need not agree with the identifier."""

    def list_image(text: str) -> str:
        image = "<IMAGE_FILE>GRANULE/L1C_other_name/IMG_DATA/T56JKT_B01</IMAGE_FILE>"
        return text.replace('imageFormat="JPEG2000"/>', f'imageFormat="JPEG2000">{image}</Granule>')

    root = build(tmp_path, change_product=list_image)
    (folder,) = (root / "GRANULE").iterdir()
    named = Path(shutil.copytree(folder, folder.with_name("L1C_other_name")))
    assert [tile.folder for tile in open_level1c(root).tiles] == [named]


def test_a_renamed_folder_is_known_by_its_tile_metadata(tmp_path: Path) -> None:
    root = build(tmp_path, PSD_13)
    first, second = sorted((root / "GRANULE").iterdir())
    renamed = first.rename(first.with_name("my tile"))
    add_empty(second)
    assert {tile.folder for tile in open_level1c(root).tiles} == {renamed, second}


def test_a_named_folder_that_is_broken_is_still_an_error(tmp_path: Path) -> None:
    root = build(tmp_path)
    (folder,) = (root / "GRANULE").iterdir()
    add_copy(folder)
    next(folder.rglob("*_B04.jp2")).unlink()
    with pytest.raises(InputError, match="B04"):
        open_level1c(root)


def test_a_tile_folder_that_is_given_is_opened_named_or_not(tmp_path: Path) -> None:
    root = build(tmp_path)
    (folder,) = (root / "GRANULE").iterdir()
    copy = add_suffixed_copy(folder)
    assert [tile.folder for tile in open_level1c(copy).tiles] == [copy]


def test_a_copy_of_the_datastrip_is_not_taken(small_product: Path, tmp_path: Path) -> None:
    root = tmp_path / small_product.name
    shutil.copytree(small_product, root)
    (datastrip,) = (root / "DATASTRIP").iterdir()
    shutil.copytree(datastrip, datastrip.with_name(f"Copy of {datastrip.name}"))
    assert [found.folder for found in open_level1c(root).datastrips] == [datastrip]


def test_a_run_beside_an_empty_tile_folder_succeeds(
    small_product: Path, finished_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = tmp_path / small_product.name
    shutil.copytree(small_product, root)
    (folder,) = (root / "GRANULE").iterdir()
    other = add_empty(folder)
    assert main([str(root)]) == 0
    assert f"ignored: {other.name}" in capsys.readouterr().err
    (level2a,) = tmp_path.glob("*MSIL2A*")
    assert image_digests(level2a) == image_digests(finished_product)
    assert main([str(root)]) == 0


def test_real_product_with_an_empty_tile_folder(reference_data: Path, tmp_path: Path) -> None:
    source = next((reference_data / "l1c_products").glob("S2A_*_T56JMM_*"))
    root = tmp_path / source.name
    shutil.copytree(source, root)
    named = next((root / "GRANULE").glob("L1C_*_20180629T000241"))
    named.with_name("L1C_T56JMM_A015757_null").mkdir(exist_ok=True)
    product = open_level1c(root, checksums=False)
    assert [tile.folder for tile in product.tiles] == [named]
    assert not product.unusable
