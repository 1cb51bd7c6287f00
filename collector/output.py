"""What the system's own programs print, and property lists among it."""

import plistlib
import subprocess
from typing import Any

from collector import children

PATIENCE_S = 10


def output(*command: str, **variables: str) -> str | None:
    """What a program prints, without blanks around it; None where it is missing, fails, hangs or prints nothing.

    `variables` are added to its environment. What is no UTF-8 becomes a mark: `ioreg` cuts names within a character.
    """
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=True,
            timeout=PATIENCE_S,
            env=children.environment(**variables),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def entries(plist: str | None) -> list[dict[str, Any]]:
    """The dictionaries of a property list that is an array, as `ioreg -a` prints it; none of anything else."""
    try:
        read = plistlib.loads(plist.encode()) if plist else []
    except Exception:  # of damaged XML plistlib raises ValueError, KeyError, ExpatError and more
        return []
    return [entry for entry in read if isinstance(entry, dict)] if isinstance(read, list) else []
