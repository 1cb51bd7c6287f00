"""Peak memory, what it means and how sure it is, and the limit that memory bandwidth sets: one test a rule."""

from typing import Any

import pytest

from collector.backends import Facts
from collector.schema import Results
from tests import rows
from tests.conftest import request
from tests.rows import GB, LINUX, Given, Row, each, idle, load, one, sample, speeds, table, unload


@pytest.fixture
def given(given: Given, monkeypatch: pytest.MonkeyPatch) -> Given:
    return rows.sharing(given, monkeypatch)


def found(seen: list[Row], *names: str) -> list[Any]:
    """These columns of each row; of one column just the values."""
    return [row[names[0]] if len(names) == 1 else tuple(row[name] for name in names) for row in seen]


def during(**figures: Any) -> Facts:
    """A request with one memory sample of these figures."""
    return request(memory=[sample(20, **figures)])


def loaded(peak: float = 160, after: float | None = None, baseline: float = 10, **engine: Any) -> list[Facts]:
    """A run on macOS that loads the model itself: memory before, meanwhile, and after it was unloaded."""
    end = [] if after is None else [unload(), idle(sample(102, after))]
    return [idle(sample(1, baseline)), load(), during(system=peak, **engine), *end]


# ---------------------------------------------------------------- run_peaks


def test_the_baseline_is_the_median_before_loading_and_the_end_that_after_unloading(given: Given) -> None:
    before = idle(*(sample(at, size) for at, size in ((0.5, 10), (1.0, 99), (1.9, 12))))
    after = idle(*(sample(at, size) for at, size in ((101.5, 14), (102, 98), (103, 13))))
    row = one(given([before, load(), during(system=60), unload(), after]), "run_peaks")
    assert (row["baseline_bytes"], row["after_bytes"], row["system_bytes"]) == (12 * GB, 14 * GB, 60 * GB)
    assert row["sample_count"] == 7


def test_the_peak_of_the_system_is_from_the_start_of_loading_to_the_end_of_unloading(given: Given) -> None:
    """The load runs from 2 s to 12 s, the unload from 100 s to 101 s."""
    moments = [(1.9, 90), (2.0, 20), (101.0, 30), (101.1, 80)]
    runs = [[load(), unload(), idle(*(sample(at, size) for at, size in moments[n:]))] for n in range(3)]
    assert found(each(given, "run_peaks", *runs), "system_bytes") == [30 * GB] * 3


def test_memory_while_loading_counts(given: Given) -> None:
    rows = [idle(sample(1, 10)), load(memory=[sample(5, 200)]), during(system=60)]
    assert one(given(rows), "run_peaks")["system_bytes"] == 200 * GB


def test_of_a_model_loaded_before_all_samples_count_and_there_is_no_baseline(given: Given) -> None:
    row = one(given([idle(sample(1, 70)), during(system=60)]), "run_peaks")
    assert (row["baseline_bytes"], row["after_bytes"], row["system_bytes"]) == (None, None, 70 * GB)


def test_of_every_other_figure_the_highest_counts(given: Given) -> None:
    names = ("pss", "rss", "footprint", "footprint_max")
    moments = [
        sample(20 + n, pressure_level=level, **{name: n + at for at, name in enumerate(names)})
        for n, level in ((1, 1), (5, 4), (3, 2))
    ]
    row = one(given([request(memory=moments)]), "run_peaks")
    assert [row[f"{name}_bytes"] for name in names] == [5 * GB, 6 * GB, 7 * GB, 8 * GB]
    assert row["pressure_level"] == 4


def test_swap_and_compressed_memory_grow_from_the_first_sample(given: Given) -> None:
    moments = [sample(20 + n, swap=size, compressor=2 * size) for n, size in enumerate([3, 2, 7, 1])]
    row = one(given([request(memory=moments[::-1])]), "run_peaks")
    assert (row["swap_grown_bytes"], row["compressor_grown_bytes"]) == (4 * GB, 8 * GB)


def test_a_figure_that_was_never_read_is_unknown(given: Given) -> None:
    row = one(given([request(memory=[sample(20)])]), "run_peaks")
    known = {"file", "run_id", "sample_count", "last_at_ns", "is_load_watched"}
    assert {name for name, value in row.items() if value is not None} == known


# ---------------------------------------------------------------- run_memory: which figure is the peak


def test_linux_never_takes_the_systems_figure(given: Given) -> None:
    row = one(given(loaded(peak=160, pss=3.5), **LINUX), "run_memory")
    assert (row["peak_memory_gb"], row["peak_memory_kind"], row["peak_system_gb"]) == (3.5, "engine PSS", 150)


def test_macos_takes_the_kernels_maximum_of_a_process_started_for_this_load(given: Given) -> None:
    """Of an older process it may be that of another model, so the highest sample is taken."""
    runs = [[{"engine_is_new": new}, *loaded(footprint=140, footprint_max=155)] for new in (True, False, None)]
    assert found(each(given, "run_memory", *runs), "peak_footprint_gb") == [155, 140, 140]


