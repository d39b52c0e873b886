"""Live adaptive-bitrate packaging: a feed or a file in, HLS and DASH over one set of CMAF segments out."""

__all__ = ["__version__"]

__version__: str


def __getattr__(name: str) -> str:
    """`__version__`, found when it is asked for: reading a package's metadata takes longer than a short command."""
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("abr")
    except PackageNotFoundError:  # a source tree that was never installed
        return "0+unknown"
