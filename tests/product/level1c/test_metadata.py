"""Metadata documents: versions, elements, angles, and refusals that say where."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from sen2cor.bands import BAND_NAMES
from sen2cor.errors import InputError
from sen2cor.product.level1c.angles import read_geometry
from sen2cor.product.level1c.product_metadata import read_product_metadata
from sen2cor.product.level1c.tile_metadata import open_tile_document, read_tile_metadata
from sen2cor.raster.grids import TileGeometry
from tests.product.level1c_builder import (
    PSD_14,
    PSD_15,
    Recipe,
    product_text,
    tile_text,
    without,
)

Change = Callable[[str], str]


def write_product(folder: Path, text: str) -> Path:
    path = folder / "MTD_MSIL1C.xml"
    path.write_text(text, encoding="utf-8")
    return path


def geometry(folder: Path, change: Change = str) -> TileGeometry:
    path = folder / "MTD_TL.xml"
    path.write_text(change(tile_text(PSD_14, "56JKT")), encoding="utf-8")
    return read_geometry(open_tile_document(path))


def change_grids(text: str, band: str, detector: str | None, change: Change) -> str:
    """Change the values of the view angle grids of a band, or of one of its detectors."""
    number = detector or r"\d+"
    grid = rf'Grids bandId="{band}" detectorId="{number}">.*?</Viewing_Incidence_Angles_Grids>'
    values = r"<Values_List>.*?</Values_List>"

    def change_values(found: re.Match[str]) -> str:
        return re.sub(values, lambda rows: change(rows[0]), found[0])

    return re.sub(grid, change_values, text, flags=re.DOTALL)


class TestProductMetadata:
    @pytest.mark.parametrize("element", ["QUANTIFICATION_VALUE", "U", "SPACECRAFT_NAME"])
    def test_missing_element_is_named_with_the_file(self, tmp_path: Path, element: str) -> None:
        path = write_product(tmp_path, without(element)(product_text(PSD_14)))
        with pytest.raises(InputError, match=rf"element .*{element} is missing") as caught:
            read_product_metadata(path)
        assert str(path) in str(caught.value)

    def test_missing_band_of_a_list_is_named(self, tmp_path: Path) -> None:
        text = product_text(PSD_15).replace('band_id="3"', 'band_id="33"')
        with pytest.raises(InputError, match=r'RADIO_ADD_OFFSET with band_id="3" \(B04\)'):
            read_product_metadata(write_product(tmp_path, text))

    @pytest.mark.parametrize("value", ["ten thousand", "NaN", "-1", "0"])
    def test_impossible_quantification(self, tmp_path: Path, value: str) -> None:
        text = product_text(PSD_14).replace(">10000<", f">{value}<")
        with pytest.raises(InputError, match="QUANTIFICATION_VALUE"):
            read_product_metadata(write_product(tmp_path, text))

    @pytest.mark.parametrize("name", ["Sentinel-2D", "Sentinel-3A"])
    def test_spacecraft_that_are_not_supported(self, tmp_path: Path, name: str) -> None:
        text = re.sub("<SPACECRAFT_NAME>.*?<", f"<SPACECRAFT_NAME>{name}<", product_text(PSD_14))
        with pytest.raises(InputError, match=f"SPACECRAFT_NAME holds '{name}', (which is )?not"):
            read_product_metadata(write_product(tmp_path, text))

    def test_impossible_time(self, tmp_path: Path) -> None:
        text = product_text(PSD_14).replace("2017-07-19T00:02:18.5Z", "yesterday")
        with pytest.raises(InputError, match="PRODUCT_START_TIME holds 'yesterday'"):
            read_product_metadata(write_product(tmp_path, text))

    def test_format_12_is_refused(self, tmp_path: Path) -> None:
        text = product_text(Recipe(namespace="psd-12"))
        with pytest.raises(
            InputError, match="of product format 12; formats 13 to 15 are supported"
        ):
            read_product_metadata(write_product(tmp_path, text))

    def test_later_format_is_tried_with_a_warning(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        text = product_text(Recipe(namespace="psd-101", baseline="10.00", offset=-1000))
        assert read_product_metadata(write_product(tmp_path, text)).psd == "15"
        assert "product format 101 is newer than the latest supported one (15)" in caplog.text

    def test_document_of_another_kind(self, tmp_path: Path) -> None:
        text = product_text(PSD_14).replace("Level-1C_User_Product", "Level-2A_User_Product")
        with pytest.raises(InputError, match="root element is Level-2A_User_Product"):
            read_product_metadata(write_product(tmp_path, text))


class TestSafety:
    def test_broken_document_names_file_and_line(self, tmp_path: Path) -> None:
        lines = product_text(PSD_14).splitlines()
        lines[4] = lines[4].replace("</PRODUCT_START_TIME>", "</STOP>")
        path = write_product(tmp_path, "\n".join(lines))
        with pytest.raises(InputError, match=r"MTD_MSIL1C.xml, line 5: not well-formed XML"):
            read_product_metadata(path)

    @pytest.mark.parametrize("content", [b"", b"\x00\x01", b"<a>"])
    def test_no_document_at_all(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "MTD_MSIL1C.xml"
        path.write_bytes(content)
        with pytest.raises(InputError, match="line 1: not well-formed XML"):
            read_product_metadata(path)

    def test_entities_are_refused_and_never_read(self, tmp_path: Path) -> None:
        secret = tmp_path / "secret"
        secret.write_text("10000")
        declaration = f'<!DOCTYPE d [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
        text = product_text(PSD_14).replace("?>\n", f"?>\n{declaration}\n", 1)
        path = write_product(tmp_path, text.replace(">10000<", ">&e;<"))
        with pytest.raises(InputError, match="document type declaration"):
            read_product_metadata(path)

    def test_missing_file(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            read_product_metadata(tmp_path / "MTD_MSIL1C.xml")

    def test_path_with_odd_characters(self, tmp_path: Path) -> None:
        folder = tmp_path / "a%20b #ü"
        folder.mkdir()
        path = write_product(folder, product_text(PSD_14))
        assert read_product_metadata(path).spacecraft == "S2B"


class TestTileMetadata:
    @pytest.mark.parametrize(
        ("old", "new", "words"),
        [
            ("EPSG:32756", "UTM 56", "HORIZONTAL_CS_CODE contains no EPSG code"),
            ('<Size resolution="20">', '<Size resolution="2">', r'Size with resolution="20"'),
            ("_T56JKT_", "_TXXX_", "TILE_ID holds .* not a tile identifier"),
            ("<NROWS>36<", "<NROWS>0<", "Size is not positive"),
            ("<ULX>199980<", "<ULX><", "ULX is missing"),
            ("Level-1C_Tile_ID", "Level-2A_Tile_ID", "root element is Level-2A_Tile_ID"),
        ],
    )
    def test_errors_name_the_element(self, tmp_path: Path, old: str, new: str, words: str) -> None:
        path = tmp_path / "MTD_TL.xml"
        path.write_text(tile_text(PSD_14, "56JKT").replace(old, new), encoding="utf-8")
        with pytest.raises(InputError, match=words) as caught:
            read_tile_metadata(open_tile_document(path))
        assert str(path) in str(caught.value)


class TestAngles:
    def test_sun(self, tmp_path: Path) -> None:
        angles = geometry(tmp_path)
        assert (angles.mean_solar_zenith, angles.mean_solar_azimuth) == (54.1, 35.7)
        assert angles.sun.step == 5000.0
        assert angles.sun.zenith.dtype == np.float32
        np.testing.assert_allclose(angles.sun.zenith[0], [54.1, 54.0, 53.9], rtol=1e-6)
        np.testing.assert_allclose(angles.sun.azimuth[2], [35.7, 35.6, 35.5], rtol=1e-6)

    def test_detectors_are_merged_and_gaps_filled_from_the_nearest_node(
        self, tmp_path: Path
    ) -> None:
        view = geometry(tmp_path).view
        assert tuple(view) == BAND_NAMES
        zenith, azimuth = view["B04"].zenith, view["B04"].azimuth
        expected = [[8.0, 9.0, 9.0], [8.0, 8.5, 8.5], [8.0, 8.5, 8.5]]
        np.testing.assert_allclose(zenith, expected, rtol=1e-6)
        # 350 and 20 degrees meet at 5, not at 185
        expected = [[350.0, 20.0, 20.0], [350.0, 5.0, 5.0], [350.0, 5.0, 5.0]]
        np.testing.assert_allclose(azimuth, expected, rtol=1e-5)

    def test_missing_sun_grid(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        sun = geometry(tmp_path, without("Sun_Angles_Grid")).sun
        assert sun.zenith.shape == (23, 23)
        assert set(sun.zenith.flat) == {np.float32(54.1)}
        assert [record.levelno for record in caplog.records] == [logging.WARNING]

    def test_missing_mean_sun_angles(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        angles = geometry(tmp_path, without("Mean_Sun_Angle"))
        assert angles.mean_solar_zenith == pytest.approx(54.1, abs=1e-4)
        assert angles.mean_solar_azimuth == pytest.approx(35.7, abs=1e-4)
        assert len(caplog.records) == 1

    def test_no_sun_at_all(self, tmp_path: Path) -> None:
        def change(text: str) -> str:
            return without("Mean_Sun_Angle")(without("Sun_Angles_Grid")(text))

        with pytest.raises(InputError, match=r"MTD_TL.xml: element .*Sun_Angles_Grid and .*Mean"):
            geometry(tmp_path, change)

    def test_other_bands_stand_in_for_bands_without_view_grids(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def change(text: str) -> str:
            for band in (9, 10):
                text = text.replace(f'Grids bandId="{band}"', f'Grids bandId="{band + 90}"')
            return text

        view = geometry(tmp_path, change).view
        whole = geometry(tmp_path).view
        for name in ("B09", "B10"):
            np.testing.assert_array_equal(view[name].zenith, whole["B8A"].zenith)
            np.testing.assert_array_equal(view[name].azimuth, whole["B8A"].azimuth)
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert "no view angle grids of B09, B10;" in record.getMessage()

    @pytest.mark.parametrize("lost", ["NaN", "nan", "-9999", "inf", ""])
    def test_other_bands_stand_in_for_bands_with_nan_or_fill_values(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, lost: str
    ) -> None:
        def change(text: str) -> str:
            return change_grids(text, "1", None, lambda rows: re.sub(r"[\d.]+|NaN", lost, rows))

        view = geometry(tmp_path, change).view
        np.testing.assert_array_equal(view["B02"].zenith, geometry(tmp_path).view["B01"].zenith)
        assert "no view angle grids of B02;" in caplog.text
        assert len(caplog.records) == 1

    def test_other_bands_stand_in_for_a_missing_detector(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def change(text: str) -> str:
            return change_grids(text, "3", "1", lambda rows: re.sub(r"[\d.]+", "NaN", rows))

        view = geometry(tmp_path, change).view
        np.testing.assert_array_equal(view["B04"].zenith, geometry(tmp_path).view["B05"].zenith)
        (record,) = caplog.records
        assert "view angles of detectors are missing (B04: 1)" in record.getMessage()

    def test_detectors_without_overlap_fill_from_their_own_side(self, tmp_path: Path) -> None:
        def change(text: str) -> str:
            text = text.replace("8.0 8.0 NaN", "8.0 NaN NaN").replace(
                "350.0 350.0 NaN", "350.0 NaN NaN"
            )
            return text.replace("NaN 9.0 NaN", "NaN NaN 9.0").replace(
                "NaN 20.0 NaN", "NaN NaN 20.0"
            )

        zenith = geometry(tmp_path, change).view["B04"].zenith
        np.testing.assert_array_equal(zenith[:, [0, 2]], [[8.0, 9.0]] * 3)
        assert np.isfinite(zenith).all()

    def test_grids_of_odd_sizes(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        """One detector lacks its last row of nodes; the nodes count from the same corner."""

        def change(text: str) -> str:
            last_row = r"<VALUES>NaN [\d.]+ NaN</VALUES></Values_List>"
            return change_grids(
                text, "3", "2", lambda rows: re.sub(last_row, "</Values_List>", rows)
            )

        zenith = geometry(tmp_path, change).view["B04"].zenith
        np.testing.assert_allclose(zenith, [[8.0, 9.0, 9.0], [8.0, 8.5, 8.5], [8.0, 8.0, 8.0]])
        assert not caplog.records

    def test_mean_view_angles_serve_if_no_band_has_a_grid(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def change(text: str) -> str:
            text = without("Viewing_Incidence_Angles_Grids")(text)
            return re.sub(
                r'(Viewing_Incidence_Angle bandId="9"><ZENITH_ANGLE>)[\d.]+', r"\1NaN", text
            )

        view = geometry(tmp_path, change).view
        assert set(view["B12"].zenith.flat) == {np.float32(9.2)}
        assert set(view["B09"].zenith.flat) == {np.float32(8.8)}
        first, second = (record.getMessage() for record in caplog.records)
        assert "no view angle grids of any band" in first
        assert "no mean view angles of B09;" in second

    def test_no_view_angle_of_any_band_is_an_error(self, tmp_path: Path) -> None:
        def change(text: str) -> str:
            for element in ("Viewing_Incidence_Angles_Grids", "Mean_Viewing_Incidence_Angle"):
                text = without(element)(text)
            return text

        with pytest.raises(InputError, match=r"MTD_TL.xml: element .* missing or NaN for all band"):
            geometry(tmp_path, change)

    @pytest.mark.parametrize("lost", ["NaN", "-9999", "1e30"])
    def test_gaps_of_the_sun_grid_follow_its_gradient(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture, lost: str
    ) -> None:
        def change(text: str) -> str:
            text = text.replace("54.1 54.0 53.9", f"54.1 {lost} {lost}")
            return text.replace("35.6 35.5", f"{lost} {lost}")

        sun = geometry(tmp_path, change).sun
        whole = geometry(tmp_path).sun
        np.testing.assert_allclose(sun.zenith, whole.zenith, atol=0.003)
        np.testing.assert_allclose(sun.azimuth, whole.azimuth, atol=0.01)
        (record,) = caplog.records
        assert "4 of 9 sun angles are missing" in record.getMessage()

    def test_sun_known_in_one_row_is_constant_across_it(self, tmp_path: Path) -> None:
        def change(text: str) -> str:
            for row in ("54.1 54.0 53.9", "54.3 54.2 54.1"):
                text = text.replace(row, "NaN NaN NaN")
            return text

        zenith = geometry(tmp_path, change).sun.zenith
        np.testing.assert_allclose(zenith, [[54.2, 54.1, 54.0]] * 3, atol=0.003)

    def test_sun_grid_of_nan_only_gives_way_to_the_mean(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        def change(text: str) -> str:
            return re.sub(r"54\.\d (54\.\d 5\d\.\d)", "NaN NaN NaN", text)

        assert set(geometry(tmp_path, change).sun.zenith.flat) == {np.float32(54.1)}
        assert "using the mean sun angles" in caplog.text

    def test_sun_without_any_valid_angle_is_an_error(self, tmp_path: Path) -> None:
        def change(text: str) -> str:
            text = re.sub(r"54\.\d (54\.\d 5\d\.\d)", "NaN NaN NaN", text)
            return text.replace('<ZENITH_ANGLE unit="deg">54.1<', '<ZENITH_ANGLE unit="deg">NaN<')

        with pytest.raises(InputError, match=r"Sun_Angles_Grid and .*missing or NaN"):
            geometry(tmp_path, change)

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("54.2 54.1 54.0", "54.2 54.1"),
            ("54.2 54.1 54.0", "54.2 54.1 high"),
            ("<VALUES>54.2 54.1 54.0</VALUES>", ""),
            ('<COL_STEP unit="m">5000', '<COL_STEP unit="m">2500'),
        ],
    )
    def test_grid_that_is_none(self, tmp_path: Path, old: str, new: str) -> None:
        with pytest.raises(InputError, match=r"VALUES|different nodes"):
            geometry(tmp_path, lambda text: text.replace(old, new, 1))
