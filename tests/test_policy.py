"""The policy against scripts that are no files of the site: on every page, and nothing it does needs less."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import material
import pytest

from collector.schema import CLONE
from site_src import build
from tests.browsing import Handler, draw, serving, tab
from tests.built_worlds import BuiltWorld, built
from tests.worlds import LAPTOP_NAME

PARTIALS = "partials/javascripts"
OF_MATERIAL = Path(material.__file__).parent / "templates" / PARTIALS
SCOPE = '"{{ config.extra.scope | d(base_url) }}"'  # what Material's page tells its script


class Head(HTMLParser):
    """A page's policy, and what it has that a policy is about."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.policy: dict[str, list[str]] = {}
        self.before: list[str] = []  # elements that could do something before the policy holds
        self.inline: list[str] = []
        self._is_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if given.get("http-equiv") == "Content-Security-Policy":
            assert not self.policy
            self.policy = {name: sources for name, *sources in map(str.split, given["content"].split(";"))}
        elif not self.policy and tag not in ("html", "head", "meta"):
            self.before.append(tag)
        self.inline += [f"<{tag} {name}>" for name in given if name.startswith("on")]
        self._is_script = tag == "script" and "src" not in given and given.get("type") != "application/json"
        if tag == "style":
            self.inline.append("<style>")

    def handle_data(self, data: str) -> None:
        if self._is_script:
            self.inline.append(data[:80])


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> BuiltWorld:
    return built("two machines", tmp_path_factory)


def test_every_page_allows_only_scripts_that_are_files_of_the_site(world: BuiltWorld) -> None:
    assert {"404.html", "zh/404.html"} <= {page.relative_to(world.site).as_posix() for page in world.pages}
    for page in world.pages:
        head = Head(page.read_text(encoding="utf-8"))
        assert head.before == [], page
        assert head.inline == [], page
        assert head.policy["default-src"] == head.policy["script-src"] == head.policy["style-src-elem"] == ["'self'"]
        assert head.policy["object-src"] == head.policy["form-action"] == ["'none'"]
        assert [source for sources in head.policy.values() for source in sources if ":" in source] == ["data:"], page


@pytest.mark.parametrize("name", ["base", "palette"])
def test_scripts_taken_from_material_are_those_of_the_installed_one(name: str) -> None:
    page = (OF_MATERIAL / f"{name}.html").read_text(encoding="utf-8")
    [own] = re.findall("<script>(.*)</script>", page, re.DOTALL)
    taken = (build.ASSETS / "vendor" / f"material-{name}.js").read_text(encoding="utf-8").partition("*/\n")[2]
    assert taken.strip() == own.replace(SCOPE, "document.currentScript.dataset.scope")
    assert (CLONE / "site_src" / "theme" / PARTIALS / f"{name}.html").exists()


@pytest.fixture(scope="module")
def address(world: BuiltWorld) -> Iterator[str]:
    """Where the site is served."""
    with serving(world.site, Handler) as address:
        yield address


PAGES = "nav.md-nav--primary a.md-nav__link:not([href*='#'])"  # of the navigation, which all have


def follow(page: Any, selector: str, index: int = 0) -> None:
    """Click a link and wait until Material has brought its page, without loading it."""
    link = page.locator(selector).nth(index)
    target = link.evaluate("link => link.href")
    link.evaluate("link => link.click()")
    page.wait_for_url(target)
    page.wait_for_function(
        "path => new URL(document.querySelector('link[rel=canonical]').href).pathname.endsWith(path)",
        arg=target.partition("/sub/path/")[2],
    )


def test_nothing_that_the_site_does_is_refused(address: str, browser: Any) -> None:
    """A violation is an error in the console, which `tab` does not let pass."""
    with tab(browser, address) as opened:
        page = opened.page
        page.evaluate("window.isTheFirstDocument = true")
        for index in range(page.locator(PAGES).count()):
            follow(page, PAGES, index)
            draw(page)
        follow(page, f"{PAGES}[href$='models/']")
        follow(page, "article a[href*='configuration/']")  # deeper in the site: another scope
        draw(page)
        assert page.evaluate("window.isTheFirstDocument") is True

        seen = []
        for _ in range(3):
            page.locator("form[data-md-component=palette] label:visible").click()
            seen.append(page.locator("body").get_attribute("data-md-color-scheme"))
        assert set(seen) == {"default", "slate"}
        page.locator(".machine-picker select").select_option(LAPTOP_NAME)
        page.locator(".md-search__input").press_sequentially("quantization")
        page.locator(".md-search-result__item").first.wait_for()
        page.keyboard.press("Escape")
        page.locator("a.language").click()
        page.wait_for_url("**/zh/**")
        draw(page)


def test_a_scheme_that_was_chosen_is_there_before_anything_is_painted(address: str, browser: Any) -> None:
    """Which Material's script does from a file as it did within the page, on pages of any depth and beyond them."""
    with tab(browser, f"{address}results/") as opened:
        page = opened.page
        page.locator("form[data-md-component=palette] label:visible").click()
        page.locator("form[data-md-component=palette] label:visible").click()
        assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"
        page.goto(address)
        assert page.evaluate("__md_scope.href") == address
        assert page.evaluate("__md_get('__palette').color.scheme") == "slate"
        assert page.locator("body").get_attribute("data-md-color-scheme") == "slate"


HOLE = """<img src=x onerror="pwned.push('event')"><script>pwned.push('script')</script>
<svg onload="pwned.push('drawing')"></svg><style>body { display: none }</style>"""


@pytest.mark.parametrize("is_there", [True, False])
def test_the_policy_stops_what_an_escape_would_have_let_through(
    world: BuiltWorld, address: str, browser: Any, is_there: bool
) -> None:
    """The second line of defense, seen at work on a page whose text is not escaped."""
    html = (world.site / "index.html").read_text(encoding="utf-8").replace("<article", f"{HOLE}<article", 1)
    if not is_there:
        html = re.sub("<meta http-equiv=[^>]*>", "", html)
    with browser.new_context() as context:
        page = context.new_page()
        page.add_init_script("window.pwned = []")
        page.route(address, lambda route: route.fulfill(body=html, content_type="text/html; charset=utf-8"))
        page.goto(address, wait_until="networkidle")
        assert set(page.evaluate("pwned")) == (set() if is_there else {"drawing", "event", "script"})
        assert page.locator("body").is_visible() is is_there
