"""Configuration: the three XML files of a run, as frozen and typed settings."""

from sen2cor.settings.home import write_home
from sen2cor.settings.load import load_settings
from sen2cor.settings.locate import packaged_configuration_folder
from sen2cor.settings.settings import Difference, Settings

__all__ = [
    "Difference",
    "Settings",
    "load_settings",
    "packaged_configuration_folder",
    "write_home",
]