def test_macos_takes_the_kernels_maximum_where_the_model_was_loaded_before(given: Given) -> None:
    runs = [[{"engine_is_new": new}, during(footprint=140, footprint_max=155)] for new in (True, False, None)]
    rows = each(given, "run_memory", *runs)
    assert found(rows, "peak_footprint_gb", "peak_memory_gb") == [(155, 155)] * 3


def test_macos_takes_the_highest_sample_where_the_kernel_tells_no_maximum(given: Given) -> None:
    runs = [[{"engine_is_new": True}, *loaded(footprint=140)], [during(footprint=140)]]
    assert found(each(given, "run_memory", *runs), "peak_footprint_gb") == [140, 140]


def test_a_mapped_file_outside_the_footprint_is_added_to_it(given: Given) -> None:
    """Loaded before, so there is no baseline. A footprint of the file's size and more holds the weights."""
    runs = [[{"file_bytes": 138 * GB}, during(footprint=size)] for size in (5, 137.9, 138, 150)]
    assert found(each(given, "run_memory", *runs), "peak_memory_gb", "peak_memory_kind") == [
        (143, "engine footprint and file"),
        (275.9, "engine footprint and file"),
        (138, "engine footprint"),
        (150, "engine footprint"),
    ]


def test_only_gguf_files_are_mapped(given: Given) -> None:
    runs = [[{"model_format": name}, during(footprint=5)] for name in ("mlx", None)]
    assert found(each(given, "run_memory", *runs), "peak_memory_gb", "peak_memory_kind") == [
        (5, "engine footprint"),
        (5, "engine footprint"),
    ]


def test_a_file_of_unknown_size_adds_nothing(given: Given) -> None:
    row = one(given([during(footprint=5)], file_bytes=None), "run_memory")
    assert (row["peak_memory_gb"], row["peak_memory_kind"]) == (5, "engine footprint")


def test_with_a_baseline_the_engines_figures_are_no_headline(given: Given) -> None:
    row = one(given(loaded(peak=160, footprint=400, rss=300), model_format="mlx"), "run_memory")
    assert (row["peak_memory_gb"], row["peak_memory_kind"]) == (150, "system, above baseline")
    assert (row["peak_footprint_gb"], row["peak_rss_gb"], row["baseline_gb"]) == (400, 300, 10)


def test_a_machine_that_changed_meanwhile_has_no_peak_memory_and_says_why(given: Given) -> None:
    """By more than 2 GB, or 2 % of the peak, either way."""
    small = [loaded(peak=60, after=end) for end in (12.0, 12.1, 8.0, 7.9)]
    large = [loaded(peak=210, after=end) for end in (14.0, 14.1)]
    rows = each(given, "run_memory", *small, *large)
    assert found(rows, "peak_memory_gb") == [50, None, 50, None, 200, None]
    assert found(rows, "memory_drift_gb") == pytest.approx([2, 2.1, 2, 2.1, 4, 4.1])
    assert found(rows, "peak_memory_reason")[:4:2] == [None, None]
    assert found(rows, "peak_memory_reason")[1::2] == [
        "memory in use changed by 2.1 GB without the model",
        "memory in use changed by 2.1 GB without the model",
        "memory in use changed by 4.1 GB without the model",
    ]
    assert [sure is None for sure in found(rows, "memory_confidence")] == [False, True] * 3


def test_a_model_that_was_not_unloaded_has_its_peak_without_that_proof(given: Given) -> None:
    row = one(given(loaded(peak=60)), "run_memory")
    assert (row["memory_drift_gb"], row["peak_memory_gb"], row["peak_memory_reason"]) == (None, 50, None)


def test_memory_that_did_not_grow_with_the_model_is_no_peak(given: Given) -> None:
    rows = each(given, "run_memory", *(loaded(peak=peak, footprint=5) for peak in (9, 10, 10.1)))
    assert found(rows, "peak_memory_gb") == [None, None, pytest.approx(0.1)]
    flat = "memory in use did not grow with the model"
    assert found(rows, "peak_memory_reason") == [flat, flat, None]
    assert found(rows, "memory_confidence")[:2] == [None, None]


def test_linux_takes_a_process_without_memory_for_one_that_was_not_seen(given: Given) -> None:
    row = one(given([during(system=150, pss=0)], **LINUX), "run_memory")
    assert (row["peak_memory_gb"], row["memory_confidence"]) == (None, None)
    assert "not on this machine" in row["peak_memory_reason"]


@pytest.mark.parametrize(("began_s", "words"), [(20, "sampled only at the beginning"), (0.5, "not on this machine")])
def test_a_sampler_that_ended_early_is_no_engine_on_another_machine(given: Given, began_s: float, words: str) -> None:
    row = one(given([idle(sample(1, 10)), load(), request(started_ns=int(began_s * 1e9))], **LINUX), "run_memory")
    assert row["peak_memory_gb"] is None
    assert words in row["peak_memory_reason"]


