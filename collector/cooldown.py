"""Waits between two blocks until the machine is at rest, so that one does not heat the next."""

from collector import environment, measure

CALM_S = 10.0  # at rest for this long
MOST_S = 120.0  # then go on in any case; what the machine does is stored with the run
STEP_S = 1.0
CPU_PERCENT, GPU_PERCENT = 20.0, 5.0


def cool_down() -> float:
    """Wait until thermal pressure is nominal and CPU and GPU have been idle for a while; returns the seconds waited."""
    waited = calm = 0.0
    while calm < CALM_S and waited < MOST_S:
        at_rest = is_at_rest()
        measure.sleep(STEP_S)
        waited += 2 * STEP_S  # a look at the CPU takes as long
        calm = calm + 2 * STEP_S if at_rest else 0.0
    return waited


def is_at_rest() -> bool:
    """Whether nothing that can be read here speaks against it."""
    busy = (
        (environment.cpu_busy_percent(STEP_S).value, CPU_PERCENT),
        (environment.gpu_busy_percent().value, GPU_PERCENT),
    )
    if any(isinstance(value, int | float) and value >= limit for value, limit in busy):
        return False
    return environment.thermal_pressure().value in (None, "nominal")
