"""What others are told of the site: feed, badge, previews; that old addresses hold; and that `gh-deploy` publishes."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from collector.schema import CLONE, Results
from site_src import publishing
from site_src.warehouse import Warehouse
from site_src.words import read
from tests import planted
from tests.conftest import STARTED, request
from tests.test_blocks import EVERYTHING, Page

Given = Callable[..., Warehouse]
WORDS = read("en")
SITE = "https://someone.github.io/their-mac/"
ATOM = {"atom": publishing.ATOM}


def feed(warehouse: Warehouse, address: str = SITE) -> ElementTree.Element:
    return ElementTree.fromstring(publishing.feed(warehouse, WORDS, address))


@pytest.fixture
def no_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "notices", list)


def texts(root: ElementTree.Element, path: str) -> list[str]:
    return [found.text or "" for found in root.findall(path, ATOM)]


# ---------------------------------------------------------------- the feed


@pytest.mark.usefixtures("no_notice")
def test_a_feed_has_an_entry_for_each_run_newest_first(given: Given) -> None:
    root = feed(given([request(tps=50)], [request(tps=60)]))
    assert texts(root, "atom:entry/atom:title") == ["MiniMax-M2.1 Q4_K_M · llama.cpp on apple-m3-ultra-80gpu-512gb"] * 2
    assert texts(root, "atom:entry/atom:updated") == ["2026-11-22T12:01:00Z", "2026-11-22T12:00:00Z"]
    assert texts(root, "atom:updated") == ["2026-11-22T12:01:00Z"]
    first = texts(root, "atom:entry/atom:summary")[0]
    assert first.startswith("60.0 tokens/s decode (95 % interval ")
    assert " one run, 1 requests)" in first


@pytest.mark.usefixtures("no_notice")
def test_links_are_absolute_and_ids_are_the_runs(given: Given) -> None:
    warehouse = given([request(tps=50)])
    here, there = feed(warehouse), feed(warehouse, "http://other.example/")
    (configuration,) = [row["configuration_id"] for row in warehouse.rows("from runs")]
    [link] = [found.attrib["href"] for found in here.findall("atom:entry/atom:link", ATOM)]
    assert link == f"{SITE}configuration/{configuration}/"
    assert [found.attrib["href"] for found in there.findall("atom:link", ATOM)] == [
        "http://other.example/feed.xml",
        "http://other.example/",
    ]
    assert texts(here, "atom:entry/atom:id") == texts(there, "atom:entry/atom:id")
    assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", texts(here, "atom:entry/atom:id")[0])
    assert "results/" not in link


@pytest.mark.usefixtures("no_notice")
def test_a_run_without_speed_says_why_and_an_imported_one_leads_to_the_results(given: Given) -> None:
    bench = {"op": "bench", "bench_test": "tg128", "bench_depth": 0, "bench_tps": [30.0]}
    root = feed(given([{"server": "llama-bench"}, bench]))
    assert texts(root, "atom:entry/atom:summary")[0].startswith("No decode speed: imported")
    [link] = [found.attrib["href"] for found in root.findall("atom:entry/atom:link", ATOM)]
    assert link == f"{SITE}results/"


def test_a_feed_of_nothing_is_a_feed(given: Given) -> None:
    root = feed(given())
    assert root.findall("atom:entry", ATOM) == []
    assert texts(root, "atom:updated") == ["1970-01-01T00:00:00Z"]


@pytest.mark.usefixtures("no_notice")
def test_a_feed_holds_no_more_than_the_last_fifty(given: Given) -> None:
    root = feed(given(*([request(tps=50)] for _ in range(53))))
    updated = texts(root, "atom:entry/atom:updated")
    assert len(updated) == 50
    assert updated == sorted(updated, reverse=True)
    assert updated[0] == f"{STARTED + timedelta(minutes=52):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.usefixtures("no_notice")
def test_hostile_names_are_text_in_a_feed(given: Given) -> None:
    root = feed(given([request()], model_key=f"{EVERYTHING}\x00\x1b\ufffe", quantization="]]><entry/>"))
    assert len(root.findall("atom:entry", ATOM)) == 1
    assert "]]><entry/>" in texts(root, "atom:entry/atom:title")[0]


def test_readers_of_earlier_figures_are_told_that_their_meaning_changed(given: Given) -> None:
    """Once, with an id that stays; whoever measured nothing before has nothing to be told."""
    [told] = publishing.notices()
    later = given([{"run_id": "f" * 12, "run_started_at": told["told_at"]}, request(tps=51)])
    assert told["title"] not in texts(feed(later), "atom:entry/atom:title")
    warehouse = given([request(tps=50)])
    root, again = feed(warehouse), feed(warehouse, "http://other.example/")
    assert texts(root, "atom:entry/atom:title").index(told["title"]) == 1
    assert texts(root, "atom:entry/atom:updated") == ["2026-11-30T00:00:00Z"] * 2 + ["2026-11-22T12:00:00Z"]
    assert texts(root, "atom:updated") == ["2026-11-30T00:00:00Z"]
    assert texts(root, "atom:entry/atom:id")[1] == texts(again, "atom:entry/atom:id")[1]
    assert "40.1 and 51.1 tokens/s and the interval 42.4 to 48.1" in texts(root, "atom:entry/atom:summary")[1]
    [_, link, _] = [found.attrib["href"] for found in root.findall("atom:entry/atom:link", ATOM)]
    assert link == f"{SITE}method/#what-changed-and-when"


# ---------------------------------------------------------------- the badge


@pytest.fixture
def rows() -> Iterator[planted.Planted]:
    shared = planted.shared()
    yield shared
    shared.clear()


@pytest.mark.parametrize(("measured", "color"), [(0, "lightgrey"), (3, "yellow"), (15, "yellow"), (16, "brightgreen")])
def test_a_badge_says_how_much_is_measured(rows: planted.Planted, measured: int, color: str) -> None:
    rows.put("overview", {"machine": "M", "measured_cell_count": measured, "cell_count": 16})
    rows.put("machines", {"machine": "M", "place": 1})
    assert json.loads(publishing.badge(rows.warehouse, WORDS)) == {
        "schemaVersion": 1,
        "label": "benchmark plan",
        "message": f"{measured} of 16 cells measured",
        "color": color,
    }


def test_a_badge_is_of_the_machine_that_is_shown_first(rows: planted.Planted) -> None:
    rows.put(
        "overview",
        {"machine": "A", "measured_cell_count": 0, "cell_count": 16},
        {"machine": "B", "measured_cell_count": 5, "cell_count": 16},
    )
    rows.put("machines", {"machine": "A", "place": 2}, {"machine": "B", "place": 1})
    assert json.loads(publishing.badge(rows.warehouse, WORDS))["message"] == "5 of 16 cells measured"


def test_a_badge_of_nothing_is_a_badge(given: Given) -> None:
    assert json.loads(publishing.badge(given(), WORDS))["message"].startswith("0 of ")


# ---------------------------------------------------------------- previews


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("**Nothing is measured yet.** Load a model.", "Nothing is measured yet."),
        ("**A&#47;B &#40;x&#41;** decodes 45.7 tokens/s [here](x.md). More.", "A/B (x) decodes 45.7 tokens/s here."),
        ("还没有测量。请先运行 `collect`。", "还没有测量。"),
        ("&#60;b&#62; &#34;quoted&#34; &#38; more", "‹b› ”quoted” ＆ more"),
        ("word " * 100, ("word " * 100)[:299] + "…"),
    ],
)
def test_the_first_sentence_of_the_answer_describes_the_page(answer: str, said: str) -> None:
    page = f'# Title\n\n<div class="answer" data-machine="M" markdown>\n\n{answer}\n\n</div>\n\nMore.\n'
    described = publishing.described(page)
    first = described.removesuffix(page)
    assert first == f"---\ndescription: {json.dumps(said, ensure_ascii=False)}\n---\n"


def test_a_page_without_an_answer_stays_as_it_is() -> None:
    assert publishing.described("# Title\n\nWords.\n") == "# Title\n\nWords.\n"


# ---------------------------------------------------------------- published


def git(*arguments: str, cwd: Path) -> str:
    who = ("-c", "user.name=test", "-c", "user.email=test@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *who, *arguments], cwd=cwd, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What `mkdocs gh-deploy` pushed to the branch gh-pages of a bare repository beside it."""
    folder = tmp_path_factory.mktemp("deployed")
    clone, remote = folder / "clone", folder / "remote.git"
    for name in ("collector", "site_src"):
        shutil.copytree(CLONE / name, clone / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(CLONE / "mkdocs.yml", clone)
    (clone / "results").mkdir()
    for table in (CLONE / "results").glob("*.csv"):
        shutil.copy(table, clone / "results")
    results = Results(clone / "results")
    planted.written(results, *planted.everything()[:2])
    git("init", "--bare", str(remote), cwd=folder)
    git("init", cwd=clone)
    git("remote", "add", "origin", str(remote), cwd=clone)
    git("add", ".", cwd=clone)
    git("commit", "-m", "all", cwd=clone)
    environment = {name: value for name, value in os.environ.items() if name != "LLM_RESULTS"} | {
        "SITE_URL": SITE,
        "PYTHONPATH": str(clone),
        "NO_MKDOCS_2_WARNING": "1",
        **{
            f"GIT_{who}_{what}": said
            for who in ("AUTHOR", "COMMITTER")
            for what, said in (("NAME", "t"), ("EMAIL", "t@example.org"))
        },
    }
    deploy = [sys.executable, "-m", "mkdocs", "gh-deploy", "--strict"]
    done = subprocess.run(deploy, cwd=clone, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    site = folder / "site"
    git("clone", "--branch", "gh-pages", str(remote), str(site), cwd=folder)
    yield site


def test_gh_deploy_publishes_all_of_the_site(deployed: Path) -> None:
    for name in (".nojekyll", "index.html", "zh/index.html", "feed.xml", "badge.json", "data/runs.parquet"):
        assert (deployed / name).is_file(), name


def test_every_address_that_was_published_is_still_there(deployed: Path) -> None:
    """`published_urls.txt` only grows. What must move leaves a page behind that leads on."""
    listed = (CLONE / "tests" / "published_urls.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in listed if line and not line.startswith("# ")]
    assert len(wanted) > 20
    assert wanted == list(dict.fromkeys(wanted))
    gone = []
    for line in wanted:
        name, _, anchor = line.partition("#")
        path = deployed / name / "index.html" if not name or name.endswith("/") else deployed / name
        if not path.is_file() or (anchor and f'id="{anchor}"' not in path.read_text(encoding="utf-8")):
            gone.append(line)
    assert gone == []


def metas(path: Path) -> dict[str, str]:
    elements = Page(path.read_text(encoding="utf-8")).elements
    found = [attributes for tag, attributes in elements if tag == "meta"]
    named = [(attributes.get("property") or attributes.get("name"), attributes.get("content")) for attributes in found]
    return {str(name): str(content) for name, content in named if name}


def test_every_page_has_a_title_and_a_sentence_for_previews(deployed: Path) -> None:
    pages = [path for path in sorted(deployed.rglob("*.html")) if path.name != "404.html"]
    assert len(pages) > 10
    for path in pages:
        said = metas(path)
        assert said["og:title"], path
        assert said["og:description"] == said["description"], path
        assert said["og:url"].startswith(SITE), path
        assert said["twitter:card"] == "summary", path
    front = metas(deployed / "index.html")["description"]
    answer = re.sub(r"\s+", " ", Page((deployed / "index.html").read_text(encoding="utf-8")).text)
    assert front.rstrip("…")[:60] in answer


def test_every_page_leads_to_the_feed(deployed: Path) -> None:
    for path in sorted(deployed.rglob("*.html")):
        elements = Page(path.read_text(encoding="utf-8")).elements
        links = [
            str(link["href"]) for tag, link in elements if tag == "link" and link.get("type") == "application/atom+xml"
        ]
        assert len(links) == 1, path
        if path.name != "404.html":  # it is served from any address, so its links are absolute
            assert (path.parent / links[0]).resolve() == (deployed / "feed.xml").resolve(), path


def test_links_of_the_feed_lead_to_pages(deployed: Path) -> None:
    root = ElementTree.parse(deployed / "feed.xml").getroot()
    links = [found.attrib["href"] for found in root.findall("atom:entry/atom:link", ATOM)]
    assert len(links) == 2 + len(publishing.notices())
    for link in links:
        page, _, part = link.removeprefix(SITE).partition("#")
        html = (deployed / page / "index.html").read_text(encoding="utf-8")
        assert not part or f' id="{part}"' in html, link


def test_a_template_names_nobodys_machine_or_address() -> None:
    """What `Use this template` copies holds no address of an owner: it comes from SITE_URL, set by the workflow."""
    places = [CLONE / "mkdocs.yml", *(CLONE / "site_src").rglob("*.yml"), *(CLONE / ".github").rglob("*.yml")]
    places += [
        CLONE / "README.md",
        *(CLONE / "site_src" / "pages").rglob("*.md"),
        *(CLONE / "site_src" / "theme").rglob("*.html"),
    ]
    found: list[Any] = []
    for path in places:
        found += re.findall(
            r"[\w-]+\.github\.io[\w./-]*|github\.com/[\w-]+/llm-mac-512", path.read_text(encoding="utf-8")
        )
    assert found == []