def test_a_baseline_without_any_later_sample_is_not_called_loaded_before(given: Given) -> None:
    row = one(given([idle(sample(1, 10)), load(), request()]), "run_memory")
    assert row["peak_memory_gb"] is None
    assert "loaded before" not in row["peak_memory_reason"]


# ---------------------------------------------------------------- run_memory: how sure it is

SURE = ("memory_confidence", "memory_confidence_reason")


def test_a_peak_is_unsure_where_sampling_ended_before_the_last_request(given: Given) -> None:
    """As when the sampler was killed: what came after it may have been more."""
    late = request("late", started_ns=30 * 10**9)
    rows = each(given, "run_memory", [during(pss=150), late], [{**late, "memory": [sample(31, pss=150)]}], **LINUX)
    assert found(rows, *SURE) == [("low", "sampling ended before the last request"), ("high", None)]


def differ(by: float) -> str:
    return f"system and engine differ by {by:.1f} GB"


def test_system_and_engine_that_agree_within_5_percent_are_high_within_10_medium_else_low(given: Given) -> None:
    sizes = [142.5, 142.4, 135, 134.9, 157.5, 157.6, 165, 165.1]  # of a peak of 150
    rows = each(given, "run_memory", *(loaded(peak=160, footprint=size) for size in sizes), model_format="mlx")
    assert found(rows, *SURE) == [
        ("high", None),
        ("medium", differ(7.6)),
        ("medium", differ(15)),
        ("low", differ(15.1)),
        ("high", None),
        ("medium", differ(7.6)),
        ("medium", differ(15)),
        ("low", differ(15.1)),
    ]


def test_of_a_small_model_3_gb_are_close_enough(given: Given) -> None:
    rows = each(given, "run_memory", *(loaded(peak=20, footprint=size) for size in (7, 6.9)), model_format="mlx")
    assert found(rows, *SURE) == [("high", None), ("low", differ(3.1))]


def test_the_larger_of_footprint_and_resident_memory_stands_for_the_engine(given: Given) -> None:
    engines = [{"footprint": 20, "rss": 150}, {"footprint": 150, "rss": 20}, {"footprint": 150}, {"rss": 150}]
    rows = each(given, "run_memory", *(loaded(peak=160, **engine) for engine in engines), model_format="mlx")
    assert found(rows, *SURE) == [("high", None)] * 4


def test_footprint_and_mapped_file_together_stand_for_the_engine(given: Given) -> None:
    rows = each(given, "run_memory", loaded(peak=160, footprint=12), [{"file_bytes": None}, *loaded(footprint=12)])
    assert found(rows, *SURE) == [("high", None), ("low", differ(138))]


def test_an_engine_that_was_not_seen_leaves_the_systems_figure_unsure(given: Given) -> None:
    """However small it is."""
    rows = each(given, "run_memory", loaded(peak=160), loaded(peak=12))
    assert found(rows, "peak_memory_gb", *SURE) == [
        (150, "low", "the engine's processes were not seen"),
        (2, "low", "the engine's processes were not seen"),
    ]


def test_a_figure_without_baseline_is_at_most_medium(given: Given) -> None:
    row = one(given([during(footprint=150, rss=150)]), "run_memory")
    assert [row[name] for name in SURE] == ["medium", "loaded before: no baseline"]


def test_a_baseline_that_could_not_be_read_is_not_taken_for_a_model_that_was_loaded_before(given: Given) -> None:
    """The kernel told no memory in use, so the engine's own figure stands, or none."""
    seen, unseen = (
        [idle(sample(1, None)), load(), during(system=None, **engine)]
        for engine in ({"footprint": 150, "rss": 150}, {})
    )
    rows = each(given, "run_memory", seen, unseen)
    assert found(rows, "peak_memory_gb", "peak_memory_reason", "memory_confidence_reason") == [
        (150, None, "the system's figure could not be read"),
        (None, "neither the system's figure nor the engine's could be read", None),
    ]


def test_no_figure_is_neither_sure_nor_unsure(given: Given) -> None:
    runs = [[system, during(system=150)] for system in ({}, LINUX)]
    assert found(each(given, "run_memory", *runs), "peak_memory_gb", *SURE) == [(None, None, None)] * 2


PRESSED = [
    ({"swap": 0.5}, False),
    ({"swap": 0.500000001}, True),
    ({"compressor": 2}, False),
    ({"compressor": 2.000000001}, True),
    ({"pressure_level": 1}, False),
    ({"pressure_level": 2}, True),
]
SYSTEMS: dict[str, Facts] = {"macOS": {"model_format": "mlx"}, "Linux": {**LINUX, "file_bytes": 150 * GB}}


