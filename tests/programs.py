"""Programs: scripts run as programs one after another in one fresh process, since to load NumPy and
Matplotlib takes longer than most of them.

    python tests/programs.py '[["a_script.py", "--an-option"], ...]'

prints a JSON list of [exit status, stdout, stderr]. Each script has a namespace of its own, as it
has alone: what it forgets to import it does not find here either.
"""

import contextlib
import io
import json
import runpy
import subprocess
import sys
from pathlib import Path

SCRIPTS = Path(__file__).parent.parent / "scripts"


def programs(calls, **kwargs):
    """[exit status, stdout, stderr] of each call [script, argument, ...]."""
    calls = [list(map(str, call)) for call in calls]
    done = subprocess.run([sys.executable, __file__, json.dumps(calls)], text=True,
                          capture_output=True, timeout=600, **kwargs)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def run(script, *arguments):
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    status = 0
    sys.argv = [str(SCRIPTS / script), *arguments]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
        except SystemExit as ended:
            status = ended.code or 0
    for text in (out, err):
        text.seek(0)                                        # which writes what is still held back
    return status, out.read(), err.read()


if __name__ == "__main__":
    sys.path[0] = str(SCRIPTS)                              # as it is for a script
    print(json.dumps([run(*call) for call in json.loads(sys.argv[1])]))
