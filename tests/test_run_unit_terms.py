"""Every term of a variance and its degrees of freedom is held by a test: without it in the SQL, a comparison fails."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from random import Random
from typing import NamedTuple

import pytest

from collector.schema import Results
from site_src.warehouse import Warehouse
from tests import compared, compared_depth, compared_once
from tests.messy_sets import messy
from tests.rows import mutated
from tests.synthetic import Row, fill

SEED, SETS = 5, 40


class Data(NamedTuple):
    """Made-up measurements, and how they are put in the place of measured ones."""

    made: Callable[[], object]
    put: Callable[..., None]


class Check(NamedTuple):
    """What compares figures of a warehouse that holds this data."""

    data: Data
    compare: Callable[..., object]


class Term(NamedTuple):
    """What is taken out of one view, and which comparison has to notice."""

    name: str
    view: str
    text: str
    instead: str
    noticing: Check


@cache
def sets() -> list[Row]:
    chance = Random(SEED)
    return [row for number in range(SETS) for row in messy(chance, f"set {number}")]


@cache
def once_a_run() -> dict[str, dict[str, compared_once.Sided]]:
    return compared_once.once_a_run(SEED, SETS)


@cache
def ladders() -> list[Row]:
    return compared_depth.ladders(SEED, SETS)


OF_SETS, ONCE, OF_LADDERS = (
    Data(sets, fill),
    Data(once_a_run, compared_once.measured),
    Data(ladders, compared_depth.climb),
)
spread, speed, run, ratio, version, cv = (Check(OF_SETS, check) for check in compared.CHECKS)
welch, loads = Check(ONCE, compared_once.memory_and_load_by_welch), Check(ONCE, compared_once.load_times_of_one_kind)
depth = Check(OF_LADDERS, compared_depth.ratios_by_depth)
FIGURES, SPREAD, SPEED = "pair_figures", "machine_spread", "set_speed"
MACROS, MEMORY, DEPTH = "0_macros", "pair_memory", "framework_delta_by_depth"
WELCH = """t_of(satterthwaite(
            a.se * a.se + b.se * b.se, a.se * a.se, a.run_count - 1, b.se * b.se, b.run_count - 1
        ))"""
SHARE = "prompt_part + lasting_variance * run_share"
DEGREES = "satterthwaite(variance, prompt_part, prompt_count - 1, run_variance * run_share, spread_degrees)"

TERMS = [
    Term("a ratio's part from prompts", FIGURES, f"then {SHARE}", "then lasting_variance * run_share", ratio),
    Term("a ratio's part from runs", FIGURES, f"then {SHARE}", "then prompt_part", ratio),
    Term("the run part's share of side a", FIGURES, "1 / a.run_count + 1 / b.run_count", "1 / b.run_count", ratio),
    Term("the run part's share of side b", FIGURES, "1 / a.run_count + 1 / b.run_count", "1 / a.run_count", ratio),
    Term("noise taken off the run part", FIGURES, "run_variance - noise_variance, 0", "run_variance, 0", ratio),
    Term(
        "no run part below nothing",
        FIGURES,
        "greatest(run_variance - noise_variance, 0)",
        "run_variance - noise_variance",
        ratio,
    ),
    Term("degrees of the run part", FIGURES, DEGREES, "(prompt_count - 1)", ratio),
    Term("degrees of the prompts' part", FIGURES, DEGREES, "spread_degrees", ratio),
    Term(
        "degrees of a run part that is gone",
        FIGURES,
        "run_variance * run_share, spread",
        "lasting_variance * run_share, spread",
        ratio,
    ),
    Term(
        "prompts' part where nothing is pooled",
        FIGURES,
        "run_variance is null then prompt_part",
        "run_variance is null then null",
        ratio,
    ),
    Term(
        "a step's variance of runs",
        FIGURES,
        "else greatest(run_part, coalesce(prompt_part, 0))",
        "else prompt_part",
        version,
    ),
    Term(
        "a step's share of both sides",
        FIGURES,
        "greatest(run_variance, noise_variance) * run_share as",
        "greatest(run_variance, noise_variance) as",
        version,
    ),
    Term(
        "prompts as a step's least variance",
        FIGURES,
        "else greatest(run_part, coalesce(prompt_part, 0))",
        "else run_part",
        version,
    ),
    Term(
        "noise as a step's least variance", FIGURES, "greatest(run_variance, noise_variance)", "run_variance", version
    ),
    Term(
        "a step's degrees", FIGURES, "prompt_count - 1, spread_degrees)", "prompt_count - 1, prompt_count - 1)", version
    ),
    Term(
        "the largest of several steps",
        "version_speed",
        "t_of_all(pair_speed.decode_df, after.step_count)",
        "t_of(pair_speed.decode_df)",
        version,
    ),
    Term(
        "a machine's pooled squares",
        SPREAD,
        "sum(squares) / sum(degrees) as run_variance",
        "avg(squares / degrees) as run_variance",
        spread,
    ),
    Term("pooled degrees", SPREAD, "sum(degrees)::bigint as degrees", "max(degrees)::bigint as degrees", spread),
    Term("one degree less a group", SPREAD, "count(*) - 1 as degrees", "count(*) as degrees", spread),
    Term("the noise part", SPREAD, "coalesce(sum(noise) / sum(degrees) filter (noise is not null), 0)", "0", spread),
    Term(
        "noise weighed by degrees",
        SPREAD,
        "avg(error_variance) * (count(*) - 1) as noise",
        "avg(error_variance) as noise",
        spread,
    ),
    Term("runs of one version only", SPREAD, "kind = 'version'", "kind = 'configuration'", spread),
    Term("the root of the number of runs", SPEED, "run_variance / centered.run_count", "run_variance", speed),
    Term("the machine's degrees", SPEED, "t_of(machine_spread.degrees)", "1.96", speed),
    Term(
        "the machine's variance", SPEED, "greatest(between_margin, coalesce(within_margin, 0))", "within_margin", speed
    ),
    Term(
        "the floor by repeats", SPEED, "greatest(between_margin, coalesce(within_margin, 0))", "between_margin", speed
    ),
    Term(
        "all runs' repeats",
        SPEED,
        "sqrt(sum(error_variance)) / nullif(count(error_variance), 0)",
        "sqrt(avg(error_variance))",
        speed,
    ),
    Term("degrees of repeats", SPEED, "t_of(within_degrees)", "1.96", speed),
    Term("the median's price", "prompt_figures", " * pow(median_price(value_count), 2)", "", run),
    Term("no price below three repeats", MACROS, "if(count <= 2, 1, sqrt(pi() / 2))", "sqrt(pi() / 2)", run),
    Term("the number of repeats", "prompt_figures", "variance / value_count", "variance", run),
    Term(
        "the number of prompts",
        "set_runs",
        "pow(nullif(count(error_variance), 0), 2)",
        "nullif(count(error_variance), 0)",
        run,
    ),
    Term(
        "each prompt's degrees",
        "prompt_figures",
        "value_count - 1) as degrees",
        "value_count) as degrees",
        run,
    ),
    Term(
        "Welch's degrees",
        MEMORY,
        WELCH,
        "t_of(a.run_count + b.run_count - 2)",
        welch,
    ),
    Term("side a's own variance", MEMORY, "sqrt(a.se * a.se + b.se * b.se)", "b.se", welch),
    Term("side b's own variance", MEMORY, "sqrt(a.se * a.se + b.se * b.se)", "a.se", welch),
    Term("Satterthwaite's first part", MACROS, "if(x > 0, x * x / x_degrees, 0) + ", "", welch),
    Term("Satterthwaite's second part", MACROS, " + if(y > 0, y * y / y_degrees, 0)", "", welch),
    Term("a load's price of the median", "set_load", " * median_price(count(*))", "", loads),
    Term("a load's degrees", "set_load", "t_of(count(*) - 1)", "1.96", loads),
    Term(
        "ladders' variance",
        DEPTH,
        "coalesce(t_of(spread.degrees) * sqrt(spread.variance * (1 / a.run_count + 1 / b.run_count)), within_margin)",
        "within_margin",
        depth,
    ),
    Term("ladders of side a", DEPTH, "1 / a.run_count + 1 / b.run_count", "1 / b.run_count", depth),
    Term("ladders of side b", DEPTH, "1 / a.run_count + 1 / b.run_count", "1 / a.run_count", depth),
    Term(
        "degrees of ladders, not of rungs",
        DEPTH,
        "max(degrees) as ladder_degrees",
        "sum(degrees) as ladder_degrees",
        depth,
    ),
    Term("drift's two ends", "stability", "sqrt(2 * spread.run_variance)", "sqrt(spread.run_variance)", cv),
    Term("degrees of a CV", "stability", "sum(decode_count - 1)::bigint", "sum(decode_count)::bigint", cv),
    Term(
        "no verdict from repeats alone", MACROS, "if(interval_kind = 'within this run', null, margin)", "margin", ratio
    ),
    Term(
        "one run a side",
        MACROS,
        "greatest(a_runs, b_runs) < 2 then 'one run a side'\n        else ratio_verdict",
        "false then ''\n        else ratio_verdict",
        ratio,
    ),
]


class Filled:
    """A warehouse that is filled anew only where other data is asked for."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse = warehouse
        self._data: Data | None = None

    def compare(self, check: Check) -> None:
        """Raises AssertionError where a figure differs."""
        if check.data is not self._data:
            self.warehouse._unmake()
            check.data.put(self.warehouse, check.data.made())
            self._data = check.data
        check.compare(self.warehouse, check.data.made())

    @contextmanager
    def without(self, term: Term) -> Iterator[None]:
        """Every view that hangs on the term is computed anew, and those alone unless it is a macro's."""
        define = self._define_macros if term.view == MACROS else lambda: None
        try:
            with mutated(self.warehouse, term.view, term.text, term.instead):
                define()
                yield
        finally:
            define()

    def _define_macros(self) -> None:
        self.warehouse._con.execute(self.warehouse._views[MACROS].sql)
        self._data = None


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Filled:
    return Filled(Warehouse(Results(tmp_path_factory.mktemp("no") / "results")))


@pytest.mark.parametrize("check", list(dict.fromkeys(term.noticing for term in TERMS)))
def test_with_all_terms_in_place_the_figures_agree(filled: Filled, check: Check) -> None:
    filled.compare(check)


@pytest.mark.parametrize("term", TERMS, ids=lambda term: term.name)
def test_a_term_taken_out_is_noticed(filled: Filled, term: Term) -> None:
    with filled.without(term), pytest.raises(AssertionError):
        filled.compare(term.noticing)
