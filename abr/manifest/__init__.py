"""Playlists and manifests: views of what the journal says."""
