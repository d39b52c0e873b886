"""The judge of a published stream. It shares no code with what made it."""
