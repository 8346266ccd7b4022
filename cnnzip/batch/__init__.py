"""The batch room: many files, in several processes or on several machines, and nothing lost when one of them dies.

It stands on `codec` and knows nothing of the command line: sources → plan (targets, journal) → engine → summary.
"""
