"""The prompts are the plan's, their material works as said, and their hashes tell every change."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from collector import suite
from collector.errors import SuiteInvalid
from collector.suite import FOLDER, PLACEHOLDER, Prompt, read, render

MATERIAL = FOLDER / "material"
# The benchmark plan's prompts, word for word: id → category, limit, text.
PLAN = {
    "standard": {
        "short": ("简短问答", 100, "请用一句话解释量子计算"),
        "medium": ("代码生成", 500, "写一个Python快速排序算法，包含注释"),
        "long": ("长文本生成", 2000, "详细解释深度学习的反向传播算法，包含数学推导"),
        "reasoning": ("逻辑推理", 500, "三个盒子，红盒装蓝球，蓝盒装红球，标签全错。最少取几次确定内容？"),
        "instruction": ("指令跟随", 400, "作为Python专家，审查以下代码并提出改进建议：[示例代码]"),
    },
    "coding-agent": {
        "code_agent": ("代码代理", 1000, "分析这个repo结构，建议重构方案"),
        "multi_file": ("多文件操作", 1500, "重构项目：将单文件拆分为模块化结构"),
    },
}
SUPPLIED = {"instruction": "review", "code_agent": "repo", "multi_file": "single_file"}
BUGS = {
    "resource_leak": "file = path.open(",
    "mutable_default": "found: list[str] = []",
    "identity_comparison": 'row["sku"] is sku',
    "off_by_one": "start = page * PAGE_SIZE",
    "sql_injection": "WHERE sku = '{sku}'",
    "swallowed_exception": "except Exception:",
    "wrong_return": "return skus.sort(",
}


# --- the suites that there are ---


@pytest.mark.parametrize(("name", "prompt"), [(name, prompt) for name in PLAN for prompt in PLAN[name]])
def test_a_prompt_is_the_plans(name: str, prompt: str) -> None:
    category, limit, text = PLAN[name][prompt]
    found = next(one for one in read(name).prompts if one.id == prompt)
    assert (found.category, found.max_tokens) == (category, limit)
    if prompt not in SUPPLIED:
        assert found.text == text
    else:
        assert found.text == f"{text.removesuffix(PLACEHOLDER)}\n\n{render(MATERIAL / SUPPLIED[prompt])}"


@pytest.mark.parametrize("name", list(PLAN))
def test_a_suite_has_the_plans_prompts_in_its_order(name: str) -> None:
    assert [prompt.id for prompt in read(name).prompts] == list(PLAN[name])


def test_every_suite_can_be_read() -> None:
    assert suite.names() == ["coding-agent", "reference", "smoke", "standard"]
    for name in suite.names():
        found = read(name)
        assert found.name == name
        assert found.title
        assert all(prompt.text.strip() and prompt.max_tokens > 0 for prompt in found.prompts)


@pytest.mark.parametrize("name", ["standard", "coding-agent", "smoke"])
def test_no_placeholder_is_sent(name: str) -> None:
    assert not any(PLACEHOLDER in prompt.text for prompt in read(name).prompts)


def test_the_smoke_suite_is_two_short_prompts() -> None:
    assert len(read("smoke").prompts) == 2
    assert all(prompt.max_tokens <= 128 for prompt in read("smoke").prompts)


# --- the material ---


def test_each_seeded_bug_is_in_the_line_it_names() -> None:
    [check] = next(prompt for prompt in read("standard").prompts if prompt.id == "instruction").checks
    bugs = check.declared["bug"]
    lines = {bug["id"]: (MATERIAL / "review" / bug["file"]).read_text().splitlines()[bug["line"] - 1] for bug in bugs}
    assert {name: text.strip() for name, text in lines.items() if BUGS[name] in text}.keys() == BUGS.keys()
    assert all(bug["what"] for bug in bugs)


def test_the_lines_of_the_review_are_sent_as_they_stand_in_the_file() -> None:
    prompt = next(one for one in read("standard").prompts if one.id == "instruction")
    fenced = prompt.text.partition("```python\n")[2].partition("\n```")[0]
    assert fenced.split("\n") == (MATERIAL / "review" / "inventory.py").read_text().rstrip("\n").split("\n")


def test_no_bug_is_given_away() -> None:
    prompt = next(one for one in read("standard").prompts if one.id == "instruction")
    assert not any(bug in prompt.text for bug in BUGS)


def in_copy(folder: str, into: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a copy of a material folder, so that nothing is left behind in the suite."""
    copy = into / folder
    shutil.copytree(MATERIAL / folder, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    clean |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=clean, capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize(("folder", "tests"), [("single_file", "test_timesheet.py"), ("repo", "shipping/data")])
def test_the_materials_own_tests_pass_before_any_model_touches_it(folder: str, tests: str, tmp_path: Path) -> None:
    done = in_copy(folder, tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_the_repository_prints_the_report_it_expects(tmp_path: Path) -> None:
    done = in_copy("repo", tmp_path, "main.py", "shipping/data/orders.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (MATERIAL / "repo/shipping/data/expected_report.txt").read_text()


def test_the_tree_shown_is_the_tree_supplied() -> None:
    shown = (MATERIAL / "repo" / "before.md").read_text()
    supplied = [path.name for path in (MATERIAL / "repo").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    for name in set(supplied) - {"before.md", "after.md"}:
        assert shown.count(f" {name}\n") == supplied.count(name)


# --- hashes ---


def test_a_prompts_hash_changes_with_text_and_limit_and_nothing_else() -> None:
    prompt = Prompt("a", "test", "Hi", 100)
    assert prompt.sha256 == Prompt("b", "other", "Hi", 100).sha256
    assert prompt.sha256 != Prompt("a", "test", "Hi.", 100).sha256
    assert prompt.sha256 != Prompt("a", "test", "Hi", 101).sha256
    assert Prompt("a", "test", "0 Hi", 1).sha256 != Prompt("a", "test", " Hi", 10).sha256


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A suites folder of the test's own."""
    made = tmp_path / "collector" / "suites"
    (made / "material" / "code").mkdir(parents=True)
    (made / "material" / "code" / "a.py").write_text("print(1)\n")
    monkeypatch.setattr(suite, "FOLDER", made)
    return made


def entry(id: str = "a", text: str = "Hi", max_tokens: object = 10, material: str | None = None) -> str:
    """One prompt as TOML."""
    lines = ["[[prompt]]", f'id = "{id}"', 'category = "test"', f'text = "{text}"', f"max_tokens = {max_tokens}"]
    return "\n".join([*lines, f'material = "{material}"' if material else "", ""])


def written(folder: Path, *entries: str, name: str = "mine") -> suite.Suite:
    """The suite `mine`, written and read."""
    (folder / "mine.toml").write_text("\n".join([f'name = "{name}"', 'title = "Mine"', *entries]))
    return read("mine")


def test_a_suites_hash_changes_with_each_thing_it_covers(folder: Path) -> None:
    supplied = entry("b", text=f"Read:{PLACEHOLDER}", material="code")
    seen = [written(folder, entry(), supplied).sha256]
    seen.append(written(folder, entry(text="Ho"), supplied).sha256)
    seen.append(written(folder, entry(max_tokens=11), supplied).sha256)
    seen.append(written(folder, supplied, entry()).sha256)
    seen.append(written(folder, entry()).sha256)
    (folder / "material" / "code" / "a.py").write_text("print(2)\n")
    seen.append(written(folder, entry(), supplied).sha256)
    (folder / "material" / "code" / "a.py").rename(folder / "material" / "code" / "b.py")
    seen.append(written(folder, entry(), supplied).sha256)
    assert len(set(seen)) == len(seen)


def test_a_suites_hash_stays_when_only_its_title_changes(folder: Path) -> None:
    before = written(folder, entry()).sha256
    (folder / "mine.toml").write_text(f'name = "mine"\ntitle = "Another"\n{entry()}')
    assert read("mine").sha256 == before


# --- how material is rendered ---


def test_material_takes_the_placeholders_place_or_follows_the_text(folder: Path) -> None:
    first, second = written(
        folder, entry("a", f"Read:{PLACEHOLDER}", material="code"), entry("b", "Read", material="code")
    ).prompts
    assert first.text == "Read:\n\na.py\n```python\nprint(1)\n```"
    assert second.text == "Read\n\na.py\n```python\nprint(1)\n```"


def test_files_stand_by_path_between_before_and_after(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("after.md", "before.md", "z.csv", "sub/b.py", "a.py"):
        (tmp_path / name).write_text(f"in {name}\n")
    assert render(tmp_path) == "\n\n".join(
        [
            "in before.md",
            "a.py\n```python\nin a.py\n```",
            "sub/b.py\n```python\nin sub/b.py\n```",
            "z.csv\n```\nin z.csv\n```",
            "in after.md",
        ]
    )


def test_a_fence_is_longer_than_any_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("````\ncode\n````\n")
    assert render(tmp_path) == "a.md\n`````markdown\n````\ncode\n````\n`````"


def test_what_tools_leave_behind_is_not_sent(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("print(1)\n")
    clean = render(tmp_path)
    for left in ("__pycache__/a.pyc", ".DS_Store", ".pytest_cache/x", "sub/__pycache__/b.pyc"):
        (tmp_path / left).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / left).write_bytes(b"\xff\x00")
    assert render(tmp_path) == clean


# --- what is no suite ---


def test_an_unknown_suite_is_answered_with_the_known_ones() -> None:
    with pytest.raises(SuiteInvalid, match="no suite 'standart'") as caught:
        read("standart")
    assert caught.value.remedy == "Choose one of: coding-agent, reference, smoke, standard."


@pytest.mark.parametrize("name", ["../suites/standard", "", "material", "standard.toml"])
def test_a_suite_is_named_and_not_a_path(name: str) -> None:
    with pytest.raises(SuiteInvalid):
        read(name)


@pytest.mark.parametrize(
    "content",
    [
        entry("a") + entry("a", text="Ho"),  # two prompts of one id would blend
        "",
        "prompt = []",
        "prompt = 7",
        'prompt = ["Hi"]',
        entry().replace("[[prompt]]", "[prompt]"),
        entry().replace('id = "a"', ""),
        entry().replace('text = "Hi"', ""),
        entry(max_tokens='"many"'),
        entry(material="nowhere"),
        "[[prompt",
    ],
)
def test_a_suite_that_contradicts_itself_is_named_with_its_file(folder: Path, content: str) -> None:
    with pytest.raises(SuiteInvalid, match="'mine'") as caught:
        written(folder, content)
    assert "suites/mine.toml" in caught.value.remedy


def test_duplicate_ids_are_said_to_be_the_mistake(folder: Path) -> None:
    with pytest.raises(SuiteInvalid, match="ids of their own"):
        written(folder, entry("a"), entry("a", text="Ho"))


def test_suites_that_share_a_prompt_cannot_be_joined() -> None:
    with pytest.raises(SuiteInvalid, match="in common"):
        read("standard+smoke+standard")


def test_suites_can_be_joined() -> None:
    joined = read("standard+coding-agent")
    assert joined.prompts == read("standard").prompts + read("coding-agent").prompts
    assert joined.sha256 not in (read("standard").sha256, read("coding-agent").sha256)


def test_a_suite_that_is_named_unlike_its_file_is_a_mistake(folder: Path) -> None:
    with pytest.raises(SuiteInvalid, match="its file's name"):
        written(folder, entry(), name="yours")


def test_a_suite_that_is_no_utf8_is_a_mistake(folder: Path) -> None:
    (folder / "mine.toml").write_bytes(b'name = "mine"\ntitle = "\xff"\n')
    with pytest.raises(SuiteInvalid, match="'mine'"):
        read("mine")
