"""Each check before measuring: given readings → verdict."""

import plistlib
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from collector import environment, measure, preflight
from collector import run as runs
from collector.backends import lms, lmstudio
from collector.commands import _backend
from collector.environment import Reading
from collector.errors import Unfit
from collector.memory import macos
from collector.output import output
from collector.preflight import Finding, Need
from collector.schema import Results
from collector.suite import Prompt, Suite
from tests.lmstudio import Double, DoubleModel, Scripted, steady
from tests.test_run import NoSampler, rows

GB = 10**9
UNKNOWN = Reading(None, "this system does not tell")
FIT = {
    "runtime": "mlx",
    "runtime_proof": "both agree",
    "model_requested": "a/model@4bit",
    "quantization": "4bit",
    "context_effective": 131_072,
    "context_requested": 131_072,
    "parallel": 1,
}


class Process(SimpleNamespace):
    """A process as psutil shows it."""

    def __init__(self, name: str, gb: float = 0, command: tuple[str, ...] = ()) -> None:
        super().__init__(pid=id(self), _name=name, _gb=gb, _command=list(command))

    def name(self) -> str:
        return str(self._name)

    def cmdline(self) -> list[str]:
        return list(self._command)

    def memory_info(self) -> SimpleNamespace:
        return SimpleNamespace(rss=self._gb * GB)


class Hidden(Process):
    """One of somebody else's, or one that ends just now."""

    def name(self) -> str:
        raise psutil.NoSuchProcess(1)

    def cmdline(self) -> list[str]:
        raise psutil.AccessDenied(1)

    def memory_info(self) -> SimpleNamespace:
        raise psutil.ZombieProcess(1)


Computer = Callable[..., None]


@pytest.fixture
def computer(monkeypatch: pytest.MonkeyPatch) -> Computer:
    """`computer(cpu=90, …)`: a machine at rest, but for what is said."""

    def be(
        available: float = 400 * GB,
        disk: float = 500 * GB,
        cpu: float | None = 3.0,
        processes: tuple[Process, ...] = (),
        **readings: Reading,
    ) -> None:
        told = {
            "gpu_busy_percent": Reading(0.0),
            "memory_pressure": Reading("normal"),
            "thermal_pressure": Reading("nominal"),
            "power_source": Reading("ac"),
            "power_mode": Reading("normal"),
            "translation": Reading("native"),
            **readings,
        }
        for name, reading in told.items():
            monkeypatch.setattr(environment, name, lambda reading=reading: reading)
        monkeypatch.setattr(environment, "cpu_busy_percent", lambda seconds=0.5: Reading(cpu))
        memory = SimpleNamespace(total=512 * 2**30, available=available)
        monkeypatch.setattr(preflight.psutil, "virtual_memory", lambda: memory)
        monkeypatch.setattr(preflight.psutil, "disk_usage", lambda path: SimpleNamespace(free=disk))
        monkeypatch.setattr(preflight.processes, "every", lambda: list(processes))

    be()
    return be


def before(need: Need | None = None, others: tuple[str, ...] = (), limit: int | None = 0) -> dict[str, Finding]:
    """The findings before loading, by name."""
    machine = {} if limit is None else {"wired_limit_mb": limit}
    return {found["name"]: found for found in preflight.before(Path("/"), machine, need, list(others))}


def loaded(**facts: Any) -> dict[str, Finding]:
    """The findings about what is loaded, by name; what is not said is as it should be."""
    return {found["name"]: found for found in preflight.of_loaded({**FIT, **facts})}


# --- how much memory a model needs ---


def test_the_need_is_the_file_the_cache_and_buffers() -> None:
    """MiniMax-M2.1 at 4 bit and 131,072 tokens: 131.2 + 33.3 + 4 GB."""
    kv = 2 * 2 * 62 * 8 * 128  # keys and values, two bytes, layers, heads, dimensions
    assert kv == 253_952
    need = Need(128_600_000_000, 131_072, kv).bytes()
    assert need == pytest.approx(131.172e9 + 33.286e9 + 4e9, abs=1e6)
    large = Need(457 * GB, 131_072, kv).bytes()
    assert large == pytest.approx(457e9 * 1.02 + 33.286e9 + 457e9 * 0.03, abs=1e6)
    assert Need(GB, 0, None).bytes() == 5_020_000_000
    assert Need(None, 131_072, kv).bytes() is None


