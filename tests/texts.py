"""Rows of stored outputs, of the suites' real prompts, for the tests of grades and of the views over them."""

from typing import Any

from collector import grading, suite
from collector.backends import Facts
from collector.nonce import shared
from collector.schema import Results

PROMPTS = {prompt.id: prompt for name in suite.names() for prompt in suite.read(name).prompts}

RIGHT = {
    "short": "量子计算是利用量子比特的叠加与纠缠并行处理信息的一种计算方式。",
    "medium": "```python\ndef quick_sort(numbers):\n    if len(numbers) < 2:\n        return numbers\n"
    "    first, *rest = numbers\n    return quick_sort([n for n in rest if n < first]) + [first] + "
    "quick_sort([n for n in rest if n >= first])\n```\n\n以上代码以第一个元素为基准，递归地排序左右两部分。",
    "long": "反向传播算法用链式法则求损失函数对每个权重的偏导数。前向传播先算出各层的激活值，"
    "再从输出层开始计算误差项，并把它逐层向后传回。\n\n"
    + "\n\n".join(
        f"第{n}层的误差项由后一层的误差项乘以权重矩阵的转置，再乘以激活函数在该处的导数得到，记作编号 {n * 37 % 101}。"
        for n in range(1, 9)
    )
    + "\n\n$$\\frac{\\partial L}{\\partial w} = \\delta \\cdot a$$\n\n最后用学习率乘以梯度来更新权重，即梯度下降。",
    "reasoning": "标签全错，所以只要打开一个盒子就能推出其余的内容。\n\n答案：最少取 1 次。",
    "instruction": "load_movements：文件没有关闭，改用 with。\nmissing_fields：默认参数可变，改为 None。\n"
    "movements_of：不应该用 is 比较字符串，改用 ==。\nstock_level：有 SQL 注入风险，改用参数化查询。\n"
    "low_stock：sort 返回 None，改用 sorted。",
}
WRONG = {
    "short": "这个问题很有意思，我们以后再详细讨论好了。",
    "medium": "```python\ndef quick_sort(numbers):\n    return numbers\n```\n\n以上代码返回排序后的列表。",
    "long": "这个算法非常重要，很多人都在使用它，大家都应该好好学习。",
    "reasoning": "答案：最少取 2 次。",
    "instruction": "book：这里的命名可以更好一些。",
}
LOOP = "我们先来看这个问题的背景和意义。" * 60


def answer(prompt: str, text: str, op: str = "quality", repeat: int = 1, **more: Any) -> Facts:
    """One output of a real prompt."""
    known = PROMPTS[prompt]
    return {
        "op": op,
        "prompt_id": prompt,
        "prompt_category": known.category,
        "prompt_sha256": known.sha256,
        "repeat": repeat,
        "nonce": shared(known.sha256, repeat if op == "quality" else 0),
        "max_tokens": known.max_tokens,
        "finish_reason": "stop",
        "output_text": text,
        "elapsed_ns": 10**9,
        **more,
    }


def answers(texts: dict[str, str] = RIGHT, repeat: int = 1, **more: Any) -> list[Facts]:
    """The same of several prompts: the quality pass of a run."""
    return [answer(prompt, text, repeat=repeat, **more) for prompt, text in texts.items()]


def graded(results: Results, execute: Any = None) -> None:
    """Grade every run of a folder, by default without a sandbox."""
    graders = grading.Graders.ready(execute)
    for run in sorted(results.runs.glob("*.parquet")):
        graders.grade(results, run)
