"""`python -m cnnzip` is `cnnzip`."""

from cnnzip.cli import main

main()
