"""What the package is stands in setup.cfg; here is only what a Python that is too old is told.

Without it pip says that versions are in conflict, and not that Python is the one to change.
"""

import sys

from setuptools import setup

if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit(f"gdl_numpy needs Python 3.11 or newer, and this is Python {sys.version_info[0]}."
             f"{sys.version_info[1]}: remove .venv and make it anew, python3.11 -m venv .venv")
setup()
