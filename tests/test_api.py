"""The package from Python: `sen2cor.process`, the steps on arrays, the example."""

from __future__ import annotations

import io
import logging
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import sen2cor
from sen2cor import steps
from sen2cor.errors import InputError, UsageError
from sen2cor.imagery import jpeg2000
from sen2cor.product.level2a.reader import open_level2a
from tests.small_product import write_tiles

ROOT = Path(__file__).resolve().parents[1]


def test_importing_the_package_is_light() -> None:
    code = "import sys, sen2cor; print(*(name for name in sys.modules if name in sys.argv))"
    command = [sys.executable, "-c", code, "numpy", "scipy", "osgeo", "lxml", "skimage"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    assert result.stdout.strip() == ""


def test_every_public_name_is_there() -> None:
    for name in sen2cor.__all__:
        assert getattr(sen2cor, name) is not None
    for name in steps.__all__:
        assert getattr(steps, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        sen2cor.no_such_name  # noqa: B018


def test_process_makes_the_product_of_the_command(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    lines = io.StringIO()
    level = logging.getLogger("sen2cor").level
    outcome = sen2cor.process(
        str(small_product), output_directory=str(tmp_path), resolution=60, progress=lines
    )
    assert outcome.product.parent == tmp_path
    assert (outcome.exit_code, outcome.failed_tiles) == (0, ())
    assert lines.getvalue().startswith("Progress[%]: ")
    assert logging.getLogger("sen2cor").level == level
    ours, theirs = (open_level2a(path).path for path in (outcome.product, finished_product))
    images = sorted(path.relative_to(ours) for path in ours.glob("GRANULE/*/IMG_DATA/R60m/*.jp2"))
    assert len(images) >= 14
    for image in images:
        assert (ours / image).read_bytes() == (theirs / image).read_bytes()
    assert sen2cor.process(
        small_product, output_directory=tmp_path, resolution=60
    ).already_processed


def test_process_takes_settings(small_product: Path, tmp_path: Path) -> None:
    settings = sen2cor.load_settings()
    plain = replace(settings, common=replace(settings.common, generate_tci_output=False))
    outcome = sen2cor.process(
        small_product, settings=plain, output_directory=tmp_path, resolution=60
    )
    assert not list(outcome.product.rglob("*TCI*"))


def test_a_script_without_a_guard_may_work_on_tiles_side_by_side(tmp_path: Path) -> None:
    level1c = write_tiles(tmp_path, ["32UQD", "33UUU"], extent=720)
    script = tmp_path / "script.py"
    script.write_text(
        "from dataclasses import replace\n"
        "from sen2cor import load_settings, process\n"
        "settings = load_settings()\n"
        "settings = replace(settings, common=replace(settings.common, processes=2))\n"
        f"print(process({str(level1c)!r}, settings=settings, resolution=60).failed_tiles)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, str(script)]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert (result.returncode, result.stdout) == (0, "()\n"), result.stderr


def test_process_says_what_is_wrong(small_product: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing_here"):
        sen2cor.process(tmp_path / "nothing_here")
    with pytest.raises(TypeError, match="resolutoin"):
        sen2cor.process(small_product, resolutoin=20)
    with pytest.raises(TypeError, match="quiet"):
        sen2cor.process(small_product, quiet=True)
    for wrong in (
        {"resolution": 30},
        {"max_memory": 0},
        {"scheduler": "somewhere"},
        {"layout_only": True, "classification_only": True},
        {"image_format": "png"},
        {"palette": "grey"},
        {"resolution": 10, "classification_only": True},
    ):
        with pytest.raises(UsageError):
            sen2cor.process(small_product, output_directory=tmp_path, **wrong)
    assert list(tmp_path.iterdir()) == []


def test_the_inversion_undoes_the_forward_model() -> None:
    shape = (40, 50)
    geometry = steps.uniform_geometry(shape, 20.0, solar_zenith=35.0, solar_azimuth=150.0)
    table = steps.load_table("S2B", "RURAL", "SUMMER")
    state = steps.uniform_state(shape, aot550=0.2, water_vapour=2.0)
    surface = np.random.default_rng(3).uniform(0.01, 0.6, shape).astype(np.float32)
    for band in ("B02", "B8A", "B12"):
        terms = steps.band_terms(table, band, geometry, state)
        albedo = terms.spherical_albedo
        toa = terms.path_reflectance + terms.transmittance * surface / (1 - albedo * surface)
        found = steps.surface_reflectance(toa, terms)
        np.testing.assert_allclose(found, surface, atol=2e-5)
        uniform = np.full(shape, 0.3, np.float32)
        toa = terms.path_reflectance + terms.transmittance * uniform / (1 - albedo * uniform)
        toa[3, 4] = np.nan
        adjacent = steps.surface_reflectance(toa, terms, half_width=5)
        assert np.isnan(adjacent[3, 4])
        np.testing.assert_allclose(np.delete(adjacent, 3, 0), 0.3, atol=2e-5)


def test_adjacency_raises_contrast_and_leaves_out_what_is_not_usable() -> None:
    shape = (41, 41)
    geometry = steps.uniform_geometry(shape, 60.0, solar_zenith=40.0, solar_azimuth=150.0)
    table = steps.load_table("S2A", "RURAL", "SUMMER")
    state = steps.uniform_state(shape, aot550=0.4, water_vapour=2.0)
    terms = steps.band_terms(table, "B8A", geometry, state)
    toa = np.full(shape, 0.3, np.float32)
    toa[20, 20] = 0.06
    plain, adjacent = (
        steps.surface_reflectance(toa, terms, half_width=width)[20, 20] for width in (0, 8)
    )
    assert adjacent < plain - 0.01
    alone = np.zeros(shape, np.bool_)
    alone[20, 20] = True
    own = steps.surface_reflectance(toa, terms, usable=alone, half_width=8)[20, 20]
    assert own == pytest.approx(plain, abs=1e-5)


def test_the_example_finds_what_the_processor_finds(
    small_product: Path, finished_product: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("xarray")
    picture = tmp_path / "picture.png"
    result = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "own_array.py"), str(small_product), str(picture)],
        env={**os.environ, "MPLBACKEND": "Agg", "PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert picture.stat().st_size > 5000
    for line in ("classes: vegetation", "from optimal estimation", "B12 of vegetation"):
        assert line in result.stdout
    found = re.search(r"thickness ([\d.]+) [\s\S]*vapour: ([\d.]+) cm", result.stdout)
    assert found is not None
    aot, water_vapour = (
        0.001 * jpeg2000.read(next(finished_product.rglob(f"*_{name}_60m.jp2"))).mean()
        for name in ("AOT", "WVP")
    )
    # the example has the same angles for all bands and pixels
    assert float(found[1]) == pytest.approx(aot, abs=0.02)
    assert float(found[2]) == pytest.approx(water_vapour, abs=0.05)
