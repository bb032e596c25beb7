"""Configuration: the three XML files of a run, as immutable, typed settings."""

from sen2cor.settings.configuration_files import packaged_configuration_folder, write_home
from sen2cor.settings.settings import Difference, Settings, load_settings

__all__ = [
    "Difference",
    "Settings",
    "load_settings",
    "packaged_configuration_folder",
    "write_home",
]
