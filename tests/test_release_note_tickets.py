"""The release note of Sen2Cor 2.3, ticket by ticket, and frequent problems of its users.

Tickets without a test elsewhere are tested here, mostly with the command as users call it. `SHOWN`
lists the tests of all items by their number in the note.
"""

from __future__ import annotations

import ast
import hashlib
import logging
import re
import shlex
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sen2cor.arguments import create_options, parse_arguments
from sen2cor.imagery import images, jpeg2000
from sen2cor.product.level2a.writer import Level2AWriter
from tests.command import ROOT, configuration, product_in, run, run_process, start, stopped
from tests.conformance.written import RUN, source, write
from tests.dem.elevation_files import write_tif
from tests.product.level1c_samples import TILES, stand_in, write_level1c
from tests.refreshed_manifest import refresh_manifest
from tests.small_product import EXTENT, SOIL, write_small_product, write_tiles

Change = Callable[[str, np.ndarray], Any]
LEFT, TOP = 300000.0, 5900040.0
TILE_BANDS = {10: "B04", 20: "B05", 60: "B09"}


def altered(product: Path, folder: Path, change: Change) -> Path:
    """Copy a product with changed pixels."""
    copy = folder / product.name
    shutil.copytree(product, copy)
    for path in copy.glob("GRANULE/*/IMG_DATA/*_B*.jp2"):
        numbers = jpeg2000.read(path)
        grid = jpeg2000.read_info(path).grid
        assert grid is not None
        changed = np.asarray(change(path.stem.rsplit("_", 1)[1], numbers), np.uint16)
        images.write(path, changed, grid, 1024)
    refresh_manifest(copy)
    return copy


def soil(band: str, numbers: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(3).normal(1.0, 0.01, numbers.shape)
    return 10000 * SOIL[band] * noise


def image(product: Path, ending: str) -> np.ndarray:
    return jpeg2000.read(next(product.rglob(f"*_{ending}.jp2")))


def read_report(product: Path) -> str:
    return next(product.glob("*_report.xml")).read_text()


def digests(folder: Path) -> dict[Path, str]:
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def two_tiles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiles(tmp_path_factory.mktemp("two"), ("33UUU", "33UVU"), 1200)


@pytest.fixture(scope="module")
def finished_tiles(two_tiles: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    target = tmp_path_factory.mktemp("out")
    result = run(two_tiles, "--output_dir", target)
    assert result.returncode == 0, result.stderr
    return product_in(target), result


def test_siimpc_677_compact_names_and_true_colour_from_format_14_on(
    finished_product: Path, finished_tiles: tuple[Path, Any]
) -> None:
    assert (finished_product / "MTD_MSIL2A.xml").is_file()
    for resolution in (10, 20, 60):
        (path,) = finished_product.glob(
            f"GRANULE/*/IMG_DATA/R{resolution}m/*_TCI_{resolution}m.jp2"
        )
        assert jpeg2000.read_info(path).components == 3
    files = [path.relative_to(finished_product.parent) for path in finished_product.rglob("*")]
    assert max(len(str(path)) for path in files) < 190
    long, _ = finished_tiles
    assert long.name.startswith("S2A_USER_PRD_MSIL2A_")
    assert list(long.rglob("*TCI*")) == []
    assert len(list(long.glob("GRANULE/S2A_USER_MSI_L2A_TL_*"))) == 2


def test_siimpc_768_overcorrected_pixels_are_one_and_only_no_data_is_zero(
    small_product: Path, tmp_path: Path
) -> None:
    def dark(band: str, numbers: np.ndarray) -> np.ndarray:
        tenth = len(numbers) // 10
        numbers[: 3 * tenth] = 150
        numbers[-tenth:] = 0
        return numbers

    level1c = altered(small_product, tmp_path, dark)
    assert run(level1c).returncode == 0
    for band in ("B02", "B03", "B04"):
        surface = image(product_in(tmp_path), f"{band}_10m")
        top = jpeg2000.read(next(level1c.rglob(f"*_{band}.jp2")))
        np.testing.assert_array_equal(surface == 0, top == 0)
    assert np.count_nonzero(image(product_in(tmp_path), "B02_10m") == 1) > 1000


@pytest.mark.many_cases
@pytest.mark.parametrize(
    ("options", "kinds"), [(("--sc_only",), {20: "SCL", 60: "SCL"}), ((), dict(TILE_BANDS))]
)
def test_siimpc_687_codestream_has_the_tiles_of_level1c(
    tmp_path: Path, options: tuple[str, ...], kinds: dict[int, str]
) -> None:
    level1c = write_small_product(tmp_path, extent=12840)
    assert run(*options, level1c).returncode == 0
    for resolution, kind in kinds.items():
        size = {10: 1024, 20: 640, 60: 192}[resolution]
        top = next(level1c.glob(f"GRANULE/*/IMG_DATA/*_{TILE_BANDS[resolution]}.jp2"))
        surface = next(product_in(tmp_path).rglob(f"*_{kind}_{resolution}m.jp2"))
        assert jpeg2000.read_info(top).tile_size == size
        assert jpeg2000.read_info(surface).tile_size == size


def test_siimpc_686_each_call_in_the_manual_is_understood() -> None:
    calls = []
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))):
        for line in path.read_text().splitlines():
            found = re.match(r"(?:\s{4,}|\$ )(?:\S*/)?L2A_Process (.*)", line)
            if found and "[OPTIONS]" not in line:
                calls.append(found[1].split("  #")[0].removesuffix("||").strip())
    assert calls
    for call in calls:
        words = shlex.split(call)
        values = parse_arguments(words)
        if not (values.setup or values.doctor or values.show_settings or values.list):
            assert create_options(values).directories, call


