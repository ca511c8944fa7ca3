"""Scripts find one another by their folder, also as `python -m scripts.make_figures`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
