# %% [markdown]
# # Scene classes and surface reflectance of your own arrays
#
# This example calls the processing steps one by one on xarray arrays: classify, correct for cirrus,
# retrieve aerosol and water vapour, compute surface reflectance, plot. Jupyter (with jupytext),
# VS Code and Spyder show the cells marked by `# %%`. To run it as a script:
#
#     python examples/own_array.py PRODUCT.SAFE PICTURE.png
#
# Without arguments it simulates a scene. Install what it needs with `pip install '.[examples]'`.

# %%
import sys
import tempfile
from pathlib import Path

import numpy as np
import xarray as xr
from matplotlib import pyplot as plt
from matplotlib.colors import ListedColormap

from sen2cor import steps
from sen2cor.product.level1c.reader import open_level1c
from sen2cor.reporting.palette import PALETTES, SCENE_CLASS_NAMES

arguments = sys.argv[1:]
if arguments:
    path = Path(arguments[0])
else:
    from sen2cor.simulation.create_product import simulate
    from sen2cor.simulation.scenes import SCENES

    path = simulate(SCENES["summer"], Path(tempfile.mkdtemp(prefix="own-array-")), size=6000)
picture = Path(arguments[1] if len(arguments) > 1 else "own_array.png")

# %% [markdown]
# ## The array
#
# Top-of-atmosphere reflectance as float32, all bands on one grid, NaN for no data: here the bands
# of a Level-1C product at 60 m. Any other source works if you know the solar and view angles.

# %%
PIXEL = 60
product = open_level1c(path)
tile = product.tiles[0]


def read(band: str) -> xr.DataArray:
    """Read the reflectance of a band as block means of 60 m."""
    numbers = tile.read_band(band)
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
    no_data=toa.to_array().isnull().any("variable").values,
    sun=steps.SunGeometry(sun_zenith, sun_azimuth, PIXEL),
)
scl = toa["B04"].copy(data=classes.scene_class)
fractions = {
    SCENE_CLASS_NAMES[code]: float((scl == code).mean()) for code in np.unique(classes.scene_class)
}
print("classes:", ", ".join(f"{name} {part:.1%}" for name, part in fractions.items()))

masks = steps.GroundMasks.from_classes(classes.scene_class, factor=1, shape=shape)

# %% [markdown]
# ## Cirrus
#
# Cirrus is bright at 1.375 um, where water vapour hides the surface; its reflectance is removed
# from all bands. From here on the arrays have no NaN; the masks mark pixels without data.

# %%
WATER_VAPOUR = 2.0  # cm, a first guess
ADJACENCY = round(1000 / PIXEL)  # half width of the adjacency window in pixels

cirrus = steps.retrieve_cirrus(
    {band: toa[band].fillna(0.0).values for band in toa},
    measured=toa["B10"].notnull().values,
    ground=masks.ground,
    water_vapour=WATER_VAPOUR,
    parameters=steps.CirrusParameters(),
)
clear = toa.map(lambda band: band.copy(data=cirrus.remove(band.name, band.values)))
print("cirrus:", cirrus.reason or "corrected")

# %% [markdown]
# ## Aerosol and water vapour
#
# The AOT for which dark vegetation has its known reflectance, and the water vapour that explains
# the ratio of B09 to B8A. Both are retrieved jointly, as in the processor.

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
scene = steps.AerosolScene(
    geometry=geometry,
    toa=lambda band: clear[band].fillna(0.0).values,
    land=masks.reference,
    water=masks.water,
    ground=masks.ground,
    clear_land=masks.clear_land,
    valid=int(masks.valid.sum()),
    snowy=masks.snowy,
    elevation=0.1,  # km
    ozone=331.0,  # Dobson units
    adjacency=ADJACENCY,
)
state, aerosol = steps.retrieve_aerosol_and_water_vapour(
    scene,
    [table],
    steps.FirstGuess(visibility=40.0, source="a guess", water_vapour=WATER_VAPOUR, season="SUMMER"),
    aerosol=steps.AerosolParameters(),
    water_vapour=steps.WaterVapourParameters(),
)
print(f"aerosol: optical thickness {state.aot550.mean():.3f} from {aerosol.source}")
print(f"water vapour: {state.water_vapour.mean():.2f} cm")

# %% [markdown]
# ## Surface reflectance
#
# One call for each band. `apply_ufunc` keeps the labels.


# %%
def corrected(band: xr.DataArray) -> xr.DataArray:
    """Compute the surface reflectance of a band."""
    terms = steps.band_terms(table, band.name, geometry, state)
    return xr.apply_ufunc(
        steps.surface_reflectance,
        band,
        kwargs={"terms": terms, "usable": masks.ground, "half_width": ADJACENCY},
    )


surface = clear[["B02", "B03", "B04", "B8A", "B11", "B12"]].map(corrected)
for band in surface:
    before, after = (float(data[band].where(scl == 4).mean()) for data in (toa, surface))
    print(
        f"{band} of vegetation: {before:.3f} at the top of the atmosphere, "
        f"{after:.3f} at the surface"
    )

# %% [markdown]
# ## Picture


# %%
def colours(data: xr.Dataset) -> xr.DataArray:
    """Return a brightened RGB image."""
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