@pytest.mark.parametrize(
    ("key", "size"),
    [
        ("mlx-community/MiniMax-M2.1-4bit", 253_952),
        ("unsloth/MiniMax-M2.1-GGUF@q4_k_s", 253_952),
        ("unsloth/minimax-m2.1", 253_952),
        ("mlx-community/Qwen3-Coder-Next-8bit", 2 * 2 * 12 * 2 * 256),  # every fourth layer has full attention
        ("nobody/knows-this", None),
    ],
)
def test_the_cache_of_a_token_is_from_the_table_of_models(results: Results, key: str, size: int | None) -> None:
    assert _backend.cache_bytes(results, key) == size


def test_the_plans_flat_150_gb_are_too_little_for_its_own_model(results: Results, computer: Computer) -> None:
    key = "mlx-community/MiniMax-M2.1-4bit"
    need = Need(128_600_000_000, 131_072, _backend.cache_bytes(results, key))
    for available, verdict in ((150 * GB, "fail"), (168.4 * GB, "fail"), (168.5 * GB, "pass")):
        computer(available=available)
        found = before(need)["free_memory"]
        assert found["verdict"] == verdict
        assert "168.5 GB needed at a context of 131,072" in found["detail"]
    # A shorter context needs less.
    computer(available=150 * GB)
    assert before(Need(128_600_000_000, 8192, 253_952))["free_memory"]["verdict"] == "pass"


def test_a_need_without_a_known_cache_says_so(computer: Computer) -> None:
    assert "without its cache, whose size is not known" in before(Need(GB, 8192, None))["free_memory"]["detail"]
    assert "without" not in before(Need(GB, 8192, 1000))["free_memory"]["detail"]


# --- verdicts ---


@pytest.mark.parametrize(
    ("name", "readings", "verdict", "said"),
    [
        ("disk", {"disk": 20 * GB}, "pass", "20.0 GB free"),
        ("disk", {"disk": 19 * GB}, "warn", "19.0 GB free"),
        ("cpu_busy", {"cpu": 25.0}, "pass", "25 %"),
        ("cpu_busy", {"cpu": 26.0}, "warn", "26 % of the cores busy; close"),
        ("cpu_busy", {"cpu": None}, "unknown", "not read"),
        ("gpu_busy", {"gpu_busy_percent": Reading(5.0)}, "pass", "5 %"),
        ("gpu_busy", {"gpu_busy_percent": Reading(6.0)}, "warn", "6 % of the GPU busy; close"),
        ("gpu_busy", {"gpu_busy_percent": UNKNOWN}, "unknown", "this system does not tell"),
        ("memory_pressure", {}, "pass", "normal"),
        ("memory_pressure", {"memory_pressure": Reading("warn")}, "warn", "warn; close"),
        ("memory_pressure", {"memory_pressure": UNKNOWN}, "unknown", "this system does not tell"),
        ("thermal_pressure", {}, "pass", "nominal"),
        ("thermal_pressure", {"thermal_pressure": Reading("heavy")}, "warn", "heavy; let the machine cool"),
        ("thermal_pressure", {"thermal_pressure": UNKNOWN}, "unknown", "this system does not tell"),
        ("power", {}, "pass", "source ac, mode normal"),
        ("power", {"power_source": Reading("battery")}, "warn", "plug in"),
        ("power", {"power_mode": Reading("low")}, "warn", "leave low power mode"),
        ("power", {"power_source": UNKNOWN, "power_mode": Reading("low")}, "warn", "leave low power mode"),
        ("power", {"power_source": UNKNOWN}, "pass", "source unknown, mode normal"),
        ("power", {"power_mode": Reading("high")}, "pass", "mode high"),
        ("power", {"power_source": UNKNOWN, "power_mode": UNKNOWN}, "unknown", "this system does not tell"),
        ("site_server", {}, "pass", "no mkdocs"),
        ("site_server", {"processes": (Process("python", 0, ("python", "/x/mkdocs", "serve")),)}, "warn", "stop it"),
        ("site_server", {"processes": (Process("python", 0, ("python", "/x/mkdocs", "build")),)}, "pass", "no"),
        ("site_server", {"processes": (Process("vi", 0, ("vi", "how-to-serve", "mkdocs.yml")),)}, "pass", "no"),
        ("large_applications", {}, "pass", "none above 4 GB"),
        ("large_applications", {"processes": (Process("Google Chrome", 3.9),)}, "pass", "none above 4 GB"),
        ("large_applications", {"processes": (Process("Google Chrome", 4.1),)}, "warn", "browser (4.1 GB); close"),
        ("large_applications", {"processes": (Process("qemu-system", 9),)}, "warn", "virtual machine (9.0 GB)"),
        ("large_applications", {"processes": (Process("node", 140), Process("LM Studio", 5))}, "pass", "the engine"),
        ("large_applications", {"processes": (Hidden("x", 9),)}, "pass", "none"),
        ("free_memory", {"available": 1.0}, "pass", "nothing is to be loaded"),
    ],
)  # fmt: skip
def test_what_is_read_of_the_machine_has_a_verdict(
    computer: Computer, name: str, readings: dict[str, Any], verdict: str, said: str
) -> None:
    computer(**readings)
    found = before()[name]
    assert (found["verdict"], said in found["detail"]) == (verdict, True), found


