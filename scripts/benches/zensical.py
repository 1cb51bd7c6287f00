"""Does Zensical make the same site as MkDocs, from the same exported pages?

    scripts/bench zensical [--python PYTHON] [--results DIR] [--keep DIR]

PYTHON is one with Zensical; without it the newest that installs is put into .cache/zensical. Both builders read the
pages that `scripts/build --export` writes, in every language, and each pair of pages is compared: title, headings,
words, links, tables' rows, charts and their drawings. Printed is what differs; exit code 1 if anything does.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import yaml
from mkdocs.utils.yaml import yaml_load

from collector.schema import CLONE, Results
from site_src.words import LANGUAGES

ADDRESS = "http://127.0.0.1:8000/"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# What a theme adds within the article: not of our pages.
CHROME = {"headerlink", "md-content__button", "md-source-file"}
PREVIEW = ("description", "twitter:card", "Content-Security-Policy")
OURS = r"assets/[\w.-]+\.(?:js|css)$|feed\.xml$"
OF_THEMES = ("assets/javascripts", "assets/stylesheets", "search", "sitemap")
REPORT = re.compile(r"(.*/data/reports/[^/]+)/")
SHOWN = 5  # differences of a page


@dataclass
class Page(HTMLParser):
    """What a reader gets of a page, apart from the theme around it."""

    address: str
    title: str = ""
    headings: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    data: list[str] = field(default_factory=list)  # specifications of charts, machines of rows
    around: set[str] = field(
        default_factory=set
    )  # what our theme adds: previews, policy, feed, scripts, styles, choices
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("class") or ""
        if tag not in VOID:
            self._open.append((tag, name))
        self.around |= set(self._of_our_theme(tag, attributes))
        if not self._is_ours():
            return
        self.data += [f"{tag} {name} {value}" for name, value in attrs if name.startswith("data-")]
        for what, (wanted, part) in COUNTED.items():
            self.counts[what] += tag == wanted and part in name
        if tag == "a" and attributes.get("href"):
            self.links.append(urljoin(self.address, attributes["href"]))
        if re.fullmatch("h[1-6]", tag):
            self.headings.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        tags = [tag for tag, _ in self._open]
        if "title" in tags and "svg" not in tags:
            self.title += data
        if not self._is_ours() or {"script", "style", "svg"} & set(tags):
            return
        self.words += data.split()
        if any(re.fullmatch("h[1-6]", tag) for tag in tags):
            self.headings[-1] += data

    def _of_our_theme(self, tag: str, attributes: dict[str, str | None]) -> Iterator[str]:
        name = attributes.get("property") or attributes.get("http-equiv") or attributes.get("name") or ""
        if tag == "meta" and (name in PREVIEW or name.startswith("og:")):
            yield f"{name}={attributes['content']}"
        address = attributes.get("src" if tag == "script" else "href") or ""
        if tag in ("script", "link") and re.search(OURS, address):
            yield urljoin(self.address, address)
        if "site-choices" in (attributes.get("class") or ""):
            yield "machine and language to choose"

    def _is_ours(self) -> bool:
        names = {name for _, classes in self._open for name in classes.split()}
        return any(tag == "article" for tag, _ in self._open) and not names & CHROME


COUNTED = {
    "charts": ("figure", "chart"),
    "drawings": ("svg", "marks"),
    "tables": ("table", ""),
    "rows": ("tr", ""),
    "details": ("details", ""),
    "answers": ("div", "answer"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", type=Path)
    parser.add_argument("--results", type=Path, default=Results.find().root)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="a new folder, to look at both sites")
    given = parser.parse_args()
    python = given.python or installed()
    version = said([str(python), "-c", "import importlib.metadata as m; print(m.version('zensical'))"]).strip()
    count = len(list(given.results.glob("runs/*.parquet")))
    print(f"Zensical {version}, {os.cpu_count()} cores, {count} runs\n")
    different = 0
    with tempfile.TemporaryDirectory() as name:
        folder = given.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        for language in LANGUAGES:
            different += compare(language, folder, python, given.results)
    sys.exit(1 if different else 0)


def compare(language: str, folder: Path, python: Path, results: Path) -> int:
    """Build the pages of a language twice; how many differ."""
    pages = folder / f"pages-{language}"
    environment = os.environ | {"LLM_RESULTS": str(results), "NO_MKDOCS_2_WARNING": "1"}
    said([sys.executable, "-m", "site_src", "--export", str(pages), "--language", language], environment)
    reports = pages / "data" / "reports"  # in Markdown, and yet no pages: `scripts/build` copies them afterwards
    if reports.exists():
        shutil.rmtree(reports)
    built = {}
    for builder, program in (("mkdocs", sys.executable), ("zensical", str(python))):
        site = folder / f"{builder}-{language}"
        config = configured(language, pages, site, folder)
        began = time.perf_counter()
        said([program, "-m", builder, "build", "--config-file", str(config)], environment)
        built[builder] = site
        found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
        print(f"{builder:9} {language}: {len(found)} pages in {time.perf_counter() - began:.1f} s")
    return reported(built["mkdocs"], built["zensical"])


def configured(language: str, pages: Path, site: Path, folder: Path) -> Path:
    """The configuration of `scripts/build` in one file: of an inherited one, Zensical appends lists to ours.

    Folders are relative: it takes none from the root on.
    """
    source = CLONE / "site_src" / ("" if language == LANGUAGES[0] else language) / "plain.yml"
    with source.open("rb") as file:
        whole = yaml_load(file)
    whole |= {"docs_dir": pages.name, "site_dir": site.name, "strict": False}  # tests build strictly
    # It looks after links within HTML, too, and draws a picture of each line: minutes of them, for files copied later.
    whole["validation"] = {"links": {"not_found": "ignore", "anchors": "ignore"}}
    whole["theme"] |= {"custom_dir": os.path.relpath(CLONE / "site_src" / "theme", folder), "variant": "classic"}
    config = folder / f"{site.name}.yml"
    config.write_text(yaml.safe_dump(whole, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return config


def reported(one: Path, other: Path) -> int:
    """Print how pages of two sites differ, and which files only one has; the number of pages that do."""
    ours, theirs = files(one), files(other)
    for missing, who in ((ours - theirs, "Zensical"), (theirs - ours, "MkDocs")):
        if mine := sorted(name for name in missing if not name.startswith(OF_THEMES)):
            print(f"  {len(mine)} files not made by {who}: {', '.join(mine[:SHOWN])}")
    different, astray, compared = 0, 0, []
    for name in sorted(name for name in ours & theirs if name.endswith(".html") and name != "404.html"):
        page, yours = read(one, name), read(other, name)
        compared.append(page)
        astray += any(map(REPORT.fullmatch, yours.links))
        yours.links = [REPORT.sub(r"\1.md", link) for link in yours.links]
        told = differences(page, yours)
        different += bool(told)
        for line in told[:SHOWN]:
            print(f"  {name}: {line}")
    print(f"  {astray} pages link to reports in Markdown, which Zensical takes for pages of its own")
    counts = [f"{sum(page.counts[what] for page in compared)} {what}" for what in COUNTED]
    words = sum(len(page.words) for page in compared)
    print(f"  compared: {len(compared)} pages, {words:,} words, {', '.join(counts)}")
    same = [name for name in sorted(ours & theirs) if not name.endswith((".html", ".xml.gz"))]
    changed = [name for name in same if (one / name).read_bytes() != (other / name).read_bytes()]
    print(
        f"  {different} pages differ; of {len(same)} other files that both have, {len(changed)} do {changed[:SHOWN]}\n"
    )
    return different


def differences(one: Page, other: Page) -> list[str]:
    """Each difference as a line."""
    told = [
        f"{what} {mine!r} there, {yours!r} with Zensical"
        for what, mine, yours in (
            ("title", one.title.strip(), other.title.strip()),
            *((what, one.counts[what], other.counts[what]) for what in COUNTED),
        )
        if mine != yours
    ]
    for what, mine, yours in (
        ("headings", one.headings, other.headings),
        ("links", sorted(set(one.links)), sorted(set(other.links))),
        ("words", one.words, other.words),
        ("data", one.data, other.data),
        ("around it", sorted(one.around), sorted(other.around)),
    ):
        if mine != yours:
            pairs = enumerate(zip(mine, yours, strict=False))
            at = next((place for place, (a, b) in pairs if a != b), min(len(mine), len(yours)))
            told.append(f"{what}, {len(mine)} and {len(yours)}, from {mine[at : at + 6]} and {yours[at : at + 6]} on")
    return told


def read(site: Path, name: str) -> Page:
    page = Page(urljoin(ADDRESS, name.removesuffix("index.html")))
    page.feed((site / name).read_text(encoding="utf-8"))
    return page


def files(site: Path) -> set[str]:
    return {path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file()}


def installed() -> Path:
    """A Python of its own with the newest Zensical that installs."""
    folder = CLONE / ".cache" / "zensical"
    python = folder / "bin" / "python"
    if not python.exists():
        said([sys.executable, "-m", "venv", str(folder)])
        said([str(python), "-m", "pip", "install", "--quiet", "zensical"])
    return python


def said(command: list[str], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=CLONE)
    if done.returncode:
        sys.exit(f"error: {' '.join(command)}\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


if __name__ == "__main__":
    main()