def test_siimpc_672_auto_without_vegetation_is_rural_summer(
    small_product: Path, tmp_path: Path
) -> None:
    level1c = altered(small_product, tmp_path, soil)
    auto = configuration(tmp_path, Aerosol_Type="AUTO", Mid_Latitude="AUTO")
    assert run("--resolution", "20", "--GIP_L2A", auto, level1c).returncode == 0
    assert "S2A_RURAL_SUMMER" in read_report(product_in(tmp_path))


def test_siimpc_561_configuration_is_only_read_by_runs_side_by_side(
    small_product: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    shutil.copytree(ROOT / "cfg", home / "cfg")
    before = digests(home)
    for path in (*home.rglob("*"), home):
        path.chmod(0o555 if path.is_dir() else 0o444)
    runs = [
        start("--sc_only", "--no-report", "--output_dir", tmp_path / name, small_product,
              SEN2COR_HOME=str(home))
        for name in ("one", "two")
    ]  # fmt: skip
    for process in runs:
        _, errors = stopped(process)
        assert process.returncode == 0, errors
    assert digests(home) == before


def test_siimpc_557_terrain_correction_can_be_switched_off(
    small_product: Path, tmp_path: Path
) -> None:
    """Without terrain correction slopes have no effect; the classification still uses the DEM."""
    level1c = altered(small_product, tmp_path, soil)
    size, margin = EXTENT // 10, 1000
    x = np.arange(-margin, size + margin) * 10.0
    heights = 300 + 60 * np.sin(2 * np.pi * x / 1200.0)
    ridges = np.repeat(heights[np.newaxis], len(x), axis=0).astype(np.float32)
    corner = (LEFT - margin * 10, 10.0, 0.0, TOP + margin * 10, 0.0, -10.0)
    write_tif(tmp_path / "dem" / "ridges.tif", ridges, corner, 32633)
    user = configuration(tmp_path, DEM_Directory=tmp_path / "dem")
    text = (ROOT / "cfg" / "L2A_CAL_AC_GIPP.xml").read_text()
    spread, classes = {}, {}
    for switch in ("true", "false"):
        changed = re.sub("<Rho_Retrieval_Step2>.*?<", f"<Rho_Retrieval_Step2>{switch}<", text)
        correction = tmp_path / f"correction_{switch}.xml"
        correction.write_text(changed)
        out = tmp_path / switch
        result = run("--resolution", "20", "--GIP_L2A", user, "--GIP_L2A_AC", correction,
                     "--output_dir", out, level1c)  # fmt: skip
        assert result.returncode == 0, result.stderr
        columns = image(product_in(out), "B8A_20m").mean(axis=0)
        spread[switch] = np.ptp(columns) / columns.mean()
        classes[switch] = image(product_in(out), "SCL_20m")
    assert spread["true"] > 0.05
    assert spread["false"] < 0.02
    np.testing.assert_array_equal(classes["true"], classes["false"])


def test_siimpc_554_each_event_is_logged_once(finished_tiles: tuple[Path, Any]) -> None:
    product, result = finished_tiles
    checks = re.findall(
        r'execution="(.*?)".*?process="(.*?)".*?<message[^>]*>(.*?)</message>',
        read_report(product),
        re.DOTALL,
    )
    assert len(checks) == len(set(checks)) > 10
    ends = re.findall(r"end of processing with resolution (\d+) m", result.stdout)
    assert sorted(ends) == sorted(["60", "20", "10"] * 2)


def test_siimpc_334_documents_of_format_13_1_are_valid_by_the_official_schemas(
    reference_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    level1c = source(reference_data, tmp_path, "13 with datastrip")
    write(level1c, tmp_path / "out", schema_folder=reference_data / "psd_schemas")
    assert caplog.text == ""


def test_siimpc_126_only_what_is_invalid_is_said(
    reference_data: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    level1c = stand_in(write_level1c(tmp_path, "14.2"), "14.2")
    with Level2AWriter.begin(level1c, tmp_path / "out") as product:
        product.add_tile(level1c.tiles[0])
        product.finish(RUN, schema_folder=reference_data / "psd_schemas")
    said = [record for record in caplog.records if ".xsd" in record.getMessage()]
    assert said and all(record.levelno == logging.WARNING for record in said)


def test_siimpc_126_a_good_run_says_nothing_of_validation(
    finished_tiles: tuple[Path, Any],
) -> None:
    _, result = finished_tiles
    assert ".xsd" not in result.stdout + result.stderr


def test_siimpc_287_exit_codes(finished_tiles: tuple[Path, Any], tmp_path: Path) -> None:
    assert finished_tiles[1].returncode == 0
    missing = run(tmp_path / "S2A_MSIL1C_missing.SAFE")
    assert missing.returncode == 3 and "S2A_MSIL1C_missing.SAFE" in missing.stderr
    assert run().returncode == 2


def damaged_tile(two_tiles: Path, folder: Path) -> tuple[Path, list[Path]]:
    """Copy the product; return the images of its first tile."""
    copy = folder / two_tiles.name
    shutil.copytree(two_tiles, copy)
    tile = sorted((copy / "GRANULE").iterdir())[0]
    return copy, sorted((tile / "IMG_DATA").iterdir())


def made_tiles(target: Path) -> list[str]:
    names = product_in(target).glob("GRANULE/*/IMG_DATA/R60m/*_B04_60m.jp2")
    return sorted(re.findall(r"_T(\d\d\w{3})_", path.parents[2].name)[0] for path in names)


def test_siimpc_275_tile_with_one_band_fails_and_the_next_goes_on(
    two_tiles: Path, tmp_path: Path
) -> None:
    level1c, bands = damaged_tile(two_tiles, tmp_path)
    for path in bands:
        if "_B02" not in path.name:
            path.unlink()
    result = run("--resolution", "60", level1c, "--output_dir", tmp_path / "out")
    assert result.returncode == 1
    assert made_tiles(tmp_path / "out") == ["33UVU"]


def test_siimpc_274_black_tile_is_skipped_with_a_warning(two_tiles: Path, tmp_path: Path) -> None:
    level1c, bands = damaged_tile(two_tiles, tmp_path)
    for path in bands:
        info = jpeg2000.read_info(path)
        assert info.grid is not None
        images.write(path, np.zeros((info.rows, info.cols), np.uint16), info.grid, 1024)
    refresh_manifest(level1c)
    result = run("--resolution", "60", level1c, "--output_dir", tmp_path / "out")
    assert result.returncode == 1
    assert "33UUU" in result.stderr
    assert made_tiles(tmp_path / "out") == ["33UVU"]


def test_siimpc_271_single_tile_of_a_product_then_the_others(
    two_tiles: Path, tmp_path: Path
) -> None:
    """A tile folder selects this tile; a later run adds the other and lists both."""
    first = sorted((two_tiles / "GRANULE").iterdir())[0]
    assert run("--resolution", "60", first, "--output_dir", tmp_path).returncode == 0
    assert made_tiles(tmp_path) == ["33UUU"]
    assert run("--resolution", "60", two_tiles, "--output_dir", tmp_path).returncode == 0
    assert made_tiles(tmp_path) == ["33UUU", "33UVU"]
    product = product_in(tmp_path)
    listed = re.findall(
        r'granuleIdentifier="[^"]*_T(\w{5})_', next(product.glob("*MTD*.xml")).read_text()
    )
    assert sorted(set(listed)) == ["33UUU", "33UVU"]


def test_siimpc_199_tile_that_was_removed_is_made_again(
    finished_tiles: tuple[Path, Any], two_tiles: Path, tmp_path: Path
) -> None:
    product = tmp_path / finished_tiles[0].name
    shutil.copytree(finished_tiles[0], product)
    kept, removed = sorted((product / "GRANULE").iterdir())
    before = digests(kept / "IMG_DATA")
    shutil.rmtree(removed)
    assert run(two_tiles, "--output_dir", tmp_path).returncode == 0
    assert made_tiles(tmp_path) == ["33UUU", "33UVU"]
    assert digests(kept / "IMG_DATA") == before


def test_siimpc_220_each_datastrip_lists_its_own_tiles(tmp_path: Path) -> None:
    root = write_level1c(tmp_path, "13.1", TILES)
    (first,) = (root / "DATASTRIP").iterdir()
    second = first.with_name(first.name.replace("20170403T160402", "20170403T170000"))
    shutil.copytree(first, second)
    tile = sorted((root / "GRANULE").iterdir())[1]
    metadata = next(tile.glob("*MTD*.xml"))
    text = metadata.read_text()
    metadata.write_text(re.sub(r"(_DS_\w{4}_)20170403T160402", r"\g<1>20170403T170000", text))
    product = write(stand_in(root, "13.1"), tmp_path / "out")
    lists = {
        path.parent.name: re.findall(r'tileId="[^"]*_T(\w{5})_', path.read_text())
        for path in product.glob("DATASTRIP/*/*MTD*.xml")
    }
    assert len(lists) == 2
    assert sorted(lists.values()) == sorted([[mgrs] for mgrs in TILES])


def test_sen2cor_39_long_path_names(small_product: Path, tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120) / ("e" * 120)
    result = run("--resolution", "60", small_product, "--output_dir", deep)
    assert result.returncode == 0, result.stderr
    assert max(len(str(path)) for path in product_in(deep).rglob("*.jp2")) > 350


def test_sen2cor_40_ten_metres_are_completed_in_place(
    finished_product: Path, small_product: Path, tmp_path: Path
) -> None:
    product = tmp_path / finished_product.name
    shutil.copytree(finished_product, product)
    removed = next(product.rglob("*_AOT_10m.jp2"))
    removed.unlink()
    assert run(small_product, "--output_dir", tmp_path).returncode == 0
    original = next(finished_product.rglob(removed.name))
    np.testing.assert_array_equal(jpeg2000.read(removed), jpeg2000.read(original))


def test_siimpc_189_preview_is_that_of_level1c_in_size(finished_product: Path) -> None:
    info = jpeg2000.read_info(next(finished_product.rglob("*_PVI.jp2")))
    assert (info.rows, info.cols, info.components) == (343, 343, 3)


def test_item_57_distance_of_the_sun_does_not_change_the_reflectance(
    small_product: Path, tmp_path: Path
) -> None:
    blue = []
    for factor in ("0.968", "1.034"):
        level1c = tmp_path / factor / small_product.name
        shutil.copytree(small_product, level1c)
        metadata = level1c / "MTD_MSIL1C.xml"
        text, number = re.subn("<U>.*?</U>", f"<U>{factor}</U>", metadata.read_text())
        assert number == 1
        metadata.write_text(text)
        assert run("--no-checksums", "--resolution", "60", level1c).returncode == 0
        blue.append(image(product_in(level1c.parent), "B02_60m"))
    np.testing.assert_array_equal(*blue)


def test_item_56_missing_codec_is_said(small_product: Path, tmp_path: Path) -> None:
    (tmp_path / "glymur.py").write_text("raise OSError('libopenjp2.so: file too short')")
    result = run_process("--output_dir", tmp_path, small_product, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert result.returncode == 5
    assert "JPEG 2000" in result.stderr and "libopenjp2.so: file too short" in result.stderr


def test_item_73_target_directory_of_the_settings_is_made(
    small_product: Path, tmp_path: Path
) -> None:
    elsewhere = configuration(tmp_path, Target_Directory=tmp_path / "a" / "b")
    assert run("--resolution", "60", "--GIP_L2A", elsewhere, small_product).returncode == 0
    assert product_in(tmp_path / "a" / "b").is_dir()


def test_item_79_files_of_the_package_can_be_read_by_any_user() -> None:
    files = [path for folder in ("sen2cor", "cfg") for path in (ROOT / folder).rglob("*.*")]
    assert files and all(path.stat().st_mode & 0o044 == 0o044 for path in files if path.is_file())


SHOWN = {
    1: "test_siimpc_677_compact_names_and_true_colour_from_format_14_on",
    2: "test_siimpc_805_origin_and_cloud_cover_in_format_14",
    3: "test_siimpc_768_overcorrected_pixels_are_one_and_only_no_data_is_zero",
    4: "test_siimpc_734_side_files_of_other_programs",
    5: "test_siimpc_733_well_formed_at_every_moment",
    6: "test_siimpc_702_processes_that_want_one_tile_fetch_it_once",
    7: "test_siimpc_687_codestream_has_the_tiles_of_level1c",
    8: "test_siimpc_686_each_call_in_the_manual_is_understood",
    9: "test_siimpc_672_auto_without_vegetation_is_rural_summer",
    10: "test_siimpc_611_name_of_the_tile_of_a_place",
    11: "test_siimpc_599_input_is_only_read",
    12: "test_siimpc_598_copies_of_read_only_files_are_writable",
    13: "test_siimpc_577_half_pixel_shift",
    14: "test_siimpc_573_dted_across_zero_longitude_and_two_figures",
    15: "test_siimpc_564_no_seam_between_four_cells",
    16: "test_siimpc_563_nothing_is_left_behind",
    17: "test_siimpc_561_configuration_is_only_read_by_runs_side_by_side",
    18: "test_siimpc_558_images_lie_on_the_grid_of_level1c",
    19: "test_siimpc_557_terrain_correction_can_be_switched_off",
    20: "test_siimpc_556_read_only_folder_is_not_written_to",
    21: "test_siimpc_555_two_runs_two_reports",
    22: "test_siimpc_554_each_event_is_logged_once",
    23: "test_siimpc_552_bright_pixels_do_not_change_the_blue_path_radiance",
    24: "test_siimpc_551_image_is_metres_and_10000",
    25: "test_siimpc_550_sea_of_srtm_is_zero",
    26: "test_limiter_and_disabler",
    27: "test_limiter_and_disabler",
    28: "test_old_file_without_the_flags_has_their_defaults",
    29: "test_without_reference_pixels_the_visibility_of_the_settings_holds",
    30: "test_shipped_files_give_the_defaults",
    31: "test_atmosphere_and_ozone_choose_the_files",
    32: "test_element_is_read",
    33: "test_ozone_of_the_settings_or_the_product",
    34: "test_maritime_and_rural_scenes_are_recognised",
    35: "test_a_ramp_keeps_its_place_downward_and_upward",
    36: "test_water_on_a_dark_slope_is_topographic_shadow",
    37: "test_the_wheel_makes_and_processes_the_sample",
    38: "test_the_wheel_makes_and_processes_the_sample",
    39: "test_two_processes_give_the_product_of_one",
    40: "test_every_file_once_with_size_and_checksum",
    41: "test_siimpc_271_single_tile_of_a_product_then_the_others",
    42: "test_beside_the_input_by_default_and_from_anywhere",
    43: "test_siimpc_334_documents_of_format_13_1_are_valid_by_the_official_schemas",
    44: "test_siimpc_199_tile_that_was_removed_is_made_again",
    45: "test_siimpc_564_no_seam_between_four_cells",
    46: "test_siimpc_287_exit_codes",
    47: "test_siimpc_275_tile_with_one_band_fails_and_the_next_goes_on",
    48: "test_siimpc_126_only_what_is_invalid_is_said",
    49: "test_siimpc_319_consolidated_tiles_are_not_in_the_datastrip",
    50: "test_siimpc_220_each_datastrip_lists_its_own_tiles",
    51: "test_siimpc_274_black_tile_is_skipped_with_a_warning",
    52: "test_siimpc_702_leftovers_of_a_killed_run_do_no_harm",
    53: "test_second_run_does_nothing",
    54: "test_sen2cor_39_long_path_names",
    55: "test_sen2cor_40_ten_metres_are_completed_in_place",
    56: "test_item_56_missing_codec_is_said",
    57: "test_item_57_distance_of_the_sun_does_not_change_the_reflectance",
    58: "test_identity_gives_the_numbers_back",
    59: "test_water_is_never_a_reference_pixel_of_vegetation",
    60: "test_blue_bands_are_rescaled",
    61: "test_shipped_files_are_whole_and_say_where_they_come_from",
    62: "test_nodes_give_the_radiance_equation_of_the_file",
    63: "test_siimpc_126_a_good_run_says_nothing_of_validation",
    64: "test_siitbx_113_the_scale_is_that_of_level1c",
    65: "test_siimpc_189_preview_is_that_of_level1c_in_size",
    66: "test_format_12_is_refused",
    67: "test_siimpc_126_only_what_is_invalid_is_said",
    **dict.fromkeys(
        (68, 69, 70, 71, 77, 80, 81, 82), "test_the_wheel_makes_and_processes_the_sample"
    ),
    72: "test_read_only_home_and_input",
    73: "test_item_73_target_directory_of_the_settings_is_made",
    74: "test_siimpc_686_each_call_in_the_manual_is_understood",
    75: "test_setup_writes_configuration_and_shell_file",
    76: "test_help_holds_the_banner_that_callers_look_for",
    78: "test_version_names_both_the_compatible_and_the_own_version",
    79: "test_item_79_files_of_the_package_can_be_read_by_any_user",
    83: "test_the_version_stands_in_one_place",
}
"""Test of each item of the release note, by its number."""

TICKETS = (
    *(
        f"siimpc_{number}"
        for number in (
            677,
            805,
            768,
            734,
            733,
            702,
            687,
            686,
            672,
            611,
            599,
            598,
            577,
            573,
            564,
            563,
            561,
            558,
            557,
            556,
            555,
            554,
            552,
            551,
            550,
            334,
            287,
            275,
            271,
            126,
            319,
            220,
            274,
            297,
            199,
            189,
        )
    ),
    *(
        f"sen2cor_{number}"
        for number in (
            39,
            40,
        )
    ),
    *(f"siitbx_{number}" for number in (113,)),
)

COMPLAINTS = {
    "1 elevation that cannot be fetched": (
        "test_server_that_never_answers_is_given_up_after_the_attempts_of_the_limits"
    ),
    "2 products without empty folders": "test_bare_product_of_a_cloud_archive_is_processed",
    "3 unsupported version": "test_later_format_is_tried_with_a_warning",
    "4 names that cannot be foretold": (
        "test_run_succeeds_and_ends_with_the_line_that_wrappers_look_for"
    ),
    "5 exit codes": "test_siimpc_287_exit_codes",
    "5 hanging": "test_a_killed_worker_is_reported_and_the_other_tile_is_made",
    "6 time and memory": "test_cores_and_memory_are_shared_out",
    "7 old settings used silently": "test_log_says_files_missing_unknown_and_different",
    "8 two runs on one product": "test_two_runs_cannot_work_on_one_product",
    "9 file systems of networks": "test_without_hard_links_files_are_copied",
    "10 reflectance taken for no data": (
        "test_siimpc_768_overcorrected_pixels_are_one_and_only_no_data_is_zero"
    ),
    "10 lines twice": "test_siimpc_554_each_event_is_logged_once",
    "10 report overwritten": "test_siimpc_555_two_runs_two_reports",
}
"""Frequent problems of users, and their tests."""


@cache
def names_of_tests() -> frozenset[str]:
    return frozenset(
        node.name
        for path in (ROOT / "tests").rglob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    )


@pytest.mark.parametrize("item", range(1, 84))
def test_item_of_the_release_note_has_its_test(item: int) -> None:
    assert SHOWN[item] in names_of_tests()


@pytest.mark.parametrize("ticket", TICKETS)
def test_ticket_has_a_test_of_its_name(ticket: str) -> None:
    assert any(name.startswith(f"test_{ticket}_") for name in names_of_tests())


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_complaint_has_its_test(complaint: str) -> None:
    assert COMPLAINTS[complaint] in names_of_tests()