def test_a_model_of_unknown_size_is_no_reason_to_pass(computer: Computer) -> None:
    found = before(Need(None, 131_072, 253_952), limit=100_000)
    assert (found["free_memory"]["verdict"], found["wired_limit"]["verdict"]) == ("unknown", "unknown")
    assert "size is not known" in found["free_memory"]["detail"]


@pytest.mark.parametrize(
    ("limit", "need", "verdict", "said"),
    [
        (None, Need(GB, 0, None), "unknown", "only macOS"),
        (0, Need(GB, 0, None), "unknown", "neither Metal nor the kernel told"),
        (10_000, None, "pass", "10,000 MiB"),
        (5_050, Need(GB, 0, None), "pass", "5,050 MiB"),  # 5.02 GB are 94.8 % of it
        (5_030, Need(GB, 0, None), "warn", "raise iogpu.wired_limit_mb"),
    ],
)
def test_more_than_95_percent_of_the_wired_limit_is_a_warning(
    computer: Computer, limit: int | None, need: Need | None, verdict: str, said: str
) -> None:
    found = before(need, limit=limit)["wired_limit"]
    assert (found["verdict"], said in found["detail"]) == (verdict, True), found


@pytest.mark.parametrize(
    ("told", "limit", "file", "verdict"),
    [
        (460 * GB, 0, 420 * GB, "pass"),
        (460 * GB, 0, 440 * GB, "warn"),  # 437 GB are 95 %
        (460 * GB, 490_000, 440 * GB, "warn"),  # what Metal says counts, whatever was set
        (None, 0, 350 * GB, "pass"),
        (None, 0, 420 * GB, "warn"),  # 412 GB are 75 % of 512 GiB
        (None, 490_000, 400 * GB, "pass"),
    ],
)
def test_the_gpu_holds_what_metal_says_else_the_limit_else_three_quarters_of_the_memory(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, told: int | None, limit: int, file: int, verdict: str
) -> None:
    monkeypatch.setattr(preflight.metal, "working_set", lambda: told)
    machine = {"wired_limit_mb": limit, "memory_bytes": 512 * 2**30}
    need = Need(round((file - 0.03 * file) / 1.02), 0, None)
    [found] = [one for one in preflight.before(Path("/"), machine, need, []) if one["name"] == "wired_limit"]
    assert found["verdict"] == verdict, found


