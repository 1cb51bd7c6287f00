"""Which SDK this Python was built with, by its own file: to older ones macOS tells another version of itself.

Layouts: `mach-o/loader.h` (struct mach_header_64, build_version_command), `mach-o/fat.h`.
"""

import struct
import sys
from pathlib import Path

MAGIC_64, FAT, LC_BUILD_VERSION = 0xFEEDFACF, 0xCAFEBABE, 0x32
ARM64 = 0x0100000C
HEADER_BYTES = 32


def sdk(file: Path | None = None) -> str | None:
    """Such as 15.5; None of a file that does not tell."""
    return decode((file or Path(sys.executable).resolve()).read_bytes())


def decode(content: bytes) -> str | None:
    """The SDK of a Mach-O file, of its arm64 part where it has several."""
    try:
        begins = _slice(content)
        magic, _, _, _, count = struct.unpack_from("<5I", content, begins)
        if magic != MAGIC_64:
            return None
        place = begins + HEADER_BYTES
        for _ in range(count):
            kind, size = struct.unpack_from("<2I", content, place)
            if kind == LC_BUILD_VERSION:
                version = struct.unpack_from("<I", content, place + 16)[0]  # xxxx.yy.zz in nibbles
                return f"{version >> 16}.{version >> 8 & 0xFF}"
            place += size
    except struct.error:
        pass
    return None


def _slice(content: bytes) -> int:
    magic, count = struct.unpack_from(">2I", content, 0)
    if magic != FAT:
        return 0
    parts = [struct.unpack_from(">5I", content, 8 + 20 * place) for place in range(min(count, 8))]
    return next((offset for kind, _, offset, _, _ in parts if kind == ARM64), parts[0][2] if parts else 0)
