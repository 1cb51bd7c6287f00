"""Questions on memory: does the kernel answer, with how many copies, and does Apple's own program say the same?"""

import itertools
import os
import re
import struct
from pathlib import Path

from collector import measure
from collector.memory import macos, metal, readings
from collector.output import output
from collector.probe import Place, Question, Raw, Verdict, compared, lines, near

CALLS, CALLS_S = 12, 1.0  # more than the kernel answers in that time
EXTERNAL = 136  # of struct vm_statistics64: pages of files
COUNTERS = (
    "vm.page_free_count",
    "vm.page_pageable_external_count",
    "vm.page_pageable_internal_count",
    "vm.page_purgeable_count",
    "kern.memorystatus_level",
)
VM_STAT = {  # as `vm_stat` calls what we decode
    "wire": "Pages wired down",
    "purgeable": "Pages purgeable",
    "compressor": "Pages occupied by compressor",
    "internal": "Anonymous pages",
}
VM_LINE = r"Mach Virtual Memory Statistics: \(page size of \d+ bytes\)|\"?[A-Z][A-Za-z -]+\"?:\s+\d+\."
SWAP_LINE = r"total = [\d.]+M +used = [\d.]+M +free = [\d.]+M(?: +\(encrypted\))?"
SWAP_USED = re.compile(r"used = ([\d.]+)M")


def _page_counts(place: Place) -> Raw:
    answers = []
    for _ in range(CALLS):
        if answer := macos.ask_vm_statistics():
            answers.append(answer)
        measure.sleep(CALLS_S / CALLS)
    same = [one.buffer == before.buffer for before, one in itertools.pairwise(answers)]
    return {
        "codes": [answer.code for answer in answers],
        "words": [answer.words for answer in answers],
        "copies": sum(same),
        "buffer": answers[-1].buffer.hex() if answers else None,
        "page_size": macos.page_size(),
        "vm_stat": lines(VM_LINE, output("vm_stat")),
    }


def _judge_page_counts(raw: Raw) -> Verdict:
    if raw["buffer"] is None:
        return Verdict(None, "host_statistics64 cannot be called")
    pages, told = macos.vm_statistics(bytes.fromhex(raw["buffer"])), vm_stat(raw["vm_stat"])
    pairs = {name: (getattr(pages, name), told.get(words)) for name, words in VM_STAT.items()}
    agrees, said = compared(pairs, 1000, "thousand pages")
    codes = " and ".join(map(str, sorted(set(raw["codes"]))))
    words = " and ".join(map(str, sorted(set(raw["words"]))))
    calls = f"{len(raw['codes'])} calls answer {codes} with {words} words, {raw['copies']} of them copies"
    return Verdict(agrees, f"{calls}; {said} (vm_stat)")


def vm_stat(text: str) -> dict[str, int]:
    """What `vm_stat` prints: pages by its own words, and bytes of a page as `page`."""
    found = {name.strip(): int(count) for name, count in re.findall(r"(?m)^\"?([A-Z][^:\"]+)\"?:\s+(\d+)\.$", text)}
    size = re.search(r"page size of (\d+) bytes", text)
    return {**found, **({"page": int(size[1])} if size else {})}


def _total_and_swap(place: Place) -> Raw:
    swap = macos.read_sysctl(macos.SWAP, macos.SWAP_BYTES)
    return {
        "memsize": macos.sysctl(macos.MEMORY),
        "sysctl_memsize": lines(r"\d+", output("sysctl", "-n", "hw.memsize")),
        "swap": swap.hex() if swap else None,
        "sysctl_swap": lines(SWAP_LINE, output("sysctl", "-n", "vm.swapusage")),
    }


def _judge_total_and_swap(raw: Raw) -> Verdict:
    swap = macos.swap_used(bytes.fromhex(raw["swap"])) if raw["swap"] else None
    told = SWAP_USED.search(raw["sysctl_swap"])
    total = int(raw["sysctl_memsize"]) if raw["sysctl_memsize"] else None
    used = float(told[1]) * 2**20 if told else None
    agrees, said = compared({"total": (raw["memsize"], total), "swap": (swap, used)}, 1e9, "GB")
    return Verdict(agrees, f"{said} (sysctl)")


