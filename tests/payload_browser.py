"""Pages full of payloads in a real browser: what ran, what was asked for, what broke, and how wide they became."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.browsing import PHONE, WIDE, Handler, strangers
from tests.site_checks import overflow

POLICY = re.compile(rb'<meta http-equiv="Content-Security-Policy"[^>]*>')
TOOLTIPS = 2  # marks of each chart that the pointer is held over
LIVE = "chart => ['live', 'failed'].includes(chart.dataset.drawn)"


class Unprotected(Handler):
    """The site less its policy, so that nothing but escaping stands between a payload and the browser."""

    def do_GET(self) -> None:  # noqa: N802  # http.server calls it so
        path = Path(self.translate_path(urlsplit(self.path).path))
        page = path / "index.html" if path.is_dir() else path
        if page.suffix != ".html" or not page.exists():
            return super().do_GET()
        body, count = POLICY.subn(b"", page.read_bytes())
        assert count == 1, page
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        return None


@dataclass
class Seen:
    """What happened on pages."""

    pages: int = 0
    charts: int = 0
    ran: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def look(browser: Any, urls: list[str], site: Path, base: str) -> Seen:
    """Open each page, draw its charts, unfold it, sort and search; wide and on a phone."""
    seen = Seen()
    context = browser.new_context(viewport={"width": WIDE, "height": 900})
    with context:
        context.expose_function("pwned", lambda name="?": seen.ran.append(str(name)))
        context.on("dialog", lambda dialog: (seen.ran.append(f"dialog {dialog.message}"), dialog.dismiss()))
        page = context.new_page()
        asked: list[str] = []
        page.on("console", lambda said: seen.wrong.append(f"{page.url}: {said.text}") if said.type == "error" else None)
        page.on("pageerror", lambda error: seen.wrong.append(f"{page.url}: {error}"))
        page.on("popup", lambda other: seen.wrong.append(f"{page.url}: opened {other.url}"))
        page.on("request", lambda request: asked.append(request.url))
        for url in urls:
            answer = page.goto(url)
            assert answer.status == 200, url
            seen.charts += use(page)
            seen.pages += 1
            seen.wrong += [f"{url}: {one}" for one in overflow(page, WIDE)]
            page.set_viewport_size({"width": PHONE, "height": 900})
            seen.wrong += [f"{url}: {one}" for one in overflow(page, PHONE)]
            page.set_viewport_size({"width": WIDE, "height": 900})
            if page.url.partition("#")[0] != url:
                seen.wrong.append(f"{url}: went to {page.url}")
        search(page, ("script", "onerror", "javascript", "evil"))
        page.wait_for_timeout(200)
        seen.wrong += [f"asked for {url}" for url in sorted(set(strangers(asked)))]
        seen.wrong += [f"asked for {url}" for url in sorted(set(unknown(asked, site, base)))]
    return seen


def unknown(urls: list[str], site: Path, base: str) -> Iterator[str]:
    """Requests for what is no file of the site."""
    for url in urls:
        inside = urlsplit(url)
        if inside.scheme != "data" and not (site / inside.path.removeprefix(urlsplit(base).path)).exists():
            yield url


def use(page: Any) -> int:
    """All machines shown, everything unfolded, charts drawn and pointed at, a table sorted; how many charts."""
    page.evaluate("window.pickMachine('*')")
    charts = page.locator("figure.chart:visible").all()
    for chart in charts:
        chart.scroll_into_view_if_needed()
        page.wait_for_function(LIVE, arg=chart.element_handle())
        assert chart.get_attribute("data-drawn") == "live", chart.get_attribute("id")
        marks = chart.locator(".chart-live svg g[class*='role-mark'] path")
        for place in range(min(TOOLTIPS, marks.count())):
            marks.nth(place).dispatch_event("pointermove")
            marks.nth(place).dispatch_event("mousemove")
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    page.evaluate("document.querySelectorAll('.data-table th button').forEach(one => one.click())")
    return len(charts)


def search(page: Any, words: tuple[str, ...]) -> None:
    """Material's search, whose results are made from the texts of all pages."""
    box = page.locator(".md-search__input")
    for word in words:
        box.fill("")
        box.press_sequentially(word)
        page.wait_for_function("() => document.querySelector('.md-search-result__meta').textContent.trim() !== ''")
        page.wait_for_timeout(300)