@pytest.mark.parametrize("system", SYSTEMS.values(), ids=SYSTEMS)
def test_memory_that_was_short_makes_any_peak_unsure(given: Given, system: Facts) -> None:
    start = idle(sample(1, 10, swap=0, compressor=0))
    runs = [[start, load(), during(system=160, footprint=150, pss=150, **worse)] for worse, _ in PRESSED]
    expected = [("low", "memory was short") if pressed else ("high", None) for _, pressed in PRESSED]
    assert found(each(given, "run_memory", *runs, **system), *SURE) == expected


def test_linux_is_sure_if_nine_tenths_of_the_file_were_in_memory(given: Given) -> None:
    rows = each(given, "run_memory", *([during(pss=size)] for size in (9, 8.9)), **LINUX, file_bytes=10 * GB)
    assert found(rows, *SURE) == [
        ("high", None),
        ("medium", "less than the file's size: not all weights were in memory"),
    ]


def test_linux_is_not_sure_where_the_files_size_is_not_known(given: Given) -> None:
    row = one(given([during(pss=9)], **LINUX, file_bytes=None), "run_memory")
    assert [row[name] for name in SURE] == ["medium", "the file's size is not known"]


def test_linux_is_not_sure_where_the_engine_could_not_be_told_from_its_server(given: Given) -> None:
    ways = ["whole tree", "grown while loading", None]
    runs = [[{"engine_found_by": way}, during(pss=9)] for way in ways]
    assert found(each(given, "run_memory", *runs, **LINUX, file_bytes=9 * GB), *SURE) == [
        ("medium", "all of the server's processes are in it"),
        ("high", None),
        ("high", None),
    ]


def test_the_share_of_the_wired_limit_is_unknown_where_the_system_decides(given: Given) -> None:
    runs = [[{"wired_limit_mb": limit}, *loaded(peak=160)] for limit in (200_000, 0, None)]
    exact = 150e9 / (200_000 * 2**20)
    assert found(each(given, "run_memory", *runs), "wired_limit_share") == [pytest.approx(exact), None, None]


def test_swap_that_shrank_did_not_grow(given: Given) -> None:
    runs = [[request(memory=[sample(20, swap=a), sample(21, swap=b)])] for a, b in ((1, 4), (4, 1))]
    assert found(each(given, "run_memory", *runs), "swap_grown_gb") == [3, 0]


def test_swap_that_nobody_read_has_not_grown_by_nothing(given: Given) -> None:
    rows = each(given, "run_memory", [request()], [during(system=150)])
    assert found(rows, "swap_grown_gb") == [None, None]


# ---------------------------------------------------------------- configuration_full_memory

MLX: Facts = {"runtime": "mlx", "model_format": "mlx", "quantization": "4bit", "engine_is_new": True}
FULL = ("peak_full_gb", "peak_full_kind", "peak_full_reason")
KV = 2 * 62 * 8 * 128 * 2  # bytes of MiniMax-M2.1's cache for a token: keys and values, layers, heads, size, 16 bits
BY_FORMULA = "no ladder: short peak and the cache by its formula"


def climb(peak: float, depth: int = 129_024, **more: Any) -> list[Facts]:
    """A ladder of one rung, with this peak above its baseline."""
    rung = {
        **request(prompt_tokens=depth),
        "op": "context",
        "context_rung": depth,
        "context_expected_tokens": depth,
        "memory": [sample(20, 10 + peak)],
        **more,
    }
    return [{"suite": "context"}, idle(sample(1, 10)), load(), rung]


def full(given: Given, *runs: list[Facts], **facts: Any) -> Row:
    return one(given(*runs, **facts), "configuration_full_memory")


def test_mlx_still_has_to_grow_the_cache_of_the_rest_of_the_context(given: Given) -> None:
    """The longest request has used its part already."""
    long = request("long", tokens=101, prompt_tokens=2000)
    row = full(given, [*loaded(peak=160), long], **MLX)
    assert row["peak_short_gb"] == 150
    assert row["peak_full_gb"] == pytest.approx(150 + (131072 - 2101) * KV / 1e9)
    assert [row[name] for name in FULL[1:]] == ["estimated", BY_FORMULA]


def test_a_cache_that_is_full_already_need_not_grow(given: Given) -> None:
    assert full(given, loaded(peak=160), **{**MLX, "context_effective": 200})["peak_full_gb"] == 150


def test_mlx_requests_of_unknown_length_leave_the_whole_cache_to_grow_or_the_peak_unknown(given: Given) -> None:
    silent = request(memory=[sample(20, 160)], prompt_tokens=None, completion_tokens=None)
    row = full(given, [idle(sample(1, 10)), load(), silent], **MLX)
    assert row["peak_full_gb"] is None or row["peak_full_gb"] == pytest.approx(150 + 131072 * KV / 1e9)


