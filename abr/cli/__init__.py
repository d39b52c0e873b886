"""The command line: one module a command, parse → call → exit code."""
