"""A built site in a real browser: served under a base path, opened, its charts drawn, what it shows measured."""

import functools
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.programs import PATIENCE_S

BASE = "/sub/path/"
WIDE, PHONE = 1280, 390


class Handler(http.server.SimpleHTTPRequestHandler):
    """The site under a base path, as on GitHub Pages; anything outside it is not found."""

    base = BASE

    def translate_path(self, path: str) -> str:
        inside = path.startswith(self.base)
        return super().translate_path("/" + path.removeprefix(self.base) if inside else "/outside-of-the-site")

    def do_GET(self) -> None:
        """The sitemap with addresses where it is served: Material goes to pages that stand there without loading."""
        path = Path(self.translate_path(self.path))
        if path.name != "sitemap.xml" or not path.is_file():
            super().do_GET()
            return
        here = f"<loc>http://{self.headers['Host']}{self.base}"
        said = re.sub(r"<loc>http://[^/<]*/(?:sub/path/)?", here, path.read_text(encoding="utf-8")).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Quiet."""


class AtRoot(Handler):
    base = "/"


@contextmanager
def serving(folder: Path, handler: type[Handler]) -> Iterator[str]:
    """Serve a folder on a free loopback port; the address ends with the base path."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(handler, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{handler.base}"
        finally:
            server.shutdown()
            thread.join(timeout=PATIENCE_S)


@dataclass(frozen=True)
class Site:
    """A built site: where it lies, where it is served, its pages by what the sitemap says."""

    folder: Path
    address: str
    pages: tuple[str, ...]


@dataclass
class Tab:
    """A page that is open, and what went on in it."""

    page: Any
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)


Open = Callable[..., AbstractContextManager[Tab]]


@contextmanager
def tab(browser: Any, url: str, width: int = WIDE, scheme: str = "light", scripts: bool = True) -> Iterator[Tab]:
    """An open page: afterwards, no console error and no request to another host may have happened."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, java_script_enabled=scripts
    )
    with context:
        tab = Tab(context.new_page())
        tab.page.on("console", lambda said: tab.errors.append(said.text) if said.type == "error" else None)
        tab.page.on("pageerror", lambda error: tab.errors.append(str(error)))
        tab.page.on("request", lambda request: tab.requests.append(request.url))
        tab.page.on("websocket", lambda socket: tab.requests.append(socket.url))
        answer = tab.page.goto(url)
        assert answer.status == 200
        yield tab
    assert tab.errors == []
    assert strangers(tab.requests) == []


def strangers(urls: list[str]) -> list[str]:
    """Requests that left this machine."""
    return [url for url in urls if urlsplit(url).scheme != "data" and urlsplit(url).hostname != "127.0.0.1"]


MARKS = "g[class*='mark-']:is(.role-mark, [class*='role-mark']) path"


# Again and again into view: a page that was navigated to scrolls to its top when it is ready, and a chart waits.
IN_VIEW_AND_DRAWN = """
chart => {
  const box = chart.getBoundingClientRect();
  if (box.bottom <= 0 || box.top >= innerHeight) chart.scrollIntoView({block: "center", behavior: "instant"});
  return ["live", "failed"].includes(chart.dataset.drawn);
}
"""


def draw(page: Any) -> int:
    """Scroll to every chart shown, wait until it is live, see that it has marks of some size; how many there are."""
    charts = page.locator("figure.chart:visible")
    for index in range(charts.count()):
        chart = charts.nth(index)
        page.wait_for_function(IN_VIEW_AND_DRAWN, arg=chart.element_handle(), timeout=30_000)
        assert chart.get_attribute("data-drawn") == "live", chart.get_attribute("id")
        assert chart.locator("svg").count() == 1
        assert sizes(chart.locator(f".chart-live svg {MARKS}")), chart.get_attribute("id")
    return int(charts.count())


def sizes(marks: Any) -> list[float]:
    """Width + height of each mark that takes up room."""
    found: list[float] = marks.evaluate_all(
        "all => all.map(one => one.getBoundingClientRect()).map(box => box.width + box.height).filter(size => size > 0)"
    )
    return found


def table_under(page: Any, heading: str) -> Any:
    """The first table after a heading that is not folded away."""
    found = f"//h2[starts-with(normalize-space(), '{heading}')]/following::table[not(ancestor::details)][1]"
    return page.locator(f"xpath={found}").first


def column(table: Any, heading: str) -> list[Any]:
    """The cells of the column with this heading."""
    headings = [text.strip() for text in table.locator("thead th").all_inner_texts()]
    [index] = [index for index, text in enumerate(headings) if text == heading]
    cells: list[Any] = table.locator(f"tbody tr td:nth-child({index + 1})").all()
    return cells


# Contrast by WCAG 2 between a text's color and what lies behind it. A canvas does the mixing, so any notation of a
# color and any transparency count as they are painted.
CONTRASTS = """
(selector) => {
  const pen = Object.assign(document.createElement("canvas"), {width: 1, height: 1})
    .getContext("2d", {willReadFrequently: true});
  const pixel = () => [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3);
  const paint = (color, alpha) => { pen.globalAlpha = alpha; pen.fillStyle = color; pen.fillRect(0, 0, 1, 1); };
  const light = rgb => {
    const [r, g, b] = rgb.map(v => v / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = [];
  for (const element of document.querySelectorAll(selector)) {
    const own = [...element.childNodes].filter(n => n.nodeType === 3).map(n => n.data).join("").trim();
    if (!own || !element.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const chain = [];
    let opacity = 1;
    for (let at = element; at; at = at.parentElement) {
      chain.unshift(at);
      opacity *= getComputedStyle(at).opacity;
    }
    paint("white", 1);
    for (const at of chain) if (!(at instanceof SVGElement)) paint(getComputedStyle(at).backgroundColor, 1);
    const behind = pixel();
    const style = getComputedStyle(element);
    const isDrawn = element instanceof SVGElement;
    paint(isDrawn ? style.fill : style.color, opacity * (isDrawn ? style.fillOpacity : 1));
    const [dark, bright] = [light(behind), light(pixel())].sort((a, b) => a - b);
    found.push([(bright + 0.05) / (dark + 0.05), `${element.tagName} ${own.slice(0, 30)}`]);
  }
  return found;
}
"""
BODY_TEXT = (
    ".md-content :is(h1, h2, p, li, td, th, button, strong, summary, figcaption, a:not(.headerlink), span, code)"
)
