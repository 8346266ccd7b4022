"""The jobs: a file for each command that works through many files."""
