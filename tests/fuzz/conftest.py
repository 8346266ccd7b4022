"""The modules of this folder find one another, as they do when `run.py` is started."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
