"""The oldest versions that setup.cfg allows, as constraints for pip: each of its `>=` as `==`.

They are made for the oldest Python; for a newer one this prints nothing, and pip takes the newest.
"""

import sys
from configparser import ConfigParser
from pathlib import Path

settings = ConfigParser()
settings.read(Path(__file__).parent.parent / "setup.cfg", encoding="utf-8")
options, extras = settings["options"], settings["options.extras_require"]
if options["python_requires"] == ">={}.{}".format(*sys.version_info):
    for line in (options["install_requires"] + extras["figures"] + extras["test"]).split():
        if ">=" in line:
            print(line.replace(">=", "=="))
