"""Which file a place is in, family by family."""

from __future__ import annotations

import pytest

from sen2cor.dem.tile_schemes import CGIAR, DTED, GLO30, GLO90, HGT, TileScheme, scheme_by_url

PRISM = "https://prism-dem-open.copernicus.eu/pd-desk-open-access/prismDownload/"


@pytest.mark.parametrize(
    ("longitude", "latitude", "name"),
    [
        (12.0, 59.9, "srtm_39_01"),
        (12.0, 59.99, "srtm_39_01"),
        (12.0, 60.0, "srtm_39_01"),
        (12.0, 55.0, "srtm_39_02"),
        (0.0, 47.0, "srtm_37_03"),
        (-0.01, 47.0, "srtm_36_03"),
        (-180.0, 1.0, "srtm_01_12"),
        (180.0, 1.0, "srtm_01_12"),
        (179.99, 1.0, "srtm_72_12"),
        (-180.01, 1.0, "srtm_72_12"),
        (12.0, -0.01, "srtm_39_13"),
        (-70.5, -33.4, "srtm_22_19"),
        (-67.2, -55.99, "srtm_23_24"),
        (-67.2, -56.0, "srtm_23_24"),
    ],
)
def test_siimpc_611_name_of_the_tile_of_a_place(
    longitude: float, latitude: float, name: str
) -> None:
    corner = CGIAR.corner(longitude, latitude)
    assert CGIAR.covers(corner)
    assert CGIAR.local_name(corner) == f"{name}.tif"
    assert CGIAR.remote_names(corner, "https://host") == (f"{name}.zip",)
    assert CGIAR.parse(f"sub/{name}.tif") == CGIAR.parse(f"{name.upper()}.ZIP") == corner


@pytest.mark.parametrize("latitude", [60.01, 62.5, 64.9, 64.99, 65.0, 65.1, -60.01])
def test_siimpc_611_no_tile_beyond_the_coverage(latitude: float) -> None:
    assert not CGIAR.covers(CGIAR.corner(12.0, latitude))


def test_siimpc_944_cells_across_the_date_line() -> None:
    tiles_in = list(CGIAR.tiles_in((179.5, -17.2, 180.6, -16.1)))
    assert tiles_in == [((175, -20), 0.0), ((-180, -20), 360.0)]
    assert list(HGT.tiles_in((-180.2, 1.5, -179.9, 1.6))) == [((179, 1), -360.0), ((-180, 1), 0.0)]


@pytest.mark.parametrize(
    ("scheme", "path", "corner"),
    [
        (DTED, "e012_n47.dt1", (12, 47)),
        (DTED, "W001_N09.DT2", (-1, 9)),
        (DTED, "w122_s03.dt0", (-122, -3)),
        (DTED, "e000_s01.dt1", (0, -1)),
        (DTED, "DTED/E012/N47.DT1", (12, 47)),
        (DTED, "n00_e006_3arc_v2.dt1", (6, 0)),
        (HGT, "N51E004.hgt", (4, 51)),
        (HGT, "n51e004.hgt", (4, 51)),
        (HGT, "S01W080.SRTMGL1.hgt.zip", (-80, -1)),
        (GLO30, "Copernicus_DSM_COG_10_N51_00_E004_00_DEM.tif", (4, 51)),
        (GLO30, "a/Copernicus_DSM_10_S05_00_W061_00_DEM.tif", (-61, -5)),
        (GLO90, "Copernicus_DSM_COG_30_N00_00_E006_00_DEM.tif", (6, 0)),
        (GLO30, "Copernicus_DSM_10_N51_00_W004_00.tar", (-4, 51)),
        (GLO30, "a/DEM/Copernicus_DSM_10_S01_00_E004_00_DEM.dt2", (4, -1)),
        (GLO90, "Copernicus_DSM_30_N51_00_E179_00.zip", (179, 51)),
    ],
)
def test_siimpc_573_corner_of_a_name(
    scheme: TileScheme, path: str, corner: tuple[int, int]
) -> None:
    assert scheme.parse(path) == corner


@pytest.mark.parametrize(
    ("scheme", "path"),
    [
        (DTED, "e012_n47.tif"),
        (DTED, "x012_n47.dt1"),
        (CGIAR, "srtm_39_01.tfw"),
        (HGT, "N51E004.num"),
        (GLO30, "Copernicus_DSM_COG_30_N51_00_E004_00_DEM.tif"),
        (GLO30, "Copernicus_DSM_COG_10_N51_00_E004_00_WBM.tif"),
        (GLO30, "AUXFILES/Copernicus_DSM_10_N51_00_E004_00_HEM.tif"),
    ],
)
def test_other_files_are_no_tiles(scheme: TileScheme, path: str) -> None:
    assert scheme.parse(path) is None


@pytest.mark.parametrize("scheme", [CGIAR, DTED, GLO30, GLO90, HGT])
@pytest.mark.parametrize("corner", [(0, 0), (-5, 45), (-180, -55), (175, 55), (10, -5)])
def test_stored_name_is_found_again(scheme: TileScheme, corner: tuple[int, int]) -> None:
    assert scheme.parse(scheme.local_name(corner)) == corner


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        ("https://srtm.csi.cgiar.org/wp-content/uploads/files/srtm_5x5/TIFF/", CGIAR),
        ("https://copernicus-dem-30m.s3.amazonaws.com", GLO30),
        ("https://copernicus-dem-90m.s3.amazonaws.com", GLO90),
        ("file:///data/planetdem/", DTED),
        ("https://host/SRTMGL1.003/2000.02.11", HGT),
        ("https://host/elevation", None),
        (PRISM + "COP-DEM_GLO-30-DGED__2021_1", GLO30),
        (PRISM + "COP-DEM_GLO-30-DGED/2022_1/", GLO30),
        (PRISM + "COP-DEM_GLO-90-DGED__2021_1/", GLO90),
        (PRISM + "COP-DEM_GLO-90-DTED__2023_1", GLO90),
    ],
)
def test_family_by_address(address: str, scheme: TileScheme | None) -> None:
    assert scheme_by_url(address) is scheme


@pytest.mark.parametrize(
    ("scheme", "dataset", "name"),
    [
        (GLO30, "COP-DEM_GLO-30-DGED__2021_1", "Copernicus_DSM_10_S01_00_W180_00.tar"),
        (GLO90, "COP-DEM_GLO-90-DTED/2023_1", "Copernicus_DSM_30_S01_00_W180_00.tar"),
    ],
)
def test_addresses_of_archives_are_asked_for_archives(
    scheme: TileScheme, dataset: str, name: str
) -> None:
    assert scheme.remote_names((-180, -1), PRISM + dataset) == (name,)
