"""Frozen records, integers and level tables: the words that every other folder speaks."""
