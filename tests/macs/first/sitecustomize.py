"""Python imports this before anything else where it stands first: it makes a program take the machine for a Mac."""

import os
import sys
from pathlib import Path

if "FAKE_MAC" in os.environ:
    sys.path.append(str(Path(__file__).parents[3]))
    from tests.macs import install

    install.from_environment()
