"""Seeded mutants of reference solutions: one small change each, of the kinds that programmers make by mistake.

``python tests/support/evalplus_mutants.py humaneval DATA 10 > samples.jsonl`` writes ten a problem in EvalPlus' format.
"""

from __future__ import annotations

import ast
import copy
import json
import random
import sys
from collections.abc import Callable, Iterator

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
}


def _replace(node: ast.AST, name: str, value: object) -> Callable[[], None]:
    return lambda: setattr(node, name, value)


def _of_return(node: ast.Return) -> Iterator[Callable[[], None]]:
    assert node.value is not None
    yield _replace(node, "value", ast.Constant(None))
    yield _replace(node, "value", ast.UnaryOp(ast.Not(), node.value))
    yield _replace(node, "value", ast.List([node.value], ast.Load()))
    yield _replace(node, "value", ast.Call(ast.Name("str", ast.Load()), [node.value], []))


def _of_statement(node: ast.AST) -> Iterator[Callable[[], None]]:
    if isinstance(node, (ast.If, ast.While)):
        yield _replace(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Return) and node.value is not None:
        yield from _of_return(node)
    elif isinstance(node, ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield _replace(node, "op", _ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.Break):
        return


def _of_expression(node: ast.AST) -> Iterator[Callable[[], None]]:
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARE:
        yield _replace(node, "ops", [_COMPARE[type(node.ops[0])](), *node.ops[1:]])
    elif isinstance(node, ast.BinOp) and type(node.op) in _ARITHMETIC:
        yield _replace(node, "op", _ARITHMETIC[type(node.op)]())
    elif isinstance(node, ast.BoolOp):
        yield _replace(node, "op", ast.Or() if isinstance(node.op, ast.And) else ast.And())
    elif isinstance(node, ast.IfExp):
        yield _replace(node, "test", ast.UnaryOp(ast.Not(), node.test))
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        yield _replace(node, "value", node.value + 1)
        yield _replace(node, "value", node.value - 1)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str) and len(node.value) <= 3:
        yield _replace(node, "value", node.value + "x")
    elif isinstance(node, ast.Constant) and type(node.value) is bool:
        yield _replace(node, "value", not node.value)


def _changes(tree: ast.Module) -> list[Callable[[], None]]:
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    inside = [node for function in functions for node in ast.walk(function)]
    return [change for node in inside for change in (*_of_statement(node), *_of_expression(node))]


def mutants(program: str, n: int, *, seed: str) -> list[str]:
    """Return up to ``n`` different programs, each one change away from ``program``; the same for the same seed."""
    tree = ast.parse(program)
    numbers = list(range(len(_changes(tree))))
    random.Random(seed).shuffle(numbers)
    found: dict[str, None] = {}
    for number in numbers:
        changed = copy.deepcopy(tree)
        _changes(changed)[number]()
        found[ast.unparse(ast.fix_missing_locations(changed))] = None
        if len(found) == n:
            break
    return list(found)


def main() -> None:
    from codearena_plugin.execution.evalplus.run import load_benchmark

    name, data, n = sys.argv[1:4]
    for problem in load_benchmark(name, data=data).problems:  # type: ignore[arg-type]
        for text in mutants(problem.canonical, int(n), seed=problem.task_id):
            print(json.dumps({"task_id": problem.task_id, "solution": text}))


if __name__ == "__main__":
    main()
