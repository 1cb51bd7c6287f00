"""How often the graders agree with a careful reader of the corpus in tests/outputs, and what the sandbox costs.

Of what a reader lets pass (or finds to agree) the share that passes is the recall of *pass*; of what passes, the share
that a reader lets pass is its precision; the same of *fail* (or differs). Partial, unparsed and not run count as none.

The graders were mended until they agreed with this corpus, so it shows that they still do, not how they fare on other
outputs. Before they were mended for them, the second and third round of 31 and 19 outputs differed in 4 of 187 and 1 of
112 outcomes; the first 213 outputs differed in 90, some of those by a slip in the corpus.

Then answers to the tasks whose programs are run: honest ones in many styles, and cheats. They were written after the
graders; of 324 one was graded wrongly before it was mended for: a sort by a package that is not there was not run.
"""

import argparse
import json
import statistics
import time
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor

from collector import sandbox
from collector.graders import GUESTS, python_sort
from tests import corpus, reduced, styled
from tests.corpus import KINDS, Sample
from tests.hostile import PROGRAMS, SLEEPER

ROUNDS = 3
SAME = {"agrees": "pass", "differs": "fail"}
RETURNING = """
def quick_sort(a):
    if len(a) <= 1:
        return a
    p = a[len(a) // 2]
    return quick_sort([x for x in a if x < p]) + [x for x in a if x == p] + quick_sort([x for x in a if x > p])
"""
IN_PLACE = """
def quick_sort(a, low, high):
    if low >= high:
        return
    p, i, j = a[(low + high) // 2], low, high
    while i <= j:
        while a[i] < p: i += 1
        while a[j] > p: j -= 1
        if i <= j:
            a[i], a[j] = a[j], a[i]
            i, j = i + 1, j - 1
    quick_sort(a, low, j)
    quick_sort(a, i, high)
"""
Row = tuple[Sample, str, str, str, str]  # sample, check, grader, expected, got


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true", help="every style and cheat, instead of some")
    is_full = parser.parse_args().full
    samples = corpus.samples()
    kinds = Counter(sample.kind for sample in samples)
    written = sum(sample.origin == "written by hand" for sample in samples)
    print(
        f"graders: {len(samples)} outputs, {written} written by hand and {len(samples) - written} by two small models"
    )
    print("  " + ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS) + "\n")
    rows = graded(samples)
    for title, place in (("grader", 2), ("check", 1)):
        table(title, rows, place)
    wrong = [row for row in rows if row[3] != row[4]]
    print(f"outcomes other than expected: {len(wrong)} of {len(rows)}")
    for sample, check, _, expected, got in wrong:
        print(f"  {sample.name:<40} {check:<16} expected {expected}, got {got}")
    styles(is_full)
    times()


def styles(is_full: bool) -> None:
    """How many honest answers pass and how many cheats fail, of each task."""
    with sandbox.Sandbox() as kept, ThreadPoolExecutor(2) as pool:
        some = styled.drawn(reduced.REDUCED["styles and cheats graded"][0], 1, kept.execute)
        if is_full:
            kinds = [(task, is_honest) for task in styled.TASKS for is_honest in (True, False)]
            some = [one for kind in kinds for one in styled.all_of(*kind, kept.execute)]
        said = list(pool.map(lambda one: one.grade(kept.execute), some))
    print(f"\nanswers whose programs are run: {len(some)}, of each task what they got")
    for task in styled.TASKS:
        for is_honest in (True, False):
            own = [
                grade.outcome
                for one, grade in zip(some, said, strict=True)
                if (one.task, one.is_honest) == (task, is_honest)
            ]
            got = ", ".join(f"{count} {outcome}" for outcome, count in sorted(Counter(own).items()))
            print(f"  {task:<14}{len(own):>4} {'honest' if is_honest else 'cheats'}: {got}")
    for one, grade in zip(some, said, strict=True):
        if grade.outcome != ("pass" if one.is_honest else "fail"):
            print(f"  {one.task}: {one.name}: {grade.outcome}, {grade.detail}")


def graded(samples: list[Sample]) -> list[Row]:
    with sandbox.Sandbox() as kept, ThreadPoolExecutor(2) as pool:
        said = list(pool.map(lambda sample: sample.graded(kept.execute), samples))
    return [
        (sample, _named(sample, check), found.check.grader, sample.expected[check], found.grade.outcome)
        for sample, of_it in zip(samples, said, strict=True)
        for check, found in of_it.items()
    ]


def _named(sample: Sample, check: str) -> str:
    """A check by its prompt; a Q0 grader, which every prompt has, by itself."""
    return f"{sample.prompt.id}: {check}" if check in {own.id for own in sample.prompt.checks} else check


def table(title: str, rows: list[Row], place: int) -> None:
    by_name: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_name[str(row[place])].append(row)
    print(f"{title:<28}{'outputs':>8}{'as expected':>13}   pass: precision, recall   fail: precision, recall")
    for name, own in sorted(by_name.items()):
        right = sum(expected == got for *_, expected, got in own)
        shares = [f"{share:>12}{of:>12}" for share, of in (precision_and_recall(own, one) for one in ("pass", "fail"))]
        print(f"{name:<28}{len(own):>8}{f'{right} ({right / len(own):.0%})':>13}   {'   '.join(shares)}")
        others = Counter(got for *_, got in own)
        counts = ", ".join(f"{others[one]} {one}" for one in sorted(others))
        of_kinds = Counter(sample.kind for sample, *_ in own)
        print(f"{'':<28}got {counts}; of " + ", ".join(f"{of_kinds[kind]} {kind}" for kind in KINDS if of_kinds[kind]))
    print()


def precision_and_recall(rows: list[Row], outcome: str) -> tuple[str, str]:
    pairs = [(SAME.get(expected, expected) == outcome, SAME.get(got, got) == outcome) for *_, expected, got in rows]
    both, said, meant = sum(e and g for e, g in pairs), sum(g for _, g in pairs), sum(e for e, _ in pairs)
    return f"{both}/{said}", f"{both}/{meant}"


def times() -> None:
    print(f"\nsandbox, warm: median of {ROUNDS} rounds in s, and what came of it")
    sort = {name: (GUESTS / of).read_text(encoding="utf-8") for name, of in python_sort.FILES.items()}
    task = json.dumps({"word": "x", "cases": python_sort.cases()})
    for name, program in (("right quicksort, returning", RETURNING), ("right quicksort, in place", IN_PLACE)):
        once(name, sort | {"solution.py": program}, ["/w/harness.py"], f"{task}\n")
    for name, (program, _) in PROGRAMS.items():
        once(name, {"main.py": program}, ["/w/main.py"])
    once("sleeps for ever", {"main.py": SLEEPER}, ["/w/main.py"])


def once(name: str, files: dict[str, str], arguments: list[str], stdin: str = "") -> None:
    took = []
    with sandbox.Sandbox() as kept:
        for _ in range(ROUNDS):
            started = time.perf_counter()
            ran = kept.execute(files, arguments, stdin)
            took.append(time.perf_counter() - started)
    print(f"  {name:<30}{statistics.median(took):6.2f}   {(ran.trouble or 'ended well')[:75]}", flush=True)


if __name__ == "__main__":
    main()
