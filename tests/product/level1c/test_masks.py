"""Masks from polygons and from rasters."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sen2cor.imagery import images
from sen2cor.product.level1c.masks import TILE_BAND, rasterise, read_detectors, read_mask
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.raster.grids import Grid
from tests.product.level1c_builder import PSD_14, PSD_15, build

GRID = Grid(32756, 1000.0, 2000.0, 10.0, 8, 10)


def square(left: float, top: float, width: float, height: float) -> np.ndarray:
    """Corners in pixels of GRID, as eastings and northings."""
    x = GRID.ulx + GRID.pixel_size * np.array([left, left + width, left + width, left])
    y = GRID.uly - GRID.pixel_size * np.array([top, top, top + height, top + height])
    return np.stack([x, y], axis=1)


def position_list(ring: np.ndarray, dimension: int) -> str:
    closed = np.concatenate([ring, ring[:1]])
    points = np.column_stack([closed, np.zeros((len(closed), dimension - 2))])
    numbers = " ".join(f"{number:.6f}" for number in points.flat)
    return (
        f'<gml:LinearRing><gml:posList srsDimension="{dimension}">{numbers}</gml:posList>'
        "</gml:LinearRing>"
    )


def feature(kind: str, *rings: np.ndarray, dimension: int = 3) -> str:
    outer, *inner = (position_list(ring, dimension) for ring in rings)
    holes = "".join(f"<gml:interior>{hole}</gml:interior>" for hole in inner)
    return (
        f"<eop:MaskFeature><eop:maskType>{kind}</eop:maskType><eop:extentOf><gml:Polygon>"
        f"<gml:exterior>{outer}</gml:exterior>{holes}</gml:Polygon></eop:extentOf>"
        "</eop:MaskFeature>"
    )


def write_gml(path: Path, *features: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<eop:Mask xmlns:eop="http://www.opengis.net/eop/2.0" '
        'xmlns:gml="http://www.opengis.net/gml/3.2">'
        f"<eop:maskMembers>{''.join(features)}</eop:maskMembers></eop:Mask>"
    )


class TestPolygons:
    def test_pixels_whose_centre_is_inside(self) -> None:
        mask = rasterise(iter([[square(2.4, 1.6, 3.0, 2.0)]]), GRID)
        expected = np.zeros(GRID.shape, bool)
        expected[2:4, 2:5] = True
        np.testing.assert_array_equal(mask, expected)

    def test_hole_stays_open_and_neighbours_do_not_overlap(self) -> None:
        ring, hole = square(1, 1, 6, 6), square(3, 3, 2, 2)
        mask = rasterise(iter([[ring, hole]]), GRID)
        assert mask.sum() == 36 - 4
        assert not mask[3:5, 3:5].any()

    def test_neighbours_whose_edge_runs_through_centres_do_not_overlap(self) -> None:
        parts = [square(x, y, 3.0, 2.0) for x in (0.5, 3.5) for y in (0.5, 2.5)]
        masks = [
            rasterise(iter([[part[::turn]]]), GRID)
            for part, turn in zip(parts, (1, -1) * 2, strict=False)
        ]
        assert [mask.sum() for mask in masks] == [6, 6, 6, 6]
        expected = np.zeros(GRID.shape, bool)
        expected[0:4, 0:6] = True
        np.testing.assert_array_equal(np.sum(masks, axis=0), expected)

    def test_island_in_the_hole_of_another_polygon(self) -> None:
        outer = [square(1, 1, 6, 6), square(2, 2, 4, 4)]
        assert rasterise(iter([outer, [square(3, 3, 2, 2)]]), GRID).sum() == 36 - 16 + 4

    @pytest.mark.parametrize(
        ("left", "top", "width", "height", "pixels"),
        [
            (-5, -5, 30, 30, 80),
            (-5, 2, 6, 2, 2),
            (9, -9, 9, 30, 8),
            (20, 2, 3, 3, 0),
            (2, 20, 3, 3, 0),
            (-9, 2, 3, 3, 0),
            (2.6, 2.6, 0.3, 0.3, 0),
        ],
    )
    def test_polygons_beyond_the_tile_are_cut(
        self, left: float, top: float, width: float, height: float, pixels: int
    ) -> None:
        assert rasterise(iter([[square(left, top, width, height)]]), GRID).sum() == pixels

    @given(
        st.lists(st.tuples(st.integers(-20, 120), st.integers(-20, 100)), min_size=3, max_size=9)
    )
    def test_agrees_with_the_definition_of_even_odd(self, corners: list[tuple[int, int]]) -> None:
        ring = np.array(corners, float) / 10.0 + 0.013
        polygon = np.stack([GRID.ulx + 10 * ring[:, 0], GRID.uly - 10 * ring[:, 1]], axis=1)
        mask = rasterise(iter([[polygon]]), GRID)
        for row, col in np.ndindex(GRID.shape):
            x, y = col + 0.5, row + 0.5
            edges = [
                x0 + (y - y0) * (x1 - x0) / (y1 - y0)
                for (x0, y0), (x1, y1) in zip(ring, np.roll(ring, -1, axis=0), strict=True)
                if (y0 <= y) != (y1 <= y)
            ]
            # a centre on an edge may go either way
            if not np.isclose(edges, x, rtol=0.0, atol=1e-9).any():
                assert mask[row, col] == bool((np.array(edges) < x).sum() % 2), (row, col)


class TestGml:
    @pytest.mark.parametrize("dimension", [2, 3])
    def test_compact_and_long_names(self, tmp_path: Path, dimension: int) -> None:
        cloud = feature("OPAQUE", square(1, 1, 2, 2), dimension=dimension)
        long = "S2A_OPER_MSK_CLOUDS_SGS__20160905T073438_A006291_T53HPA_B00_MSIL1C.gml"
        for folder, name in ((tmp_path / "a", "MSK_CLOUDS_B00.gml"), (tmp_path / "b", long)):
            write_gml(folder / name, cloud, feature("CIRRUS", square(6, 6, 1, 1)))
            (folder / "MSK_CLOUDS_B00.gfs").write_text("side file")
            (folder / "._MSK_CLOUDS_B00.gml").write_text("side file")
            mask = read_mask(folder, "CLOUDS", TILE_BAND, GRID)
            assert mask is not None
            assert mask.sum() == 5

    def test_partially_corrected_pixels_are_data(self, tmp_path: Path) -> None:
        write_gml(
            tmp_path / "MSK_NODATA_B11.gml",
            feature("QT_PARTIALLY_CORRECTED_PIXELS", square(0, 0, 9, 8)),
            feature("QT_NODATA_PIXELS", square(0, 0, 2, 2)),
        )
        mask = read_mask(tmp_path, "NODATA", "B11", GRID)
        assert mask is not None
        assert mask.sum() == 4

    def test_empty_mask_is_not_a_missing_one(self, tmp_path: Path) -> None:
        write_gml(tmp_path / "MSK_SATURA_B02.gml")
        mask = read_mask(tmp_path, "SATURA", "B02", GRID)
        assert mask is not None
        assert not mask.any()
        assert read_mask(tmp_path, "SATURA", "B03", GRID) is None
        assert read_mask(tmp_path / "absent", "SATURA", "B02", GRID) is None

    @pytest.mark.parametrize("polygon", ["<Polygon/>", "<Polygon><posList/></Polygon>"])
    def test_polygon_without_points_marks_nothing(self, tmp_path: Path, polygon: str) -> None:
        write_gml(tmp_path / "MSK_DEFECT_B02.gml", f"<MaskFeature>{polygon}</MaskFeature>")
        mask = read_mask(tmp_path, "DEFECT", "B02", GRID)
        assert mask is not None
        assert not mask.any()

    @pytest.mark.parametrize(
        "content",
        [
            "<Mask",
            "<Other/>",
            "<Mask><maskMembers><MaskFeature><Polygon><posList>1 2 x</posList></Polygon>"
            "</MaskFeature></maskMembers></Mask>",
            "<Mask><maskMembers><MaskFeature><Polygon><posList>1 2 3</posList></Polygon>"
            "</MaskFeature></maskMembers></Mask>",
            "<Mask><maskMembers><MaskFeature><Polygon><posList>1 nan</posList></Polygon>"
            "</MaskFeature></maskMembers></Mask>",
        ],
    )
    def test_broken_mask_is_ignored_with_a_warning(
        self, tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        (tmp_path / "MSK_DEFECT_B02.gml").write_text(content)
        assert read_mask(tmp_path, "DEFECT", "B02", GRID) is None
        (record,) = caplog.records
        assert "mask DEFECT of B02 cannot be used" in record.getMessage()


class TestRaster:
    def layers(self, number: int, grid: Grid = GRID) -> np.ndarray:
        return np.zeros((*grid.shape, number), np.uint8)

    @pytest.mark.parametrize(("kind", "layer"), [("DEFECT", 4), ("NODATA", 5), ("SATURA", 7)])
    def test_each_kind_has_its_layer(self, tmp_path: Path, kind: str, layer: int) -> None:
        image = self.layers(8)
        image[2, 3, layer] = 1
        image[5, 5, 6] = 1
        images.write(tmp_path / "MSK_QUALIT_B02.jp2", image, GRID, 64)
        mask = read_mask(tmp_path, kind, "B02", GRID)
        assert mask is not None
        assert np.argwhere(mask).tolist() == [[2, 3]]

    def test_clouds_are_opaque_or_cirrus_but_not_snow(self, tmp_path: Path) -> None:
        image = self.layers(3)
        image[0, 0, 0] = image[1, 1, 1] = image[2, 2, 2] = 1
        images.write(tmp_path / "MSK_CLASSI_B00.jp2", image, GRID, 64)
        mask = read_mask(tmp_path, "CLOUDS", TILE_BAND, GRID)
        assert mask is not None
        assert np.argwhere(mask).tolist() == [[0, 0], [1, 1]]

    def test_nearest_pixel_on_finer_and_coarser_grids(self, tmp_path: Path) -> None:
        image = self.layers(3)
        image[2:4, 4:8, 0] = 1
        images.write(tmp_path / "MSK_CLASSI_B00.jp2", image, GRID, 64)
        fine = read_mask(tmp_path, "CLOUDS", TILE_BAND, Grid(32756, 1000.0, 2000.0, 5.0, 16, 20))
        coarse = read_mask(tmp_path, "CLOUDS", TILE_BAND, Grid(32756, 1000.0, 2000.0, 20.0, 4, 5))
        assert fine is not None
        assert coarse is not None
        np.testing.assert_array_equal(fine, np.kron(image[:, :, 0], np.ones((2, 2))) > 0)
        np.testing.assert_array_equal(coarse, image[::2, ::2, 0] > 0)

    def test_blocks_of_rows_and_pixels_outside(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sen2cor.product.level1c.masks._READ_ROWS", 3)
        image = self.layers(3)
        image[:, :, 0] = np.random.default_rng(1).integers(0, 2, GRID.shape)
        images.write(tmp_path / "MSK_CLASSI_B00.jp2", image, GRID, 64)
        shifted = Grid(32756, 980.0, 2010.0, 10.0, 10, 14)
        mask = read_mask(tmp_path, "CLOUDS", TILE_BAND, shifted)
        assert mask is not None
        np.testing.assert_array_equal(mask, np.pad(image[:, :, 0] > 0, ((1, 1), (2, 2))))

    def test_too_few_layers(self, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
        images.write(tmp_path / "MSK_QUALIT_B02.jp2", self.layers(3), GRID, 64)
        assert read_mask(tmp_path, "SATURA", "B02", GRID) is None
        assert "has 3 layers" in caplog.text


class TestTile:
    def test_no_band_means_any_band(self, tmp_path: Path) -> None:
        root = build(tmp_path, PSD_14)
        folder = next(root.glob("GRANULE/*/QI_DATA"))
        tile = open_level1c(root).tiles[0]
        grid = tile.grids[20]
        x, y = grid.ulx, grid.uly
        for number, band in enumerate(("B02", "B05")):
            ring = square(0, 0, 1, 1) - [GRID.ulx, GRID.uly] + [x + 100 * number, y]
            write_gml(folder / f"MSK_SATURA_{band}.gml", feature("QT_SATURATED_PIXELS_L1A", ring))
        mask = tile.mask("SATURA", None, tile.grids[10])
        assert mask is not None
        assert np.argwhere(mask).tolist() == [[0, 0], [0, 10]]
        one = tile.mask("SATURA", "B05", tile.grids[10])
        assert one is not None
        assert np.argwhere(one).tolist() == [[0, 10]]
        assert tile.mask("SATURA", "B03", grid) is None
        assert tile.mask("NODATA", None, grid) is None

    def test_rasters_of_baseline_04(self, tmp_path: Path) -> None:
        root = build(tmp_path, PSD_15)
        tile = open_level1c(root).tiles[0]
        grid = tile.grids[60]
        image = np.zeros((*grid.shape, 3), np.uint8)
        image[1, 2, 1] = 1
        images.write(tile.folder / "QI_DATA" / "MSK_CLASSI_B00.jp2", image, grid, 64)
        mask = tile.mask("CLOUDS", None, tile.grids[20])
        assert mask is not None
        assert mask.sum() == 9
        assert mask[3:6, 6:9].all()


class TestDetectors:
    def test_polygons(self, tmp_path: Path) -> None:
        """Identifiers name the detectors; what is no footprint of a detector is left out."""
        parts = (("detector_footprint-B02-03-0", 0.0), ("detector_footprint-B02-11-1", 4.0))
        members = [
            feature("DETECTOR_FOOTPRINT", square(left, 1.0, 3.0, 5.0)).replace(
                "<eop:MaskFeature>", f'<eop:MaskFeature gml:id="{name}">'
            )
            for name, left in (*parts, ("footprint", 8.0))
        ]
        write_gml(tmp_path / "MSK_DETFOO_B02.gml", *members)
        found = read_detectors(tmp_path, "B02", GRID)
        expected = np.zeros(GRID.shape, np.uint8)
        expected[1:6, 0:3] = 3
        expected[1:6, 4:7] = 11
        np.testing.assert_array_equal(found, expected)
        assert read_detectors(tmp_path, "B03", GRID) is None

    def test_raster(self, tmp_path: Path) -> None:
        numbers = np.arange(80, dtype=np.uint8).reshape(GRID.shape) // 8
        images.write(tmp_path / "MSK_DETFOO_B02.jp2", numbers, GRID, 1024)
        np.testing.assert_array_equal(read_detectors(tmp_path, "B02", GRID), numbers)
        path = tmp_path / "MSK_DETFOO_B02.jp2"
        path.rename(path.with_suffix(".jpx"))
        np.testing.assert_array_equal(read_detectors(tmp_path, "B02", GRID), numbers)
        below = GRID.uly - 2 * GRID.pixel_size
        part = replace(GRID, uly=below, rows=3)
        np.testing.assert_array_equal(read_detectors(tmp_path, "B02", part), numbers[2:5])
        outside = replace(GRID, uly=GRID.uly + 100 * GRID.pixel_size, rows=3)
        np.testing.assert_array_equal(read_detectors(tmp_path, "B02", outside), 0 * numbers[:3])
