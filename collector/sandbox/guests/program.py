"""In the sandbox: `program.py FILE`: runs a file of the project as a program, once for each case on stdin.

A case is a list of arguments and what is on the program's stdin. All in one go, since Python's own start takes longer.
"""

import io
import json
import os
import runpy
import sys

os.chdir("/w/project")
sys.path.insert(0, "/w/project")
program = sys.argv[1]
for arguments, given in json.load(sys.stdin):
    sys.argv, sys.stdin = [program, *arguments], io.StringIO(given)
    ended = None
    try:
        runpy.run_path(program, run_name="__main__")
    except SystemExit as end:
        ended = end.code
    sys.stdout.write(f"\nended with {ended!r}\n")
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith("/w/project/"):
            del sys.modules[name]