def test_llama_cpp_has_allocated_the_whole_cache_when_loading(given: Given) -> None:
    row = full(given, loaded(peak=160))
    assert [row[name] for name in FULL] == [
        150,
        "estimated",
        "no ladder: llama.cpp allocates the whole cache when loading",
    ]


@pytest.mark.parametrize(("ladder", "peak"), [(190, 190), (140, 150)])
def test_a_ladder_measures_the_full_peak_which_is_never_below_the_short_one(
    given: Given, ladder: float, peak: float
) -> None:
    row = full(given, loaded(peak=160), climb(ladder), **MLX)
    assert [row[name] for name in FULL] == [peak, "measured", None]
    assert row["peak_short_gb"] == 150


def test_of_several_ladders_and_rungs_the_highest_peak_counts_and_the_deepest_prompt(given: Given) -> None:
    shallow = climb(185, depth=4096)
    row = full(given, loaded(peak=160), [*climb(190), shallow[-1]], climb(180), shallow, **MLX)
    assert [row[name] for name in FULL] == [190, "measured", None]


def test_answers_of_unknown_length_leave_a_ladder_as_deep_as_its_prompts(given: Given) -> None:
    assert full(given, loaded(peak=160), climb(190, completion_tokens=None), **MLX)["peak_full_kind"] == "measured"


def test_a_model_of_several_names_is_one(given: Given) -> None:
    row = full(given, loaded(peak=160), **{**MLX, "model_key": "qwen3-coder-next"})
    assert row["peak_full_gb"] == pytest.approx(150 + (131072 - 201) * 24576 / 1e9)


def test_a_run_that_measured_nothing_has_no_full_peak_and_says_so(given: Given) -> None:
    row = full(given, [load(error_kind="load_failed")], **MLX)
    assert (row["peak_full_gb"], row["peak_full_reason"]) == (None, "no peak memory")


def test_a_ladder_whose_prompts_were_not_taken_measures_nothing(given: Given) -> None:
    refused = climb(190, error_kind="context_overflow")
    assert full(given, loaded(peak=160), refused, **MLX)["peak_full_kind"] == "estimated"


def test_a_ladder_of_another_context_measures_nothing(given: Given) -> None:
    [other, *rest] = climb(190)
    row = full(given, loaded(peak=160), [{**other, "context_effective": 196608}, *rest], **MLX)
    assert row["peak_full_kind"] == "estimated"


def test_a_ladder_that_ended_early_leaves_the_rest_of_the_cache_to_be_estimated(given: Given) -> None:
    row = full(given, loaded(peak=160), climb(152, depth=4096), **MLX)
    assert row["peak_full_gb"] == pytest.approx(152 + (131072 - 4096 - 101) * KV / 1e9)
    early = "the ladder ended early: its peak and the rest of the cache by its formula"
    assert [row[name] for name in FULL[1:]] == ["estimated", early]


@pytest.mark.parametrize(("depth", "kind"), [(95_000, "measured"), (94_999, "estimated")])
def test_a_ladder_up_to_95_percent_of_the_context_has_measured_it(given: Given, depth: int, kind: str) -> None:
    """The answer is part of the depth."""
    ladder = climb(190, depth=depth - 101, completion_tokens=101)
    assert full(given, loaded(peak=160), ladder, **{**MLX, "context_effective": 100_000})["peak_full_kind"] == kind


def test_a_peak_that_is_not_known_displaces_none_that_is(given: Given) -> None:
    """The machine changed during the runs with a baseline; those loaded before have a figure."""
    drifted = [unload(), idle(sample(102, 90))]
    [suite, *_, rung] = climb(190)
    before = [suite, {**rung, "memory": [sample(20, footprint=190)]}]
    row = full(given, loaded(after=90), [during(footprint=150)], [*climb(190), *drifted], before, **MLX)
    assert (row["peak_short_gb"], row["peak_full_gb"]) == (150, 190)


def test_of_llama_cpp_any_ladder_has_measured_the_whole_cache(given: Given) -> None:
    row = full(given, loaded(peak=160), climb(152, depth=4096))
    assert [row[name] for name in FULL] == [152, "measured", None]


def test_a_ladder_that_ended_early_is_a_peak_although_there_is_no_short_one(given: Given) -> None:
    row = full(given, [request()], climb(152, depth=4096), **MLX)
    assert row["peak_full_gb"] == pytest.approx(152 + (131072 - 4096 - 101) * KV / 1e9)
    assert row["peak_full_reason"] != "no peak memory"


def test_a_ladder_without_baseline_is_never_pooled_with_one_above_a_baseline(given: Given) -> None:
    """Loaded before, the kernel's maximum may be that of another model."""
    [suite, *_, rung] = climb(300)
    older = [suite, {**rung, "memory": [sample(20, footprint=140, footprint_max=300)]}]
    assert full(given, loaded(peak=160), climb(190), older, **MLX)["peak_full_gb"] == 190


