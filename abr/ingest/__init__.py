"""Feeds: what comes in, and how it becomes normalised packets."""
