"""What must hold of every page in a browser, as sentences of what does not: drawn, in its width, accessible.

One page is loaded once and looked at four times: wide and narrow, light and dark. `scripts/bench site --full` loads it
anew for each.
"""

import functools
import importlib.resources
from collections.abc import Iterator
from typing import Any

from tests.browsing import PHONE, WIDE, draw

SERIOUS = ("serious", "critical")
# Of what axe-core calls moderate: is the page in order for who moves through it by headings and landmarks?
# Not `landmark-unique`: Material wraps each button that copies code in a landmark.
IN_ORDER = ("heading-order", "page-has-heading-one", "empty-heading", "region", "bypass", "skip-link")
IN_ORDER += ("landmark-one-main", "landmark-no-duplicate", "landmark-banner", "landmark-main", "landmark-complementary")
CONTRAST = {"runOnly": {"type": "rule", "values": ["color-contrast"]}}
ALL = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}}
STRUCTURE = {**ALL, "rules": {"color-contrast": {"enabled": False}}}

# Texts of drawings are looked at by `browsing.CONTRASTS`.
VIOLATIONS = """
async options => (await axe.run(
  {include: [["html"]], exclude: [[".chart-box svg"]]},
  {...options, resultTypes: ["violations"], preload: false}
)).violations.map(
  ({id, impact, nodes}) => ({id, impact, count: nodes.length, first: nodes[0].html.slice(0, 160),
                            why: (nodes[0].failureSummary ?? "").slice(0, 300)}))
"""
# Material turns from light to dark when the system does; charts take their colors from the page.
SCHEME = "named => document.body.getAttribute('data-md-color-scheme') === named"
NAMED = {"light": "default", "dark": "slate"}
# The page must not scroll sideways, also with everything unfolded.
UNFOLD = "document.querySelectorAll('.md-content details').forEach(details => details.open = true)"
FOLD = "document.querySelectorAll('.md-content details').forEach(details => details.open = false)"
# What fades in is there, and nothing fades from now on.
SETTLE = """
() => {
  for (const one of document.querySelectorAll("body *")) one.style.transition = "none";
  document.getAnimations().forEach(one => { try { one.finish() } catch { /* goes on for ever */ } });
}
"""
# Of a table's rows the first three stand for all: axe-core takes a minute for some thousand.
TRIM = "document.querySelectorAll('tbody tr:nth-child(n+4)').forEach(row => row.remove())"
# axe-core goes through drawings though it is told to leave them out. And what stands in a chart's place is not drawn
# anew for another width.
EMPTY = """
document.querySelectorAll(".chart-box").forEach(box => {
  const still = box.cloneNode(true);
  still.querySelectorAll("svg").forEach(one => one.replaceChildren());
  box.replaceWith(still);
})
"""
# A drawing as wide as its box; those of panels have a width of their own and scroll within the box.
FITS = """
() => [...document.querySelectorAll("figure.chart")].filter(one => one.checkVisibility()).every(one => {
  const box = one.querySelector(".chart-box"), drawn = one.querySelector("svg").getBoundingClientRect();
  return drawn.width <= box.clientWidth + 1 || ["auto", "scroll"].includes(getComputedStyle(box).overflowX);
})
"""


@functools.cache
def _axe() -> str:
    """axe-core, as a package of PyPI brings it."""
    return (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")


def accessibility(page: Any, options: dict[str, Any] = ALL) -> Iterator[str]:
    """What axe-core finds that is serious, or out of order."""
    page.evaluate(SETTLE)
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    for found in page.evaluate(VIOLATIONS, options):
        if found["impact"] in SERIOUS or found["id"].startswith(IN_ORDER):
            yield f"{found['id']} ({found['impact']}, {found['count']}): {found['first']} {found['why']}"


def overflow(page: Any, width: int) -> Iterator[str]:
    """How much wider than its window the page is, and what sticks out."""
    page.evaluate(UNFOLD)
    wide = page.evaluate("document.documentElement.scrollWidth")
    if wide > width:
        yield f"{wide} px wide in a window of {width}"
    page.evaluate(FOLD)


def scheme(page: Any, wanted: str) -> None:
    """Turn the system light or dark, and wait until the page has followed."""
    page.emulate_media(color_scheme=wanted)
    page.wait_for_function(SCHEME, arg=NAMED[wanted])


def four_looks(page: Any, *, is_brief: bool = False) -> tuple[int, list[str]]:
    """How many charts were drawn on a page opened wide and light, and what is wrong with it in any of four looks.

    `is_brief`: accessibility is looked at in the first only.
    """
    charts = draw(page)
    problems = [f"wide: {one}" for one in overflow(page, WIDE)]
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.wait_for_function(FITS)
    problems += [f"narrow: {one}" for one in overflow(page, PHONE)]
    assert draw(page) == charts
    if not is_brief:
        scheme(page, "dark")
        problems += [f"narrow, dark: {one}" for one in overflow(page, PHONE)]
    page.evaluate(TRIM)
    page.evaluate(EMPTY)
    if not is_brief:
        problems += [f"narrow, dark: {one}" for one in accessibility(page, STRUCTURE)]
        page.set_viewport_size({"width": WIDE, "height": 900})
        problems += [f"wide, dark: {one}" for one in accessibility(page, CONTRAST)]
        scheme(page, "light")
    page.set_viewport_size({"width": WIDE, "height": 900})
    return charts, problems + [f"wide, light: {one}" for one in accessibility(page)]