def test_a_peak_without_baseline_is_never_pooled_with_one_above_a_baseline(given: Given) -> None:
    """Loaded before, the kernel's maximum may be that of another model."""
    row = full(given, loaded(peak=160), [during(footprint=140, footprint_max=300)], **MLX)
    assert row["peak_short_gb"] == 150


def test_the_short_peak_is_the_highest_of_the_configurations_runs(given: Given) -> None:
    row = full(given, loaded(peak=160), loaded(peak=162), loaded(peak=161))
    assert (row["peak_short_gb"], row["peak_full_gb"]) == (152, 152)


def test_the_short_peak_of_models_loaded_before_is_the_highest_too(given: Given) -> None:
    assert full(given, *([during(footprint=size)] for size in (150, 152, 151)))["peak_short_gb"] == 152


def test_ladders_and_imported_files_are_no_configurations(given: Given) -> None:
    imported = [{"server": "llama-bench"}, {"op": "bench", "bench_test": "tg128"}]
    assert given(climb(190), imported).rows("from configuration_full_memory") == []


UNKNOWN = [
    ({}, [request()], "no peak memory"),
    (MLX, [request()], "no peak memory"),
    ({"context_effective": None}, loaded(), "the context is not known"),
    ({**MLX, "context_effective": None}, loaded(), "the context is not known"),
    ({**MLX, "model_key": "a/strange-model"}, loaded(), "models.csv does not know the shape of this model's cache"),
]


@pytest.mark.parametrize(("facts", "run", "reason"), UNKNOWN)
def test_an_unknown_full_peak_is_null_with_its_reason(
    given: Given, facts: Facts, run: list[Facts], reason: str
) -> None:
    row = full(given, run, **facts)
    assert (row["peak_full_gb"], row["peak_full_reason"]) == (None, reason)


# ---------------------------------------------------------------- weight_traffic


def traffic(given: Given, *runs: list[Facts], **facts: Any) -> list[Row]:
    """What is said of measured configurations, in the order of the runs given."""
    warehouse = given(*runs, **facts)
    order = "select distinct configuration_id, run_id from stg_runs"
    query = f"select * from weight_traffic inner join ({order}) using (configuration_id) order by run_id"  # noqa: S608
    return warehouse.rows(query)


def test_bits_of_mlx_are_nominal_and_half_a_bit_for_each_groups_scale_and_bias(given: Given) -> None:
    names = ["4bit", "6bit", "8bit", "bf16"]
    rows = traffic(given, *([{"quantization": name}, request()] for name in names), runtime="mlx")
    assert found(rows, "bits_per_weight") == [4.5, 6.5, 8.5, 16]


def test_bits_of_gguf_are_the_files_size_over_all_weights(given: Given) -> None:
    [row] = traffic(given, [request()], file_bytes=138 * GB)
    assert row["bits_per_weight"] == pytest.approx(138 * 8 / 230)


def test_bits_that_cannot_be_told_are_unknown(given: Given) -> None:
    runs: list[list[Facts]] = [
        [{"runtime": "mlx", "quantization": None}, request()],
        [{"file_bytes": None}, request()],
        [{"model_key": "a/strange-model"}, request()],
    ]
    assert found(traffic(given, *runs), "bits_per_weight", "gb_per_token") == [(None, None)] * 3


WEIGHTS = {
    "minimax-m2.1": 10.42,  # experts 7.02, attention 2.73, router 0.05, output layer 0.61
    "qwen3-coder-next": 3.56,
    "smollm2-135m-instruct": 0.135,
    "a/strange-model": None,
}


def test_weights_read_for_a_token_follow_from_the_models_shape(given: Given) -> None:
    rows = traffic(given, *([{"model_key": key}, request()] for key in WEIGHTS))
    expected = [value if value is None else pytest.approx(value, abs=0.005) for value in WEIGHTS.values()]
    assert found(rows, "weights_per_token_b") == expected
    assert found(rows, "kv_bytes_per_token") == [KV, 24576, 2 * 30 * 3 * 64 * 2, None]


def test_a_token_reads_the_weights_and_the_cache_at_the_median_depth_of_its_prompts(given: Given) -> None:
    """The depth is the prompt's tokens and half of the answer's."""
    lengths = [(1000, 100), (5000, 200), (90_000, 400)]
    requests = [request(str(n), prompt_tokens=n, tokens=out) for n, out in lengths]
    [row] = traffic(given, requests, **MLX)
    assert row["depth"] == 5100
    assert row["gb_per_token"] == pytest.approx(row["weights_per_token_b"] * 4.5 / 8 + 5100 * KV / 1e9)


def test_a_cache_of_unknown_shape_adds_nothing(given: Given) -> None:
    [row] = traffic(given, [request(prompt_tokens=10**6)], model_key="gemma-3-270m", file_bytes=GB)
    assert row["kv_bytes_per_token"] is None
    assert row["gb_per_token"] == pytest.approx(1.0)


