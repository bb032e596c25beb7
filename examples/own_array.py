# %% [markdown]
# # Classes and surface reflectance of an array of one's own
#
# The steps of the processor take arrays. Here they are taken one by one on labelled arrays of
# xarray: classify, find aerosol and water vapour, correct, plot. Cells are marked by `# %%`, as
# Jupyter (with jupytext), VS Code and Spyder show them; as a script it is
#
#     python examples/own_array.py PRODUCT.SAFE PICTURE.png
#
# Without a product a scene is simulated.

# %%
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap
from scipy.ndimage import maximum_filter

from sen2cor import steps
from sen2cor.imagery import jpeg2000
from sen2cor.product.level1c import open_level1c
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES

arguments = sys.argv[1:]
if arguments:
    path = Path(arguments[0])
else:
    from sen2cor.simulation.render import simulate
    from sen2cor.simulation.scenes import SCENES

    path = simulate(SCENES["summer"], Path(tempfile.mkdtemp(prefix="own-array-")), size=6000)
picture = Path(arguments[1] if len(arguments) > 1 else "own_array.png")

# %% [markdown]
# ## The array
#
# Top-of-atmosphere reflectance, float32, all bands on one grid, NaN where there are no data: here
# bands of a Level-1C product at 60 m. Where yours comes from does not matter; what has to be known
# of it is how high the sun stood and from where it shone and was seen.

# %%
PIXEL = 60
product = open_level1c(path)
tile = product.tiles[0]


def read(band: str) -> xr.DataArray:
    """Return the reflectance of a band as block means of 60 m."""
    numbers = jpeg2000.read(tile.bands[band])
    reflectance = xr.DataArray(product.reflectance(band, numbers), dims=("y", "x"))
    factor = len(reflectance) // tile.grids[60].rows
    return reflectance.where(numbers > 0).coarsen(y=factor, x=factor).mean()


toa = xr.Dataset({band: read(band) for band in tile.bands})
sun_zenith = tile.geometry.mean_solar_zenith
sun_azimuth = tile.geometry.mean_solar_azimuth
view_zenith = float(tile.geometry.view["B04"].zenith.mean())
view_azimuth = float(tile.geometry.view["B04"].azimuth.mean())
shape = toa["B04"].shape

# %% [markdown]
# ## Classes

# %%
classes = steps.classify(
    {band: toa[band].values for band in toa},
    no_data=toa["B04"].isnull().values,
    sun=steps.SunGeometry(sun_zenith, sun_azimuth, PIXEL),
)
scl = toa["B04"].copy(data=classes.scene_class)
share = {
    SCENE_CLASS_NAMES[code]: float((scl == code).mean()) for code in np.unique(classes.scene_class)
}
print("classes:", ", ".join(f"{name} {part:.1%}" for name, part in share.items()))

# %% [markdown]
# ## Aerosol
#
# The optical thickness with which dark vegetation comes out as dark as it is known to be. The water
# vapour does not matter much for it: a guess will do.

# %%
table = steps.load_table(product.spacecraft, "RURAL", "SUMMER")
geometry = steps.uniform_geometry(
    shape,
    PIXEL,
    solar_zenith=sun_zenith,
    solar_azimuth=sun_azimuth,
    view_zenith=view_zenith,
    view_azimuth=view_azimuth,
)
start = steps.uniform_state(shape, aot550=0.2, water_vapour=2.0)
clear = scl.isin([4, 5, 6]).values
cloudy = scl.isin([3, 8, 9, 10]).values
far_from_clouds = ~maximum_filter(cloudy, 11)
scene = steps.AerosolScene(
    geometry=geometry,
    toa=lambda band: toa[band].values,
    land=scl.isin([4, 5]).values & far_from_clouds,
    water=(scl == 6).values,
    ground=clear,
    valid=int((scl > 0).sum()),
    snowy=False,
    elevation=start.elevation,
    ozone=start.ozone,
    adjacency=round(1000 / PIXEL),
)
aerosol = steps.retrieve_aerosol(
    scene,
    [table],
    start.water_vapour,
    start.aot550,
    steps.CorrectionSettings(),
    fallback=steps.Fallback(40.0, "a guess"),
    mapped=True,
    season="SUMMER",
)
print(f"aerosol: optical thickness {aerosol.aot550.mean():.3f} from {aerosol.source}")

# %% [markdown]
# ## Water vapour
#
# The column that explains how much darker B09 is than B8A.

# %%
pair = ("B09", "B8A")
scattering = [
    steps.scattering_functions(
        table,
        band,
        geometry,
        aot550=aerosol.aot550,
        ozone=start.ozone,
        elevation=start.elevation,
    )
    for band in pair
]
curves = [steps.WaterCurve.of_band(table, band, start.elevation) for band in pair]
column = steps.retrieve_water_vapour(
    *(toa[band].values for band in pair),
    scattering=tuple(scattering),
    water=tuple(curves),
    start=2.0,
)
column = steps.complete_water_vapour(
    column,
    scl.isin([4, 5]).values,
    (scl == 6).values,
    over_water=1,
    window=1,
    fallback=2.0,
)
print(f"water vapour: {column.mean():.2f} cm")

# %% [markdown]
# ## Surface reflectance
#
# One call for a band. `apply_ufunc` keeps the labels.

# %%
state = steps.AtmosphereState(
    aerosol.aot550,
    column,
    start.ozone,
    start.elevation,
    steps.factors_by_band(aerosol.path_factor),
)


def corrected(band: xr.DataArray) -> xr.DataArray:
    """Return the surface reflectance of a band."""
    functions = steps.band_functions(table, band.name, geometry, state)
    return xr.apply_ufunc(
        steps.surface_reflectance,
        band,
        kwargs={"functions": functions, "usable": clear, "half_width": round(1000 / PIXEL)},
    )


surface = toa[["B02", "B03", "B04", "B8A", "B11", "B12"]].map(corrected)
for band in surface:
    before, after = (float(data[band].where(scl == 4).mean()) for data in (toa, surface))
    print(f"{band} of vegetation: {before:.3f} at the top, {after:.3f} at the ground")

# %% [markdown]
# ## The picture


# %%
def colours(data: xr.Dataset) -> xr.DataArray:
    """Return red, green and blue, brightened."""
    return (data[["B04", "B03", "B02"]].to_array("band") / 0.25).clip(0, 1) ** (1 / 1.6)


figure, axes = plt.subplots(1, 3, figsize=(15, 5.2), layout="constrained")
for axis, data, title in (
    (axes[0], toa, "top of atmosphere"),
    (axes[1], surface, "surface"),
):
    axis.imshow(colours(data).transpose("y", "x", "band").fillna(0))
    axis.set_title(title)
palette = ListedColormap(PALETTES["standard"])
axes[2].imshow(scl, cmap=palette, vmin=-0.5, vmax=11.5, interpolation="none")
axes[2].set_title("classes")
for axis in axes:
    axis.set_axis_off()
figure.savefig(picture, dpi=100)
print(f"picture: {picture}")
