"""Encoded packets → CMAF inits and segments. Returns bytes and values, touches no file."""
