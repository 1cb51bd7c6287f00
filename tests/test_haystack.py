"""The long prompt: a text without repetition, three needles in it, and what counts as finding them."""

import json
import re
from itertools import pairwise

import pytest

from collector import haystack
from collector.haystack import Needle

README = (haystack.SOURCE.parent / "README.md").read_text(encoding="utf-8")
WINDOW = 50  # characters
NEEDLES = (
    Needle(0.1, "青松仓库", "1234567"),
    Needle(0.5, "白鹤驿站", "7654321"),
    Needle(0.9, "寒梅渡口", "5550001"),
)


# --- the text ---


def test_the_text_has_400_000_chinese_characters() -> None:
    assert sum("\u4e00" <= character <= "\u9fff" for character in haystack.text()) >= 400_000


def test_no_passage_of_the_text_is_repeated() -> None:
    text = haystack.text()
    seen: set[str] = set()
    for start in range(len(text) - WINDOW + 1):
        window = text[start : start + WINDOW]
        assert window not in seen, window
        seen.add(window)


def test_the_readme_names_the_work_its_source_and_its_size() -> None:
    for said in ("三国演义", "罗贯中", "public\ndomain", "https://github.com/", haystack.SOURCE.name):
        assert said in README
    assert re.search(r"commit `[0-9a-f]{40}`", README)
    assert f"{len(haystack.text()):,} characters" in README
    assert f"no {WINDOW} characters occur twice" in README


def test_the_text_is_clean() -> None:
    text = haystack.text()
    assert "\ufffd" not in text
    assert text.isprintable() or not [one for one in set(text) if not one.isprintable() and one != "\n"]
    assert not re.search(r"[ \t\r]{2,}|\n{3,}", text)


def test_no_needle_stands_in_the_text_by_chance() -> None:
    text = haystack.text()
    assert not re.search(r"\d", text)
    assert "【" not in text
    assert not [place + thing for place in haystack.PLACES for thing in haystack.THINGS if place + thing in text]


