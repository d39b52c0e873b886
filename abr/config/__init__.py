"""TOML and command-line text → typed, checked settings."""
