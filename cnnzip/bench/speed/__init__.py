"""cnnzip's speed beside that of other codecs, and how it grows with the picture: `python -m cnnzip.bench.speed`."""
