"""`report.html`: what a benchmark found, in one file that needs no network."""

from cnnzip.bench.report.write import write_report

__all__ = ["write_report"]
