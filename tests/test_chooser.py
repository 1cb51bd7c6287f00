"""The chooser of the decision page in a real browser: each choice leads to the leaf that the tree leads to."""

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from collector.schema import CLONE
from site_src import decide, decide_html
from tests import planted
from tests.planted import Planted
from tests.planted import views_without_comments as views_without_comments
from tests.programs import PATIENCE_S
from tests.test_decide import OTHER, SCRIPT, leaves_of, reached
from tests.test_recommendation import MACHINE, candidate, compare, several

ASSETS = CLONE / "site_src" / "assets"


@pytest.fixture
def views() -> Iterator[Planted]:
    yield planted.shared()
    planted.shared().clear()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def address(views: Planted, tmp_path: Path) -> Iterator[str]:
    """A page with nothing but chooser and tree of two machines."""
    compare(views, {"ab": "a faster", "ac": "equivalent", "bc": "inconclusive", "bd": "b faster", "cd": "a faster"})
    rows = leaves_of(views, *several(), candidate("x", machine=OTHER))
    made = decide_html.choosers(rows, SCRIPT) + decide_html.trees(rows, SCRIPT, lambda row: row["configuration_id"])
    script = (ASSETS / "chooser.js").read_text(encoding="utf-8")
    (tmp_path / "index.html").write_text(
        f'<!doctype html><meta charset="utf-8"><title>t</title>{made}<script>{script}</script>', encoding="utf-8"
    )
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join(timeout=PATIENCE_S)


def chosen(page: Any, machine: str = MACHINE) -> str:
    """What the chooser of a machine shows."""
    shown: str = page.inner_text(f".chooser[data-machine={machine}] .chosen .leaf-name")
    return shown


def test_every_cell_of_the_recommendation_is_found_by_its_link_and_by_hand(
    browser: Any, address: str, views: Planted
) -> None:
    page = browser.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    tree = decide.tree(views.rows(f"from decision_leaves where machine = '{MACHINE}'"), SCRIPT)
    cells = views.rows(f"from recommendation where machine = '{MACHINE}' order by all")
    for cell in cells:
        [leaf] = reached(tree, cell)
        inside = cell["memory_budget_gb"] + 0.25  # somewhere within the span
        link = f"#budget={inside:g}&context={cell['context_needed']}&priority={cell['priority']}"
        page.evaluate("link => { location.hash = link; }", link)
        page.wait_for_timeout(20)
        assert chosen(page) == SCRIPT.name(leaf.row), link
    last = cells[-1]
    of = f".chooser[data-machine={MACHINE}]"
    for name, value in (("budget", f"{last['memory_budget_gb']:g}"), ("context", "0"), ("priority", "memory")):
        page.select_option(f"{of} select[name={name}]", value)
    assert page.evaluate("location.hash") == f"#priority=memory&context=0&budget={last['memory_budget_gb']:g}"
    assert chosen(page) == "C"
    page.reload()
    assert chosen(page) == "C"
    assert page.get_attribute(f"{of} .chosen a", "href") == "c"
    assert page.is_visible(of)
    assert errors == []
    page.close()


@pytest.mark.parametrize("link", ["", "#", "#candidates", "#budget=&context=x&priority=%3Cb%3E", "#%"])
def test_a_link_that_says_nothing_leaves_the_usual_choice(browser: Any, address: str, link: str) -> None:
    page = browser.new_page()
    page.goto(address + link)
    assert [chosen(page), chosen(page, OTHER)] == ["C", "X"]
    page.close()


def test_without_javascript_there_is_a_tree_and_no_chooser(browser: Any, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address)
        assert not page.is_visible(".chooser")
        page.click(
            f"#tree-{MACHINE} > .branching > details:nth-of-type(1) .branching > details:nth-of-type(1) > summary"
        )
        assert page.is_visible(f"#tree-{MACHINE} details details details >> nth=0")


def test_the_machine_that_was_picked_survives_instant_navigation(browser: Any, address: str, tmp_path: Path) -> None:
    """Material removes from <head> what the next page has not."""
    page_file = tmp_path / "index.html"
    scripts = f'window.machines = ["{MACHINE}", "{OTHER}"];' + (ASSETS / "machine.js").read_text(encoding="utf-8")
    page_file.write_text(
        page_file.read_text(encoding="utf-8").replace("<title>", f"<script>{scripts}</script><title>"), encoding="utf-8"
    )
    page = browser.new_page()
    page.goto(address)
    page.evaluate("for (const one of document.head.querySelectorAll('style')) one.remove()")
    assert [page.is_visible(f"#tree-{name}") for name in (MACHINE, OTHER)] == [True, False]
    page.evaluate(f"pickMachine('{OTHER}')")
    assert [page.is_visible(f"#tree-{name}") for name in (MACHINE, OTHER)] == [False, True]
    page.close()


def test_a_choice_holds_for_all_machines(browser: Any, address: str) -> None:
    page = browser.new_page()
    page.goto(address)
    page.select_option(f".chooser[data-machine={MACHINE}] select[name=priority]", "quality")
    assert page.input_value(f".chooser[data-machine={OTHER}] select[name=priority]") == "quality"
    assert [chosen(page), chosen(page, OTHER)] == ["B", "nothing measured fits"]
    page.close()
