"""Pure bytes ⇄ values: no socket, file, thread or clock in here."""
