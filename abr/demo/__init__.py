"""The demonstration: a test picture that publishes itself, and a page that plays it."""
