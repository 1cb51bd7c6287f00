"""In the sandbox: `program.py FILE ARGUMENTS…`: runs a file of the project as a program, from the project's folder."""

import os
import runpy
import sys

os.chdir("/w/project")
sys.argv = sys.argv[1:]
sys.path.insert(0, "/w/project")
runpy.run_path(sys.argv[0], run_name="__main__")
