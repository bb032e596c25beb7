"""Packages and data files; the metadata are in ``pyproject.toml``.

``cfg/`` of the source tree is installed as the package ``sen2cor.cfg``.
"""

from setuptools import find_packages, setup

setup(
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
)
