"""Expert settings of the atmospheric correction: the elements of L2A_CAL_AC_GIPP as a table.

The ``AC_`` elements exist since Sen2Cor 2.8. They are optional; their defaults are the constants of
Sen2Cor 2.3. They are translated into the parameters of `sen2cor.atmosphere.parameters`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sen2cor.atmosphere.parameters import (
    AerosolParameters,
    NegativeReflectanceParameters,
    PathRadianceParameters,
    ReferencePixelParameters,
    TerrainParameters,
    WaterVapourParameters,
)
from sen2cor.settings.elements import Table
from sen2cor.settings.value_types import Boolean, Choice, Decimal, Integer, PathText

DOCUMENT = "L2A_CAL_AC_GIPP"
TOP = "Atmospheric_Correction"

_REFERENCES = Table(DOCUMENT, f"{TOP}/References")
_TOP = Table(DOCUMENT, TOP)


@dataclass(frozen=True)
class CorrectionSettings:
    """Parameters of L2A_CAL_AC_GIPP.

    Field names are the element names in lower case without ``AC_``. Reflectances are 0..1.
    """

    lib_dir: str = _REFERENCES.item(
        "Lib_Dir",
        PathText(),
        "lib",
        "Folder of look-up tables; if it contains .atm tables of Sen2Cor, these are used",
    )
    scaling_limiter: bool = _TOP.item(
        "Scaling_Limiter",
        Boolean(),
        "false",
        "Limit the scaling factor of the blue path radiance to min_sc_blu..max_sc_blu",
    )
    scaling_disabler: bool = _TOP.item(
        "Scaling_Disabler",
        Boolean(),
        "true",
        "Do not scale the blue path radiance; overrides Scaling_Limiter. Sen2Cor 2.3 ships false",
    )
    rho_retrieval_step2: bool = _TOP.item(
        "Rho_Retrieval_Step2",
        Boolean(),
        "true",
        "Correct reflectance for terrain and adjacency effects; classification, aerosol and water "
        "vapour use the elevation model in either case",
    )
    min_sc_blu: float = _TOP.item(
        "min_sc_blu",
        Decimal(0, 10),
        "0.9",
        "Minimum scaling factor with Scaling_Limiter",
        since="2.8",
    )
    max_sc_blu: float = _TOP.item(
        "max_sc_blu",
        Decimal(0, 10),
        "1.1",
        "Maximum scaling factor with Scaling_Limiter",
        since="2.8",
    )
    aot_method: str = _TOP.item(
        "AC_Aot_Method",
        Choice(("OE", "DDV")),
        "OE",
        "Aerosol retrieval: OE, optimal estimation with a prior of the surface; DDV, dark dense "
        "vegetation as in Sen2Cor",
        since="ours",
    )
    min_ddv_area: float = _TOP.item(
        "AC_Min_Ddv_Area",
        Decimal(0, 100),
        "2.0",
        "Minimum percentage of reference pixels; below it the next threshold is tried",
        since="2.8",
    )
    swir_refl_lower_th: float = _TOP.item(
        "AC_Swir_Refl_Lower_Th",
        Decimal(0, 1),
        "0.01",
        "Minimum 2.2 um reflectance of a reference pixel",
        since="2.8",
    )
    swir_22um_red_refl_ratio: float = _TOP.item(
        "AC_Swir_22um_Red_Refl_Ratio",
        Decimal(0.4, 0.6),
        "0.5",
        "Ratio of red to 2.2 um reflectance of dark vegetation",
        since="2.8",
    )
    red_blue_refl_ratio: float = _TOP.item(
        "AC_Red_Blue_Refl_Ratio",
        Decimal(-1, 1),
        "0.5",
        "Ratio of blue to red reflectance of dark vegetation",
        since="2.8",
    )
    cut_off_aot_iter_vegetation: float = _TOP.item(
        "AC_Cut_Off_Aot_Iter_Vegetation",
        Decimal(-1, 1),
        "0.01",
        "Maximum fraction of vegetation pixels with negative red reflectance",
        since="2.8",
    )
    cut_off_aot_iter_water: float = _TOP.item(
        "AC_Cut_Off_Aot_Iter_Water",
        Decimal(-1, 1),
        "-0.005",
        "Near-infrared reflectance below which a water pixel counts as negative",
        since="2.8",
    )
    aerosol_type_ratio_th: float = _TOP.item(
        "AC_Aerosol_Type_Ratio_Th",
        Decimal(-1, 1),
        "0.05",
        "Tolerance of the double ratio of blue to red path radiance; if two seasons differ by "
        "less, AUTO selects the season by date and latitude",
        since="2.8",
    )
    topo_corr_th: float = _TOP.item(
        "AC_Topo_Corr_Th",
        Decimal(0, 1),
        "0.01",
        "Fraction of sloped pixels above which the terrain counts as rugged",
        since="2.8",
    )
    slope_th: float = _TOP.item(
        "AC_Slope_Th",
        Decimal(0, 90),
        "6.0",
        "Slope in degrees above which a pixel is sloped",
        since="2.8",
    )
    dem_p2p_val: float = _TOP.item(
        "AC_Dem_P2p_Val",
        Decimal(0, 300),
        "50",
        "Range of elevation in m below which the terrain counts as flat",
        since="2.8",
    )
    swir_refl_ndvi_th: float = _TOP.item(
        "AC_Swir_Refl_Ndvi_Th",
        Decimal(0, 1),
        "0.10",
        "Minimum NDVI of a reference pixel",
        since="2.8",
    )
    ddv_swir_refl_th1: float = _TOP.item(
        "AC_Ddv_Swir_Refl_Th1",
        Decimal(0, 1),
        "0.05",
        "Maximum 2.2 um reflectance of a reference pixel, first attempt",
        since="2.8",
    )
    ddv_swir_refl_th2: float = _TOP.item(
        "AC_Ddv_Swir_Refl_Th2", Decimal(0, 1), "0.10", "The same, second attempt", since="2.8"
    )
    ddv_swir_refl_th3: float = _TOP.item(
        "AC_Ddv_Swir_Refl_Th3", Decimal(0, 1), "0.12", "The same, third attempt", since="2.8"
    )
    ddv_16um_refl_th1: float = _TOP.item(
        "AC_Ddv_16um_Refl_Th1",
        Decimal(0, 1),
        "0.10",
        "Maximum 1.6 um reflectance of a reference pixel, first attempt",
        since="2.8",
    )
    ddv_16um_refl_th2: float = _TOP.item(
        "AC_Ddv_16um_Refl_Th2", Decimal(0, 1), "0.15", "The same, second attempt", since="2.8"
    )
    ddv_16um_refl_th3: float = _TOP.item(
        "AC_Ddv_16um_Refl_Th3", Decimal(0, 1), "0.18", "The same, third attempt", since="2.8"
    )
    dbv_nir_refl_th: float = _TOP.item(
        "AC_Dbv_Nir_Refl_Th",
        Decimal(0, 1),
        "0.35",
        "Minimum near-infrared reflectance of dense bright vegetation",
        since="2.8",
    )
    dbv_ndvi_th: float = _TOP.item(
        "AC_Dbv_Ndvi_Th",
        Decimal(0, 1),
        "0.66",
        "Minimum NDVI of dense bright vegetation",
        since="2.8",
    )
    red_ref_refl_th: float = _TOP.item(
        "AC_Red_Ref_Refl_Th",
        Decimal(0, 1),
        "0.02",
        "Red reflectance assumed for dense bright vegetation",
        since="2.8",
    )
    dbv_red_veget_tst_ndvi_th: float = _TOP.item(
        "AC_Dbv_Red_Veget_Tst_Ndvi_Th",
        Decimal(0, 1),
        "0.40",
        "Minimum NDVI of vegetation in the test for negative reflectance",
        since="2.8",
    )
    dbv_red_veget_refl_th: float = _TOP.item(
        "AC_Dbv_Red_Veget_Refl_Th",
        Decimal(0, 1),
        "0.15",
        "Maximum red reflectance of vegetation in the test for negative reflectance",
        since="2.8",
    )
    wv_iter_start_summer: float = _TOP.item(
        "AC_Wv_Iter_Start_Summer",
        Decimal(0, 5),
        "1.0",
        "Initial water vapour column in cm, summer",
        since="2.8",
    )
    wv_iter_start_winter: float = _TOP.item(
        "AC_Wv_Iter_Start_Winter",
        Decimal(0, 5),
        "0.4",
        "Initial water vapour column in cm, winter",
        since="2.8",
    )
    rng_nbhd_terrain_corr: float = _TOP.item(
        "AC_Rng_Nbhd_Terrain_Corr",
        Decimal(0, 1),
        "0.5",
        "Half width in km of the neighbourhood that reflects radiation onto a slope",
        since="2.8",
    )
    max_nr_topo_iter: int = _TOP.item(
        "AC_Max_Nr_Topo_Iter",
        Integer(0, 9),
        "3",
        "Maximum number of terrain iterations",
        since="2.8",
    )
    topo_corr_cutoff: float = _TOP.item(
        "AC_Topo_Corr_Cutoff",
        Decimal(0, 10),
        "5.0",
        "Maximum ratio of terrain-corrected to flat-terrain reflectance; Sen2Cor 2.8 ships 1.5, "
        "but its products reach 4",
        since="2.8",
    )
    vegetation_index_th: float = _TOP.item(
        "AC_Vegetation_Index_Th",
        Decimal(1, 10),
        "3.0",
        "Ratio of near-infrared to red reflectance that separates soil from vegetation",
        since="2.8",
    )
    limit_area_path_rad_scale: float = _TOP.item(
        "AC_Limit_Area_Path_Rad_Scale",
        Decimal(0, 90),
        "0",
        "Percentage of rows and columns at the edges that the search for reference pixels "
        "excludes; 0: none",
        since="2.8",
    )
    ddv_smoothing_window: float = _TOP.item(
        "AC_Ddv_Smooting_Window",
        Decimal(0, 10),
        "1.0",
        "Window in km of the smoothing of the aerosol map (all versions misspell the element)",
        since="2.8",
    )
    ddv_gap_filling: str = _TOP.item(
        "AC_Ddv_Gap_Filling",
        Choice(("MEAN", "DISTANCE")),
        "DISTANCE",
        "Aerosol between reference pixels: MEAN, their mean; DISTANCE, weighted by distance and "
        "tending to the mean far from them",
        since="ours",
    )
    terrain_refl_start: float = _TOP.item(
        "AC_Terrain_Refl_Start",
        Decimal(0, 1),
        "0.1",
        "Initial reflectance of the surrounding terrain",
        since="2.8",
    )
    spr_refl_percentage: float = _TOP.item(
        "AC_Spr_Refl_Percentage",
        Decimal(0, 1),
        "0.25",
        "Minimum number of reference pixels for path radiance scaling, in % of the land pixels",
        since="2.8",
    )
    spr_refl_promille: float = _TOP.item(
        "AC_Spr_Refl_Promille",
        Decimal(0, 1),
        "0.3",
        "Minimum number of reference pixels for path radiance scaling, in per mille of the scene",
        since="2.8",
    )

    def aerosol_parameters(self, *, variable: bool) -> AerosolParameters:
        """Translate the elements of the aerosol retrieval.

        Parameters
        ----------
        variable : bool
            Whether the aerosol varies over the scene (VIS_Update_Mode of L2A_GIPP).
        """
        return AerosolParameters(
            method=self.aot_method,
            reference_pixels=ReferencePixelParameters(
                min_area=self.min_ddv_area,
                margin=self.limit_area_path_rad_scale,
                min_swir=self.swir_refl_lower_th,
                swir_22_thresholds=(
                    self.ddv_swir_refl_th1,
                    self.ddv_swir_refl_th2,
                    self.ddv_swir_refl_th3,
                ),
                swir_16_thresholds=(
                    self.ddv_16um_refl_th1,
                    self.ddv_16um_refl_th2,
                    self.ddv_16um_refl_th3,
                ),
                min_ndvi=self.swir_refl_ndvi_th,
                min_nir_to_red=self.vegetation_index_th,
                red_to_swir=self.swir_22um_red_refl_ratio,
                blue_to_red=self.red_blue_refl_ratio,
                bright_min_nir=self.dbv_nir_refl_th,
                bright_min_ndvi=self.dbv_ndvi_th,
                bright_red=self.red_ref_refl_th,
            ),
            negative_reflectance=NegativeReflectanceParameters(
                min_ndvi=self.dbv_red_veget_tst_ndvi_th,
                max_red=self.dbv_red_veget_refl_th,
                max_vegetation_fraction=self.cut_off_aot_iter_vegetation,
                min_water_nir=self.cut_off_aot_iter_water,
            ),
            path_radiance=PathRadianceParameters(
                rescale=not self.scaling_disabler,
                limit=self.scaling_limiter,
                min_factor=self.min_sc_blu,
                max_factor=self.max_sc_blu,
                min_land_percent=self.spr_refl_percentage,
                min_scene_permille=self.spr_refl_promille,
            ),
            double_ratio_tolerance=self.aerosol_type_ratio_th,
            variable=variable,
            gap_filling=self.ddv_gap_filling,
            smoothing_window=self.ddv_smoothing_window,
        )

    @property
    def water_vapour_start(self) -> Mapping[str, float]:
        """Initial water vapour column in cm, by season."""
        return {"SUMMER": self.wv_iter_start_summer, "WINTER": self.wv_iter_start_winter}

    def water_vapour_parameters(
        self, *, retrieve: bool, over_water: int, smoothing: float
    ) -> WaterVapourParameters:
        """Translate the elements of the water vapour retrieval.

        Parameters
        ----------
        retrieve, over_water, smoothing
            WV_Correction, WV_Watermask and Smooth_WV_Map of L2A_GIPP.
        """
        return WaterVapourParameters(
            retrieve=retrieve,
            start_column=self.water_vapour_start,
            over_water=over_water,
            smoothing=smoothing,
        )

    def terrain_parameters(self, pixel_size: float) -> TerrainParameters:
        """Translate the elements of the slope correction for a grid of this pixel size in m."""
        return TerrainParameters(
            start_reflectance=self.terrain_refl_start,
            max_iterations=self.max_nr_topo_iter,
            half_width=round(self.rng_nbhd_terrain_corr * 1000.0 / pixel_size),
            max_factor=self.topo_corr_cutoff,
        )
