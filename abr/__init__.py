"""Live adaptive-bitrate packaging: a feed or a file in, HLS and DASH over one set of CMAF segments out."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("abr")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"

__all__ = ["__version__"]
