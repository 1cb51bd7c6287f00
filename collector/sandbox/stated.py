"""Tests of our own, rewritten for the sandbox so that they state values, and do so with other numbers.

What a test expects is left out, since whoever runs it may not be told; what it looks at is stated by `STATE(number,
value)`, a call that whoever runs it provides. The number tells the assertion.
"""

import ast
import random
import re

STATE = "_state"
SHARE = 0.25  # of the numbers that become others


def stated(source: str, draw: random.Random | None = None) -> str:
    """The tests in this source as statements; with `draw` with other numbers, drawn from there."""
    tree = _Stating().visit(ast.parse(source))
    if draw:
        tree = _Renumbering(draw).visit(tree)
    return ast.unparse(ast.fix_missing_locations(tree))


def renumbered(text: str, draw: random.Random) -> str:
    """The text with some of its numbers one more or less, which leaves most dates, times and places what they are."""
    places = [found.end() - 1 for found in re.finditer(r"[0-9]+", text)]
    letters = list(text)
    for place in draw.sample(places, min(len(places), 1 + int(SHARE * len(places)))):
        digit = int(letters[place])
        letters[place] = str(digit + 1 if digit == 0 or (digit < 9 and draw.random() < 0.5) else digit - 1)
    return "".join(letters)


class _Stating(ast.NodeTransformer):
    def __init__(self) -> None:
        self.count = 0

    def visit_Assert(self, node: ast.Assert) -> list[ast.stmt]:
        """Of an equation the sides that are no constants; of all else whether it holds."""
        test = node.test
        looked_at: list[ast.expr] = [ast.Call(ast.Name("bool", ast.Load()), [test], [])]
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            looked_at = [side for side in (test.left, *test.comparators) if not _is_constant(side)]
        found: list[ast.stmt] = []
        for value in looked_at:
            self.count += 1
            found.append(ast.Expr(ast.Call(ast.Name(STATE, ast.Load()), [ast.Constant(self.count), value], [])))
        return found


class _Renumbering(ast.NodeTransformer):
    def __init__(self, draw: random.Random) -> None:
        self.draw = draw

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Which assertion it is stays."""
        if isinstance(node.func, ast.Name) and node.func.id == STATE:
            node.args[1] = self.visit(node.args[1])
            return node
        return self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> ast.AST:
        """No encoding has another number."""
        return node if node.arg == "encoding" else self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        """Numbers, and texts that hold any."""
        if isinstance(node.value, str):
            return ast.Constant(renumbered(node.value, self.draw))
        if type(node.value) in (int, float):
            return ast.Constant(ast.literal_eval(renumbered(repr(node.value), self.draw)))
        return node


def _is_constant(node: ast.expr) -> bool:
    try:
        ast.literal_eval(node)
    except ValueError:
        return False
    return True