@pytest.mark.parametrize(
    ("before", "after", "grown"), [(3, 5, 2), (5, 3, -2), (None, 5 * GB, None), (5 * GB, None, None)]
)
def test_swap_that_could_not_be_read_once_has_not_grown_from_nothing(
    before: int | None, after: int | None, grown: int | None
) -> None:
    assert runs._grown(Reading(before), Reading(after)) == grown


@pytest.mark.parametrize(("told", "word"), [(1, "translated"), (0, "native"), (None, "native")])
def test_a_python_under_rosetta_is_seen(monkeypatch: pytest.MonkeyPatch, told: int | None, word: str) -> None:
    monkeypatch.setattr(environment, "IS_MACOS", False)
    assert environment.translation().reason
    monkeypatch.setattr(environment, "IS_MACOS", True)
    monkeypatch.setattr(environment.macos, "sysctl", {macos.TRANSLATED: told}.get)
    assert environment.translation().value == word


@pytest.mark.parametrize("name", ["free_memory_bytes", "swap_used_bytes"])
def test_memory_that_cannot_be_read_is_unknown_and_stops_nothing(
    computer: Computer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(environment, name, lambda: UNKNOWN)
    found = before(Need(GB, 0, None))["free_memory"] if name == "free_memory_bytes" else preflight.of_swap(None)
    assert (found["verdict"], found["detail"] != "") == ("unknown", True)


def test_another_model_that_is_loaded_fails_and_is_named(computer: Computer) -> None:
    found = before(others=("a/model", "a/model:2"))["second_model"]
    assert found["verdict"] == "fail"
    assert "a/model, a/model:2" in found["detail"]
    assert before()["second_model"]["verdict"] == "pass"


@pytest.mark.parametrize(
    ("name", "facts", "verdict", "said"),
    [
        ("runtime", {}, "pass", "mlx: both agree"),
        ("runtime", {"runtime_proof": None}, "warn", "mlx, not proven"),
        ("runtime", {"runtime_proof": None, "runtime": None}, "warn", "unknown, not proven"),
        ("runtime", {"runtime_proof": lmstudio.CONTRADICTED}, "fail", "load the model again"),
        ("variant", {}, "pass", "4bit"),
        ("variant", {"quantization": "4BIT"}, "pass", "4BIT"),
        ("variant", {"quantization": "8bit"}, "fail", "4bit was asked for, 8bit answers"),
        ("variant", {"quantization": None}, "pass", "does not tell"),
        ("variant", {"model_requested": "a/model", "quantization": "8bit"}, "pass", "8bit"),
        ("variant", {"model_requested": None, "quantization": "8bit"}, "pass", "8bit"),
        ("served_by", {}, "pass", "this device"),
        ("served_by", {"served_by": "another device (LM Link)"}, "fail", "load the model on this machine"),
        ("context", {}, "pass", "131,072 tokens"),
        ("context", {"context_effective": 131_071}, "warn", "131,071 tokens, 131,072 asked for: below the plan's"),
        ("context", {"context_effective": 196_608}, "pass", "196,608 tokens, 131,072 asked for"),
        ("context", {"context_effective": 8192, "context_requested": None}, "warn", "8,192 tokens: below"),
        ("context", {"context_effective": None}, "unknown", "does not tell"),
        ("parallel", {}, "pass", "one slot"),
        ("parallel", {"parallel": 4}, "warn", "4 slots; `lms load --parallel 1`"),
        ("parallel", {"parallel": None}, "unknown", "does not tell"),
    ],
)
def test_what_the_server_says_it_has_loaded_has_a_verdict(
    name: str, facts: dict[str, Any], verdict: str, said: str
) -> None:
    found = loaded(**facts)[name]
    assert (found["verdict"], said in found["detail"]) == (verdict, True), found


@pytest.mark.parametrize(
    ("honored", "verdict", "said"),
    [(True, "pass", "same text"), (False, "warn", "not honored"), (None, "unknown", "warm-up failed")],
)
def test_a_seed_that_is_not_honored_is_a_warning(honored: bool | None, verdict: str, said: str) -> None:
    found = preflight.of_seed(honored)
    assert (found["verdict"], said in found["detail"]) == (verdict, True)


@pytest.mark.parametrize(
    ("grown", "verdict", "said"),
    [
        (0, "pass", "0.0 GB"),
        (-9 * GB, "pass", "0.0 GB"),
        (500_000_000, "pass", "0.5 GB"),
        (500_000_001, "fail", "close"),
    ],
)
def test_swap_that_grows_while_loading_fails(grown: int, verdict: str, said: str) -> None:
    found = preflight.of_swap(grown)
    assert (found["verdict"], said in found["detail"]) == (verdict, True)


def test_only_what_failed_stops() -> None:
    found: list[Finding] = [
        {"name": verdict, "verdict": verdict, "detail": ""} for verdict in ("pass", "warn", "fail", "unknown")
    ]
    assert [finding["name"] for finding in preflight.failures(found)] == ["fail"]


# --- the table in the docstring ---


def everything(before_: dict[str, Finding], loaded_: dict[str, Finding], *others: Finding) -> dict[str, str]:
    """Name → verdict, of the findings of all stages."""
    found = [*before_.values(), *loaded_.values(), *others]
    assert len({finding["name"] for finding in found}) == len(found)
    return {finding["name"]: finding["verdict"] for finding in found}


def test_the_table_names_every_check_with_its_worst_verdict(computer: Computer) -> None:
    """The docstring is what people read; this is what keeps it true."""
    heads = r"(?:before loading|with it loaded|while measuring)?"
    table = dict(re.findall(rf"^    {heads} +(\w+) +(FAIL|WARN) ", preflight.__doc__ or "", re.MULTILINE))
    computer(
        available=1.0,
        disk=1.0,
        cpu=99.0,
        processes=(Process("python", 0, ("python", "mkdocs", "serve")), Process("Safari", 9)),
        gpu_busy_percent=Reading(99.0),
        memory_pressure=Reading("critical"),
        thermal_pressure=Reading("heavy"),
        power_source=Reading("battery"),
        translation=Reading("translated"),
    )
    worst = everything(
        before(Need(GB, 0, None), others=("b",), limit=1),
        loaded(
            runtime_proof=lmstudio.CONTRADICTED,
            quantization="8bit",
            served_by="another device",
            context_effective=1,
            parallel=9,
        ),
        preflight.of_seed(False),
        preflight.of_swap(GB),
    )
    assert {name: verdict.upper() for name, verdict in worst.items()} == table


def test_a_machine_at_rest_with_what_was_asked_for_passes_everything(computer: Computer) -> None:
    best = everything(before(Need(GB, 0, 1), limit=10_000), loaded(), preflight.of_seed(True), preflight.of_swap(0))
    assert set(best.values()) == {"pass"}


def test_every_finding_says_something_and_what_is_not_known_says_why(computer: Computer) -> None:
    pressures, powers = ("memory_pressure", "thermal_pressure"), ("power_source", "power_mode")
    nothing = dict.fromkeys(("gpu_busy_percent", "translation", *pressures, *powers), UNKNOWN)
    computer(cpu=None, **nothing)
    found = [*before(Need(None, 0, None), limit=None).values(), *preflight.of_loaded({}), preflight.of_seed(None)]
    unknown = [finding for finding in found if finding["verdict"] == "unknown"]
    assert len(unknown) == 11
    assert all(len(finding["detail"]) > 5 and "None" not in finding["detail"] for finding in found)


# --- nobody is told of ---


@pytest.mark.parametrize(
    "name",
    ["Anna's Diary", "com.mueller.tax-return", "Signal", "Tinder", "node of Anna", "Arc (Anna)", "anna-vm.qemu", ""],
)
def test_a_program_is_told_by_kind_and_never_by_name(computer: Computer, name: str) -> None:
    computer(processes=(Process(name, 50, ("/Users/anna/x", "--user", "anna")), Process("Safari", 9)))
    told = str(before())
    kinds = {"engine", "browser", "virtual machine", "development", "other"}
    [*seen] = re.findall(r"([a-z ]+) \(\d+\.\d GB\)", before()["large_applications"]["detail"])
    assert {kind.strip() for kind in seen} <= kinds
    for word in re.findall(r"[\w.-]{4,}", name):
        assert word not in told or word == "node"
    assert "anna" not in told.lower()


# --- what the system says ---


@pytest.mark.parametrize(
    ("command", "said", "ask", "value"),
    [
        ("pmset", "Now drawing from 'AC Power'\n -InternalBattery-0", environment.power_source, "ac"),
        ("pmset", "Now drawing from 'Battery Power'\n", environment.power_source, "battery"),
        ("pmset", "", environment.power_source, None),
        ("pmset", "System-wide:\n powermode            0\n", environment.power_mode, "normal"),
        ("pmset", "Currently in use:\n lowpowermode         1\n", environment.power_mode, "low"),
        ("pmset", " powermode 2\n", environment.power_mode, "high"),
        ("pmset", " sleep 1\n", environment.power_mode, None),
    ],
)
def test_what_macos_says_is_read(
    monkeypatch: pytest.MonkeyPatch, command: str, said: str, ask: Callable[[], Reading], value: str | None
) -> None:
    monkeypatch.setattr(environment, "IS_MACOS", True)
    monkeypatch.setattr(environment, "output", lambda *words: said if words[0] == command else None)
    reading = ask()
    assert reading.value == value
    assert (reading.reason is None) is (value is not None)


@pytest.mark.parametrize(
    ("plugged", "value"), [(SimpleNamespace(power_plugged=False), "battery"), (None, None)]
)  # fmt: skip
def test_elsewhere_what_cannot_be_read_says_why(
    monkeypatch: pytest.MonkeyPatch, plugged: Any, value: str | None
) -> None:
    monkeypatch.setattr(environment, "IS_MACOS", False)
    monkeypatch.setattr(environment.psutil, "sensors_battery", lambda: plugged)
    assert environment.power_source().value == value
    not_told = (environment.memory_pressure, environment.power_mode, environment.thermal_pressure)
    for reading in (*(ask() for ask in not_told), environment.gpu_busy_percent()):
        assert (reading.value, bool(reading.reason)) == (None, True)


def test_a_program_that_is_missing_or_fails_says_nothing() -> None:
    assert output("no-such-program") is None
    assert output("false") is None


@pytest.mark.parametrize(("level", "word"), [(1, "normal"), (2, "warn"), (4, "critical"), (3, None), (None, None)])
def test_memory_pressure_is_the_kernels_level(
    monkeypatch: pytest.MonkeyPatch, level: int | None, word: str | None
) -> None:
    monkeypatch.setattr(environment, "IS_MACOS", True)
    monkeypatch.setattr(environment.macos, "sysctl", lambda name: level)
    assert environment.memory_pressure().value == word


@pytest.mark.parametrize(
    ("level", "said", "word"),
    [
        (0, "", "nominal"),
        (2, "", "heavy"),
        (None, "CPU_Scheduler_Limit = 100\n CPU_Speed_Limit \t= 80\n", "heavy"),
        (None, "CPU_Speed_Limit \t= 100\n", "nominal"),
        (None, "Note: No thermal warning level has been recorded\n", "nominal"),
        (9, "", None),
    ],
)
def test_thermal_pressure_is_the_notification_centers_level_else_what_pmset_says(
    monkeypatch: pytest.MonkeyPatch, level: int | None, said: str, word: str | None
) -> None:
    monkeypatch.setattr(environment, "IS_MACOS", True)
    monkeypatch.setattr(environment.macos, "thermal_level", lambda: level)
    monkeypatch.setattr(environment, "output", lambda *words: said)
    assert environment.thermal_pressure().value == word


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        (plistlib.dumps([{"PerformanceStatistics": {"Device Utilization %": 7}}]).decode(), 7.0),
        (plistlib.dumps([{"gpu-core-count": 80}]).decode(), None),
        (plistlib.dumps([{"PerformanceStatistics": {"Device Utilization %": n}} for n in (3, 40)]).decode(), 40.0),
        (plistlib.dumps(["odd", {"PerformanceStatistics": "odd"}]).decode(), None),
        ("no plist", None),
        ("<?xml version='1.0'?><plist><dict><integer>x</integer></dict></plist>", None),
        ("", None),
        (None, None),
    ],
)
def test_the_gpus_share_is_the_drivers_count(said: str | None, percent: float | None) -> None:
    assert environment.gpu_of(said).value == percent


