"""How sentences of the views are said in another language, and what of them stays as it is."""

import time

import pytest

from site_src.phrases import Phrases

TERMS = {
    "inconclusive": "无法判定",
    "pass": "通过",
    "not run": "未执行",
    "the machine was hot": "机器过热",
    "memory was short": "内存紧张",
    "MLX faster": "MLX 更快",
}
TEMPLATES = {
    "{} of {} cells of the plan are not measured": "计划的 {1} 格中有 {0} 格未测",
    "{} of {} prompts flip; six are needed": "{1} 题翻转 {0} 题；需要六题",
    "{} of {} requests left out: {}": "{1} 个请求剔除 {0} 个：{2:w}",
    "{}: {}, {}, n = {}": "{0:n}：{1:w}，{2}，n = {3}",
    "{}: not comparable ({})": "{0}：不可比（{1:w}）",
    "load time: {}": "加载：{0:w}",
    "loaded before": "之前已加载",
    "{} against {}": "{0} 对 {1}",
}
PHRASES = Phrases(TERMS, TEMPLATES, ("；", "、", " "))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("inconclusive", "无法判定"),
        ("3 of 20 cells of the plan are not measured", "计划的 20 格中有 3 格未测"),
        ("inconclusive; 3 of 20 cells of the plan are not measured", "无法判定；计划的 20 格中有 3 格未测"),
        ("inconclusive; else", "无法判定；[else]"),
        ("else", "[else]"),
        # a template with a semicolon of its own, alone and among others
        ("2 of 9 prompts flip; six are needed", "9 题翻转 2 题；需要六题"),
        ("inconclusive; 2 of 9 prompts flip; six are needed", "无法判定；9 题翻转 2 题；需要六题"),
        # lists, whole or not at all; rows of terms, the longest first
        ("memory was short, the machine was hot", "内存紧张、机器过热"),
        ("memory was short, else", "[memory was short, else]"),
        ("pass not run pass", "通过 未执行 通过"),
        # gaps: words, said or told apart; names, kept, however they read
        ("1 of 3 requests left out: memory was short, the machine was hot", "3 个请求剔除 1 个：内存紧张、机器过热"),
        ("1 of 3 requests left out: else", "3 个请求剔除 1 个：[else]"),
        ("pass against inconclusive", "pass 对 inconclusive"),
        ("a against b: MLX faster, 1.2 [1.1, 1.3], n = 9", "a 对 b：MLX 更快，1.2 [1.1, 1.3]，n = 9"),
        ("a: MLX faster, 1.2, n = 9", "a：MLX 更快，1.2，n = 9"),
        ("a: not comparable (inconclusive; else)", "a：不可比（无法判定；[else]）"),
        ("a: not comparable (pass; pass); b: not comparable (pass)", "a：不可比（通过；通过）；b：不可比（通过）"),
        ("load time: pass; loaded before", "加载：通过；之前已加载"),
        # what is in the text is no template
        ("{0} of {1} cells of the plan are not measured", "计划的 {1} 格中有 {0} 格未测"),
        ("", "[]"),
    ],
)
def test_a_sentence_is_said_part_by_part(text: str, shown: str) -> None:
    assert "".join(said if known else f"[{said}]" for said, known in PHRASES.said(text)) == shown


@pytest.mark.parametrize("part", ["a, ", "a: ", ": , ", "; ", "a of ", "n = ", "pass ", "0 of 1 requests left out: "])
def test_a_text_made_to_be_slow_is_not(part: str) -> None:
    """Texts of servers and graders come to all templates."""
    began = time.perf_counter()
    Phrases(TERMS, TEMPLATES).said(part * 20_000)
    assert time.perf_counter() - began < 5


def test_without_words_everything_stays_as_it_is() -> None:
    assert Phrases({}, {}).said("one; two") == [("one", False), ("; ", True), ("two", False)]
