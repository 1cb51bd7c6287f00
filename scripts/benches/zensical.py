"""Does Zensical make the same site as MkDocs, from the same exported pages?

    scripts/bench zensical [--python PYTHON] [--results DIR]

PYTHON is one with Zensical; without it the newest that installs is put into .cache/zensical. Both builders read the
pages that `scripts/build --export` writes, in every language, and each pair of pages is compared: title, headings,
words, links, tables' rows, charts and their drawings. Printed is what differs; exit code 1 if anything does.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

from collector.schema import CLONE, Results
from site_src.words import LANGUAGES

ADDRESS = "http://127.0.0.1:8000/"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
# What a theme adds within the article: not of our pages.
CHROME = {"headerlink", "md-content__button", "md-source-file"}
OF_THEMES = ("assets/javascripts", "assets/stylesheets", "search", "sitemap")
SHOWN = 5  # differences of a page


@dataclass
class Page(HTMLParser):
    """What a reader gets of a page, apart from the theme around it."""

    address: str
    title: str = ""
    headings: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        name = attributes.get("class") or ""
        if tag not in VOID:
            self._open.append((tag, name))
        if not self._is_ours():
            return
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
    given = parser.parse_args()
    python = given.python or installed()
    version = said([str(python), "-c", "import importlib.metadata as m; print(m.version('zensical'))"]).strip()
    count = len(list(given.results.glob("runs/*.parquet")))
    print(f"Zensical {version}, {os.cpu_count()} cores, {count} runs\n")
    different = 0
    with tempfile.TemporaryDirectory() as name:
        for language in LANGUAGES:
            different += compare(language, Path(name), python, given.results)
    sys.exit(1 if different else 0)


def compare(language: str, folder: Path, python: Path, results: Path) -> int:
    """Build the pages of a language twice; how many differ."""
    pages = folder / f"pages-{language}"
    environment = os.environ | {"LLM_RESULTS": str(results), "NO_MKDOCS_2_WARNING": "1"}
    said([sys.executable, "-m", "site_src", "--export", str(pages), "--language", language], environment)
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
    """The configuration of `scripts/build`, with other folders."""
    source = CLONE / "site_src" / ("" if language == LANGUAGES[0] else language) / "plain.yml"
    theme = CLONE / "site_src" / "theme"
    config = folder / f"{site.name}.yml"
    config.write_text(
        f"INHERIT: {source}\ndocs_dir: {pages}\nsite_dir: {site}\ntheme:\n  custom_dir: {theme}\n  variant: classic\n"
    )
    return config


def reported(one: Path, other: Path) -> int:
    """Print how pages of two sites differ, and which files only one has; the number of pages that do."""
    ours, theirs = files(one), files(other)
    for missing, who in ((ours - theirs, "Zensical"), (theirs - ours, "MkDocs")):
        if mine := sorted(name for name in missing if not name.startswith(OF_THEMES)):
            print(f"  {len(mine)} files not made by {who}: {', '.join(mine[:SHOWN])}")
    different = 0
    for name in sorted(name for name in ours & theirs if name.endswith(".html") and name != "404.html"):
        told = differences(read(one, name), read(other, name))
        different += bool(told)
        for line in told[:SHOWN]:
            print(f"  {name}: {line}")
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
        sys.exit(f"error: {' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    main()
