"""Linux: RAPL, the processor's own energy counters, by the kernel's powercap files.

A zone is a folder with `name`, `energy_uj` and `max_energy_range_uj`, at which the counter begins anew
(Documentation/power/powercap/powercap.rst). Packages hold cores and a graphics unit in the processor; memory is a zone
of its own beside them where the processor has one. `intel-rapl-mmio` shows the same package a second time and `psys`
all of them once more, so neither is counted. Since CVE-2020-8694 `energy_uj` is readable by root alone unless somebody
allowed it.
"""

import contextlib
from pathlib import Path

from collector.energy import Channel, Counters, Unreadable

POWERCAP = Path("/sys/class/powercap")
NONE = "this system has no energy counters that can be read"
ROOT_ONLY = "the system lets only root read its energy counters"


class Rapl:
    """All packages of the machine, summed."""

    name = "RAPL"

    def __init__(self) -> None:
        """Raises Unreadable."""
        self._zones: list[tuple[str, Path, int]] = []  # rail, counter, the highest value it has
        self.channels: list[Channel] = []
        try:
            for zone in sorted(POWERCAP.glob("intel-rapl:*")):
                name = (zone / "name").read_text().strip()
                rail = "cpu_uj" if name.startswith("package") else "dram_uj" if name == "dram" else None
                if rail:
                    self._zones.append((rail, zone / "energy_uj", int((zone / "max_energy_range_uj").read_text())))
                    self.channels.append(Channel(rail, f"{zone.name} {name}", "uJ"))
            self._last = [_count(counter) for _, counter, _ in self._zones]
        except PermissionError:
            raise Unreadable(ROOT_ONLY) from None
        except (OSError, ValueError):
            raise Unreadable(NONE) from None
        if not any(rail == "cpu_uj" for rail, _, _ in self._zones):
            raise Unreadable(NONE)
        self._sums: Counters = dict.fromkeys((rail for rail, _, _ in self._zones), 0)

    def read(self) -> Counters | None:
        """µJ of packages and memory. A counter that began anew since the last reading is read on from there."""
        with contextlib.suppress(OSError, ValueError):
            now = [_count(counter) for _, counter, _ in self._zones]
            for (rail, _, highest), before, after in zip(self._zones, self._last, now, strict=True):
                self._sums[rail] += after - before + (highest if after < before else 0)
            self._last = now
            return dict(self._sums)
        return None


def _count(counter: Path) -> int:
    return int(counter.read_text())
