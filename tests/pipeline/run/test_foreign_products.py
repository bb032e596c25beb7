"""Level-2A products of other processors, and other folders, are not written into."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from sen2cor.cli import main
from sen2cor.product.level2a.origin import is_foreign

FAST = ("--sc_only", "--resolution", "60")


def digests(folder: Path) -> dict[str, str]:
    """Return a digest of each file."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def remove_records(level2a: Path) -> None:
    for path in level2a.glob("*_202*_r*"):
        path.unlink()


def remove_parameters(level2a: Path) -> None:
    for path in level2a.rglob("GIP_TL.xml"):
        path.unlink()


def make_foreign(level2a: Path) -> Path:
    """Turn a product of this processor into one of another."""
    remove_records(level2a)
    remove_parameters(level2a)
    metadata = level2a / "MTD_MSIL2A.xml"
    text = metadata.read_text()
    assert text.count('version="0.1.0"') == 1
    metadata.write_text(text.replace('version="0.1.0"', 'version="2.4.0"'))
    return level2a


@pytest.fixture
def level2a(small_product: Path, finished_product: Path, tmp_path: Path) -> Path:
    """Finished product beside its Level-1C product."""
    shutil.copytree(small_product, tmp_path / "in" / small_product.name)
    return Path(shutil.copytree(finished_product, tmp_path / "in" / finished_product.name))


@pytest.fixture
def foreign(level2a: Path) -> Path:
    return make_foreign(level2a)


def as_level1c(level2a: Path) -> Path:
    return next(level2a.parent.glob("*MSIL1C*"))


def as_tile_folder(level2a: Path) -> Path:
    return next(as_level1c(level2a).glob("GRANULE/*"))


@pytest.mark.parametrize("given", [Path, as_level1c, as_tile_folder])
def test_refresh_of_a_foreign_product_is_refused(
    given: Callable[[Path], Path], foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(foreign)
    assert main(["--refresh", *FAST, str(given(foreign))]) == 6
    (line,) = [line for line in capsys.readouterr().err.splitlines() if "Error:" in line]
    for words in (str(foreign), "another processor", "--output_dir"):
        assert words in line
    assert digests(foreign) == before
    assert len(list(foreign.parent.iterdir())) == 2


@pytest.mark.parametrize("arguments", [("--resolution", "60"), (), ("--cr_only", "--refresh")])
def test_a_foreign_product_is_not_completed(foreign: Path, arguments: tuple[str, ...]) -> None:
    shutil.rmtree(next(foreign.rglob("R60m")))
    before = digests(foreign)
    assert main([*arguments, str(foreign)]) == 6
    assert digests(foreign) == before


def test_a_foreign_product_in_another_format_is_not_to_be_removed(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(foreign)
    assert main(["--format", "cog", str(foreign)]) == 6
    assert "remove it" not in capsys.readouterr().err
    assert digests(foreign) == before


def test_a_complete_foreign_product_needs_nothing(
    foreign: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(foreign)
    assert main(["--quicklook", str(foreign)]) == 0
    printed = capsys.readouterr()
    assert "Product already processed." in printed.out
    assert "of another processor" in printed.err
    assert digests(foreign) == before
    assert list(foreign.parent.glob("*.png"))


def test_output_dir_says_where_else_to_write(foreign: Path, tmp_path: Path) -> None:
    before = digests(foreign)
    out = tmp_path / "out"
    assert main(["--refresh", *FAST, "--output_dir", str(out), str(foreign)]) == 0
    assert [path.name for path in out.iterdir()] == [foreign.name]
    assert digests(foreign) == before
    assert main(["--refresh", *FAST, "--output_dir", str(foreign.parent), str(foreign)]) == 6
    assert digests(foreign) == before


@pytest.mark.parametrize("damage", [remove_records, remove_parameters, lambda path: None])
def test_a_product_of_this_processor_is_known_by_records_parameters_or_metadata(
    damage: Callable[[Path], None], level2a: Path
) -> None:
    damage(level2a)
    assert not is_foreign(level2a)
    (level2a / "MTD_MSIL2A.xml").write_text("<broken")
    if damage is not remove_records:
        remove_parameters(level2a)
    assert not is_foreign(level2a)
    remove_records(level2a)
    remove_parameters(level2a)
    assert is_foreign(level2a)


def test_a_product_of_an_earlier_version_is_completed(level2a: Path) -> None:
    """Its metadata tell; its records need not be there."""
    remove_records(level2a)
    remove_parameters(level2a)
    shutil.rmtree(next(level2a.rglob("R60m")))
    assert main([*FAST, str(level2a)]) == 0
    assert list(level2a.rglob("*_SCL_60m.jp2"))


@pytest.mark.parametrize("psd", ["13.1", "14.5", "15"])
def test_products_of_all_formats_are_known(psd: str, tmp_path: Path) -> None:
    from tests.small_product import write_small_product

    assert main(["--cr_only", str(write_small_product(tmp_path, psd, 1200))]) == 0
    (product,) = tmp_path.glob("*MSIL2A*")
    assert not is_foreign(product)
    for path in (*product.glob("*_202[6-9]*_r*"), *product.glob("GRANULE/*/AUX_DATA/*GIP_*")):
        path.unlink()
    assert not is_foreign(product)


def test_products_of_the_ground_segment_are_foreign(reference_data: Path) -> None:
    products = [path.parent for path in (reference_data / "metadata").rglob("MTD_MSIL2A.xml")]
    assert len(products) >= 4
    assert all(is_foreign(product) for product in products)


def test_a_folder_with_the_name_of_the_product_is_not_overwritten(
    small_product: Path, finished_product: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out" / finished_product.name
    out.mkdir(parents=True)
    arguments = [*FAST, "--output_dir", str(out.parent), str(small_product)]
    (out / "notes.txt").write_text("mine")
    assert main(arguments) == 6
    assert "nothing in it says" in capsys.readouterr().err
    assert digests(out).keys() == {"notes.txt"}
    assert main(["--cr_only", *arguments[3:]]) == 6
    assert digests(out).keys() == {"notes.txt"}
    (out / "notes.txt").rename(out / ".DS_Store")
    assert main(arguments) == 0
    assert list(out.rglob("*_SCL_60m.jp2"))


def test_a_file_with_the_name_of_the_product_is_not_lost(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    path = tmp_path / finished_product.name
    path.write_text("mine")
    assert main([*FAST, "--output_dir", str(tmp_path), str(small_product)]) == 6
    assert path.read_text() == "mine"


def test_a_linked_product_is_completed_where_it_is(level2a: Path, tmp_path: Path) -> None:
    store = tmp_path / "store"
    level2a.rename(store)
    level2a.symlink_to(store)
    shutil.rmtree(next(store.rglob("R60m")))
    assert main([*FAST, str(as_level1c(level2a))]) == 0
    assert level2a.is_symlink() and list(store.rglob("*_SCL_60m.jp2"))
