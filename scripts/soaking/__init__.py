"""A day of a channel in minutes: times, clocks and cuts without media."""
