"""The one record of what exists, and the segment files that wait on disk."""