def _page_size(place: Place) -> Raw:
    return {
        "kernel": macos.page_size(),
        "sysconf": os.sysconf("SC_PAGE_SIZE"),
        "hw.pagesize": macos.sysctl("hw.pagesize"),
        "vm.pagesize": macos.sysctl("vm.pagesize"),
        "translated": macos.sysctl(macos.TRANSLATED),
        "vm_stat": vm_stat(lines(VM_LINE, output("vm_stat"))).get("page"),
    }


def _judge_page_size(raw: Raw) -> Verdict:
    said = ", ".join(f"{name} {value}" for name, value in raw.items())
    whole = raw["kernel"] is not None and raw["vm_stat"] is not None
    return Verdict(raw["kernel"] == raw["vm_stat"] if whole else None, said)


def _file_pages(place: Place) -> Raw:
    buffer = macos.read_vm_statistics()
    counters = {name: macos.sysctl(name) for name in COUNTERS}
    return {"buffer": buffer.hex() if buffer else None, "page_size": macos.page_size(), **counters}


def _judge_file_pages(raw: Raw) -> Verdict:
    """Where mapped weights are, as a look before a load, one after it and one 200 s later show."""
    if raw["buffer"] is None or raw["page_size"] is None:
        return Verdict(None, "host_statistics64 cannot be called")
    buffer, size = bytes.fromhex(raw["buffer"]), raw["page_size"]
    pages, external = macos.vm_statistics(buffer), struct.unpack_from("<I", buffer, EXTERNAL)[0]
    pairs = {
        "of files": (external * size, _times(raw["vm.page_pageable_external_count"], size)),
        "anonymous": (pages.internal * size, _times(raw["vm.page_pageable_internal_count"], size)),
    }
    agrees, said = compared(pairs, 1e9, "GB")
    return Verdict(
        agrees, f"{said} (kernel's counters); wired {pages.wire * size / 1e9:.2f} GB; ask again with a model"
    )


def _times(count: int | None, size: int) -> int | None:
    return None if count is None else count * size


def _gpu_limit(place: Place) -> Raw:
    iogpu = lines(r"iogpu\.\w+: \d+", output("sysctl", "iogpu"))
    return {"working_set": metal.working_set(), "iogpu": iogpu, "memory": readings.total()}


def _judge_gpu_limit(raw: Raw) -> Verdict:
    told, limit = raw["working_set"], re.search(r"wired_limit_mb: (\d+)", raw["iogpu"])
    if told is None or not raw["memory"]:
        return Verdict(None, "Metal does not tell")
    set_mb = int(limit[1]) if limit else 0
    said = f"Metal {told / 1e9:.1f} GB of {raw['memory'] / 1e9:.1f} GB, iogpu.wired_limit_mb {set_mb}"
    return Verdict(near(told, set_mb * 2**20) if set_mb else raw["memory"] / 2 < told < raw["memory"], said)


def _rollup(place: Place) -> Raw:
    text = Path("/proc/self/smaps_rollup").read_text()
    nameless = "\n".join(["[rollup]", *text.splitlines()[1:]]) + "\n"
    return {"rollup": nameless, "resident": readings.resident(os.getpid())}


def _judge_rollup(raw: Raw) -> Verdict:
    decoded = readings.rollup(raw["rollup"])
    if decoded is None:
        return Verdict(False, "smaps_rollup lacks Rss or Pss")
    agrees, said = compared({"RSS": (decoded["rss_bytes"], raw["resident"])}, 1e6, "MB")
    said = f"{said} (statm); PSS {decoded['pss_bytes'] / 1e6:.2f} MB"
    return Verdict(agrees and decoded["pss_bytes"] <= decoded["rss_bytes"], said)


QUESTIONS = (
    Question("page counts", _page_counts, _judge_page_counts),
    Question("total and swap", _total_and_swap, _judge_total_and_swap),
    Question("page size", _page_size, _judge_page_size),
    Question("pages of files", _file_pages, _judge_file_pages),
    Question("GPU limit", _gpu_limit, _judge_gpu_limit),
    Question("smaps rollup", _rollup, _judge_rollup, only="linux"),
)
