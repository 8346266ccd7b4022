"""Benchmarks: every figure in the documents is printed by a command from here."""