def test_the_gpu_is_as_busy_as_the_least_of_three_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([60, 4, 9, 50, 0])
    one_look = lambda: plistlib.dumps([{"PerformanceStatistics": {"Device Utilization %": next(shares)}}]).decode()  # noqa: E731
    monkeypatch.setattr(environment, "IS_MACOS", True)
    monkeypatch.setattr(environment.machine, "gpu_entries", one_look)
    monkeypatch.setattr(environment.measure, "sleep", lambda seconds: None)
    assert environment.gpu_busy_percent().value == 4
    assert environment.gpu_busy_percent().value == 0  # less is not possible: no third look
    assert list(shares) == []


def test_a_survey_has_a_value_or_a_reason_for_every_reading(tmp_path: Path) -> None:
    rows = environment.survey(tmp_path / "not" / "there")
    assert {row["name"] for row in rows} >= {"thermal_pressure", "power_mode", "gpu_busy_percent", "disk_free_bytes"}
    for row in rows:
        told = [row[name] for name in ("number", "text", "reason") if row[name] is not None]
        assert len(told) == 1, row


# --- a check that fails stops ---


@pytest.fixture
def measured(results: Results, monkeypatch: pytest.MonkeyPatch, computer: Computer) -> Callable[[bool], Any]:
    """`measured(forced)`: a run on the double with swap that grows by 1 GB while the model loads."""
    used = iter(range(0, 100 * GB, GB))
    monkeypatch.setattr(runs, "Sampler", NoSampler)
    monkeypatch.setattr(runs, "BASELINE_S", 0)
    monkeypatch.setattr(lmstudio, "STATUS_PORTS", ())
    monkeypatch.setattr(lms, "find", lambda: None)
    monkeypatch.setattr(environment, "survey", lambda folder: [])  # it would take a reading of its own
    monkeypatch.setattr(environment, "swap_used_bytes", lambda: Reading(next(used)))
    suite = Suite("one", "One", (Prompt("a", "test", "Say a.", 9),))

    def run(forced: bool, load: bool) -> Any:
        with (
            Double([DoubleModel("a/model")], tokens=Scripted(steady(4, ms=0, first_ms=0))) as double,
            measure.connect(double.url) as client,
        ):
            if load:
                backend: Any = _backend.loading(client, "a/model", 8192, False, False)
            else:
                double.load("a/model")
                backend = _backend.loaded_already(client, None)
            return runs.run(client, backend, runs.Job(suite, 1, results, forced=forced))

    return run


def test_swap_that_grew_stops_before_anything_is_timed(measured: Callable[..., Any], results: Results) -> None:
    stored = rows(measured(forced=False, load=True))
    assert [(row["op"], row["error_kind"]) for row in stored] == [("load", None), ("probe", "unfit")]
    assert "swap grew by 1.0 GB" in stored[1]["error_detail"]
    with pytest.raises(Unfit, match="swap grew"):
        measured(forced=False, load=False)
    assert len(list(results.runs.iterdir())) == 1


def test_forced_it_is_measured_and_every_row_says_so(measured: Callable[..., Any]) -> None:
    stored = rows(measured(forced=True, load=True))
    assert [row["op"] for row in stored][-1] == "unload"
    assert {row["forced"] for row in stored} == {True}
    for row in stored:
        assert [one["verdict"] for one in row["preflight"] if one["name"] == "swap"] == ["fail"]
