"""Packets → frames on the output clock → encoded packets of every rung."""