def test_passages_are_the_text_in_pieces_that_end_with_a_sentence() -> None:
    passages = haystack.passages()
    assert haystack.text().startswith("".join(passages)[:1000])
    assert sum(map(len, passages)) >= 0.999 * len(haystack.text())
    assert len(set(passages)) == len(passages)
    for passage in passages:
        assert len(passage) >= haystack.PASSAGE
        assert re.search(r"[。！？\n][”’]*$", passage), passage
    assert sorted(map(len, passages))[len(passages) // 2] < 256  # fewer than what some caches look for


def test_the_hash_hangs_on_everything_that_decides_what_prompts_look_like(monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = {haystack.sha256()}
    for name, value in (("VERSION", 99), ("PASSAGE", 99), ("DEPTHS", (0.5,)), ("text", lambda: "别的")):
        with monkeypatch.context() as other:
            other.setattr(haystack, name, value)
            hashes.add(haystack.sha256())
    assert len(hashes) == 5
    assert haystack.sha256() in hashes


# --- a prompt ---


@pytest.mark.parametrize("characters", [300, 1000, 20_000, 390_000, 580_000])
def test_a_prompt_has_as_many_characters_as_were_asked_for(characters: int) -> None:
    assert len(haystack.build("a", characters).prompt) == characters


def test_a_prompt_too_short_for_any_text_holds_needles_and_question() -> None:
    hay = haystack.build("a", 10)
    assert all(haystack.hide(needle) in hay.prompt for needle in hay.needles)
    assert hay.prompt.endswith(haystack.ask(hay.needles))


def test_more_than_the_text_is_not_made_up() -> None:
    hay = haystack.build("a", 10**6)
    assert 0 < len(hay.prompt) - len(haystack.text()) < 1000


@pytest.mark.parametrize("characters", [4000, 20_000, 390_000])
def test_needles_stand_at_10_50_and_90_percent(characters: int) -> None:
    for seed in "abcdefgh":
        hay = haystack.build(seed, characters)
        before_the_question = len(hay.prompt) - len(haystack.ask(hay.needles))
        assert [needle.depth for needle in hay.needles] == [0.1, 0.5, 0.9]
        for needle in hay.needles:
            place = hay.prompt.index(haystack.hide(needle)) / before_the_question
            assert abs(place - needle.depth) < 200 / characters + 0.01, (seed, needle)


def test_needles_are_three_names_with_seven_digits_each_that_stand_nowhere_else() -> None:
    for seed in map(str, range(200)):
        hay = haystack.build(seed, 1000)
        names, numbers = {needle.name for needle in hay.needles}, {needle.number for needle in hay.needles}
        assert (len(names), len(numbers)) == (3, 3)
        text, question = hay.prompt[: -len(haystack.ask(hay.needles))], haystack.ask(hay.needles)
        for needle in hay.needles:
            assert re.fullmatch(r"[1-9]\d{6}", needle.number)
            assert (hay.prompt.count(needle.number), text.count(needle.name)) == (1, 1)
            assert needle.name in question
            assert needle.number not in question
        assert re.findall(r"\d+", hay.prompt) == [needle.number for needle in hay.needles]


def test_the_same_seed_makes_the_same_prompt_and_another_one_another() -> None:
    assert haystack.build("run/4096/1", 5000) == haystack.build("run/4096/1", 5000)
    prompts = [haystack.build(f"run/{rung}/{number}", 5000) for rung in (4096, 8192) for number in (1, 2)]
    assert len({hay.prompt for hay in prompts}) == 4
    assert len({hay.needles for hay in prompts}) == 4


def test_passages_come_in_another_order_in_each_prompt_so_that_no_cache_helps() -> None:
    def order(seed: str) -> list[str]:
        text = haystack.build(seed, 390_000).prompt
        starts = {passage[:WINDOW]: passage for passage in haystack.passages()}
        found = sorted((text.find(start), start) for start in starts)
        return [start for place, start in found if place >= 0]

    one, other, novel = order("run/1/1"), order("run/1/2"), [one[:WINDOW] for one in haystack.passages()]
    assert len(one) > 2000
    for first, second in ((one, other), (one, novel), (other, novel)):
        assert first[0] != second[0]
        # two neighbors in common would be a block of more than 256 tokens; by chance there is one now and then
        assert len(set(pairwise(first)) & set(pairwise(second))) <= 4


# --- the answer ---


def told(*numbers: str) -> str:
    """An answer as asked for."""
    return json.dumps(dict(zip((needle.name for needle in NEEDLES), numbers, strict=True)), ensure_ascii=False)


ALL = told("1234567", "7654321", "5550001")


@pytest.mark.parametrize(
    "answer",
    [
        ALL,
        f"```json\n{ALL}\n```",
        f"好的，答案如下：{ALL}。希望有帮助！",
        json.dumps(json.loads(ALL), ensure_ascii=True),
        json.dumps(json.loads(ALL), indent=2, ensure_ascii=False),
        json.dumps({f" {name} ": int(number) for name, number in json.loads(ALL).items()}, ensure_ascii=False),
        json.dumps({name: f"编号{number}" for name, number in json.loads(ALL).items()}, ensure_ascii=False),
        json.dumps({"答案": json.loads(ALL)}, ensure_ascii=False),
        " ".join(json.dumps({name: number}) for name, number in json.loads(ALL).items()),
        ALL.translate(str.maketrans("1234567890", "１２３４５６７８９０")),
        "{先想一想}" + ALL,
        "青松仓库的编号是1234567，白鹤驿站的编号是7654321，寒梅渡口：5550001。",
        "- 青松仓库: **1234567**\n- 白鹤驿站: **7654321**\n- 寒梅渡口: **5550001**",
    ],
)
def test_numbers_beside_their_names_are_found_in_json_and_in_words(answer: str) -> None:
    assert haystack.found(answer, NEEDLES) == [True, True, True]


@pytest.mark.parametrize(
    ("answer", "hits"),
    [
        (told("1234567", "7654321", "5550002"), [True, True, False]),
        (told("7654321", "1234567", "5550001"), [False, False, True]),  # each other's
        (told("12345678", "7654321", "5550001"), [False, True, True]),
        (told("1234567", "", "编号"), [True, False, False]),
        (json.dumps({"青松仓库": "1234567"}), [True, False, False]),
        (json.dumps({"青松仓库": None, "白鹤驿站": ["7654321"], "寒梅渡口": 5550001}), [False, True, True]),
        (json.dumps({"青松": "1234567", "白鹤": "7654321"}), [False, False, False]),
        ("青松仓库的编号是12345678，白鹤驿站的编号是765432。", [False, False, False]),
        ("青松仓库和白鹤驿站的编号是1234567和7654321。", [True, False, False]),
        ("1234567, 7654321, 5550001", [False, False, False]),
        ("我没有找到。", [False, False, False]),
        ('{"青松仓库": "12345', [False, False, False]),
        ("{}", [False, False, False]),
        ("", [False, False, False]),
        (None, [False, False, False]),
    ],
)
def test_a_wrong_or_missing_number_is_not_found(answer: str | None, hits: list[bool]) -> None:
    assert haystack.found(answer, NEEDLES) == hits


def test_the_form_that_was_asked_for_given_back_is_no_answer() -> None:
    assert haystack.found(haystack.ask(NEEDLES), NEEDLES) == [False, False, False]


def test_an_answer_after_the_form_that_was_asked_for_counts() -> None:
    assert haystack.found(haystack.ask(NEEDLES) + ALL, NEEDLES) == [True, True, True]