def test_bandwidth_is_that_of_the_chip_with_its_gpu_cores(given: Given) -> None:
    chips = [("Apple M3 Ultra", 60), ("Apple M3 Ultra", 80), ("Apple M3 Ultra", None), ("Apple M3 Max", 30)]
    chips += [("Apple M3 Max", 40), ("Apple M3 Max", None), ("AMD EPYC", None), (None, None)]
    runs = [[{"chip": chip, "gpu_cores": cores}, request()] for chip, cores in chips]
    assert found(traffic(given, *runs), "memory_bandwidth_gbs") == [819, 819, 819, 300, 400, None, None, None]


def test_a_configuration_without_a_decode_speed_has_no_row(given: Given) -> None:
    assert traffic(given, [request(tokens=8)]) == []


def test_an_archived_figure_is_of_mlx_at_no_depth_and_of_no_machine(given: Given) -> None:
    rows = given().rows("from weight_traffic order by quantization")
    told = ("quantization", "runtime", "harness", "bits_per_weight", "depth", "machine", "request_count")
    assert found(rows, *told) == [
        (f"mlx-{bits}bit", "mlx", "native mlx-lm", bits + 0.5, 0, None, None) for bits in (4, 6, 8)
    ]


# ---------------------------------------------------------------- physical_limit

ARCHIVE = "model,variant,harness,decode_tps,memory_gb,chip,note"


def limit(given: Given, *runs: list[Facts], **facts: Any) -> Row:
    return one(given(*runs, **facts), "physical_limit", "configuration_id is not null")


def test_the_archived_figures_reach_a_third_to_under_a_half_of_the_ceiling(given: Given) -> None:
    rows = given().rows("from physical_limit")
    assert found(rows, "quantization", "decode_tps") == [("mlx-4bit", 45.73), ("mlx-6bit", 39.01), ("mlx-8bit", 33.04)]
    assert found(rows, "ceiling_share") == pytest.approx([0.327, 0.403, 0.446], abs=5e-4)
    assert found(rows, "ceiling_tps") == pytest.approx([139.8, 96.8, 74.0], abs=0.05)
    assert found(rows, "gb_per_token") == pytest.approx([5.86, 8.46, 11.07], abs=0.006)
    assert found(rows, "verdict", "reason") == [("plausible", None)] * 3


def test_the_ceiling_is_bandwidth_over_bytes_for_a_token(given: Given) -> None:
    row = limit(given, speeds("short", 50, 50), **MLX)
    assert row["ceiling_tps"] == pytest.approx(819 / row["gb_per_token"])
    assert row["ceiling_share"] == pytest.approx(50 * row["gb_per_token"] / 819)
    assert (row["request_count"], row["harness"], row["verdict"], row["reason"]) == (2, "lmstudio", "plausible", None)


IMPOSSIBLE = "more than memory can deliver: wrong weights, a cache, or speculative decoding"
MADE_UP = {  # 16 billion weights of 4.5 bits are 9 GB, which 900 GB/s deliver 100 times a second
    "models.csv": (
        "model,aliases,parameters_total_b,parameters_active_b,context_advertised,suites,weights_per_token_b",
        "Made Up,made-up,,,,,16",
    ),
    "machines.csv": ("chip,gpu_cores,memory_bandwidth_gbs,source", "Chip,,900,nobody"),
}
VERDICTS = [
    (100.1, "impossible", IMPOSSIBLE),
    (100, "plausible", None),
    (15, "plausible", None),
    (14.9, "look here", "far below what memory can deliver"),
]


@pytest.mark.parametrize(("tps", "verdict", "reason"), VERDICTS)
def test_above_the_ceiling_is_impossible_and_below_15_percent_is_to_be_looked_at(
    given: Given, results: Results, tps: float, verdict: str, reason: str | None
) -> None:
    for name, lines in MADE_UP.items():
        table(results, name, *lines)
    table(results, "archive.csv", ARCHIVE, f"Made Up,mlx-4bit,other,{tps},135,Chip,")
    row = one(given(), "physical_limit")
    assert (row["verdict"], row["reason"], row["ceiling_tps"]) == (verdict, reason, 100)


NOT_KNOWN = [
    ({"model_key": "a/strange-model"}, "models.csv does not know how many weights a token reads"),
    ({"file_bytes": None}, "neither bits nor file size are known"),
    ({"runtime": "mlx", "quantization": None}, "neither bits nor file size are known"),
    ({"chip": "AMD EPYC"}, "machines.csv does not know the bandwidth of this chip"),
    ({"chip": None}, "machines.csv does not know the bandwidth of this chip"),
]


@pytest.mark.parametrize(("facts", "reason"), NOT_KNOWN)
def test_what_is_not_known_makes_the_limit_unknown_and_is_named(given: Given, facts: Facts, reason: str) -> None:
    row = limit(given, [request()], **facts)
    assert (row["verdict"], row["reason"]) == ("unknown", reason)
    assert (row["ceiling_tps"], row["ceiling_share"]) == (None, None)
    assert row["decode_tps"] == pytest.approx(50)


