"""Delivery: each origin at its own pace, segments before the playlists that name them."""
