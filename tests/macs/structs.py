"""The macOS kernel's structs, field by field from the XNU definitions, so that a wrong offset shows."""

import struct

Layout = list[tuple[str, str]]
# struct vm_statistics64, osfmk/mach/vm_statistics.h: natural_t is 32 bits, the struct is aligned to 8
VM_STATISTICS64: Layout = [
    *[(name, "I") for name in ("free", "active", "inactive", "wire")],
    *[
        (name, "Q")
        for name in (
            *("zero_fill", "reactivations", "pageins", "pageouts"),
            *("faults", "cow_faults", "lookups", "hits", "purges"),
        )
    ],
    *[(name, "I") for name in ("purgeable", "speculative")],
    *[(name, "Q") for name in ("decompressions", "compressions", "swapins", "swapouts")],
    *[(name, "I") for name in ("compressor_page", "throttled", "external_page", "internal_page")],
    ("total_uncompressed_pages_in_compressor", "Q"),
]
# struct rusage_info_v4, bsd/sys/resource.h
RUSAGE_V4: Layout = [
    ("uuid", "16s"),
    *[
        (name, "Q")
        for name in (
            *("user_time", "system_time", "pkg_idle_wkups", "interrupt_wkups", "pageins", "wired_size"),
            *("resident_size", "phys_footprint", "proc_start_abstime", "proc_exit_abstime", "child_user_time"),
            *("child_system_time", "child_pkg_idle_wkups", "child_interrupt_wkups", "child_pageins"),
            *("child_elapsed_abstime", "diskio_bytesread", "diskio_byteswritten", "cpu_time_qos_default"),
            *("cpu_time_qos_maintenance", "cpu_time_qos_background", "cpu_time_qos_utility", "cpu_time_qos_legacy"),
            *("cpu_time_qos_user_initiated", "cpu_time_qos_user_interactive", "billed_system_time"),
            *("serviced_system_time", "logical_writes", "lifetime_max_phys_footprint", "instructions", "cycles"),
            *("billed_energy", "serviced_energy", "interval_max_phys_footprint", "runnable_time"),
        )
    ],
]
# struct xsw_usage, bsd/sys/sysctl.h
XSW_USAGE: Layout = [("total", "Q"), ("avail", "Q"), ("used", "Q"), ("pagesize", "I"), ("encrypted", "i")]


def packed(layout: Layout, **values: int) -> bytes:
    """The struct with these values; every other field holds a number of its own."""
    fields = [
        b"\xee" * 16 if kind == "16s" else values.get(name, 1_000_000 + place)
        for place, (name, kind) in enumerate(layout)
    ]
    return struct.pack("<" + "".join(kind for _, kind in layout), *fields)