def test_prompts_of_unknown_length_leave_the_limit_unknown_and_that_is_said(given: Given) -> None:
    row = limit(given, [request(prompt_tokens=None)], **MLX)
    assert row["verdict"] == "unknown"
    assert row["reason"] is not None


def test_an_archived_figure_without_a_speed_is_not_called_plausible(given: Given, results: Results) -> None:
    table(results, "archive.csv", ARCHIVE, "MiniMax-M2.1,mlx-4bit,other,,135,Apple M3 Ultra,")
    assert [row["verdict"] for row in given().rows("from physical_limit")] in ([], ["unknown"])


def test_an_archived_figure_of_16_bits_has_no_scales(given: Given, results: Results) -> None:
    table(results, "archive.csv", ARCHIVE, "MiniMax-M2.1,mlx-bf16,other,20,460,Apple M3 Ultra,")
    assert one(given(), "physical_limit")["bits_per_weight"] == 16


def test_an_archived_figure_of_unknown_bits_is_unknown(given: Given, results: Results) -> None:
    table(results, "archive.csv", ARCHIVE, "MiniMax-M2.1,Q4_K_M,other,40,135,Apple M3 Ultra,")
    row = one(given(), "physical_limit")
    assert (row["verdict"], row["reason"]) == ("unknown", "neither bits nor file size are known")


# ---------------------------------------------------------------- bandwidth_fit


def test_the_archived_figures_fit_a_fixed_time_and_a_bandwidth(given: Given) -> None:
    row = one(given(), "bandwidth_fit")
    assert row["fixed_ms"] == pytest.approx(12.3, abs=0.05)
    assert row["effective_bandwidth_gbs"] == pytest.approx(620, abs=1)
    assert row["bandwidth_share"] == pytest.approx(0.76, abs=0.005)
    assert row["r2"] == pytest.approx(0.996, abs=5e-4)
    assert [row[name] for name in ("quantization_count", "point_count", "machine")] == [3, 3, "Apple M3 Ultra"]


def dense(quantization: str, file_gb: float, **more: Any) -> list[Facts]:
    """A run of gemma-3-270m, which reads its file once a token: 10 ms and 1/500 s for a GB."""
    tps = 1000 / (10 + 1000 * file_gb / 500)
    facts = {"model_key": "gemma-3-270m", "quantization": quantization, "file_bytes": round(file_gb * GB), **more}
    return [facts, request(tps=tps, tokens=1001)]


THREE = [("Q4_0", 1.0), ("Q6_K", 2.0), ("Q8_0", 4.0)]


def fits(given: Given, *runs: list[Facts]) -> list[Row]:
    return given(*runs).rows("from bandwidth_fit where model = 'gemma-3-270m'")


def test_three_quantizations_show_the_time_that_is_no_traffic(given: Given) -> None:
    [row] = fits(given, *(dense(name, size) for name, size in THREE))
    assert (row["fixed_ms"], row["effective_bandwidth_gbs"]) == pytest.approx((10, 500), rel=1e-3)
    assert row["bandwidth_share"] == pytest.approx(500 / 819, rel=1e-3)
    assert (row["r2"], row["harness"]) == (pytest.approx(1), "lmstudio")


def test_two_quantizations_are_too_few_however_often_they_were_measured(given: Given) -> None:
    again = dense("Q4_0", 1.0, context_effective=8192)
    assert fits(given, *(dense(name, size) for name, size in THREE[:2]), again) == []


def test_a_quantization_of_unknown_traffic_is_none_of_the_three(given: Given) -> None:
    *two, third = (dense(name, size) for name, size in THREE)
    assert fits(given, *two, [{**third[0], "file_bytes": None}, third[1]]) == []


@pytest.mark.parametrize(
    "other",
    [{"server": "llama-server"}, {"runtime": "vllm"}, {"gpu_cores": 60}, {"model_key": "smollm2-135m-instruct"}],
)
def test_only_the_same_harness_engine_machine_and_model_are_fitted_together(given: Given, other: Facts) -> None:
    *two, third = (dense(name, size) for name, size in THREE)
    assert fits(given, *two, [{**third[0], **other}, third[1]]) == []


def test_an_unknown_bandwidth_leaves_its_share_unknown(given: Given) -> None:
    [row] = fits(given, *(dense(name, size, chip="AMD EPYC") for name, size in THREE))
    assert row["effective_bandwidth_gbs"] == pytest.approx(500, rel=1e-3)
    assert (row["memory_bandwidth_gbs"], row["bandwidth_share"]) == (None, None)


def test_quantizations_of_one_size_fit_no_line(given: Given) -> None:
    [row] = fits(given, *(dense(name, 1.0) for name, _ in THREE))
    assert (row["fixed_ms"], row["effective_bandwidth_gbs"]) == (None, None)
