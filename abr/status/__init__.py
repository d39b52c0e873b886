"""What an operator sees: health, state, metrics and the preview page."""
