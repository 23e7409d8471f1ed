"""What a model is asked, and the program in what it wrote.

The words of the question and of the begun answer are those of EvalPlus (0.3.1, Apache-2.0), to the letter: numbers from
other words cannot be compared with its leaderboard.

A program is found by fences and by ``ast``, in time linear in the text: what parses is kept with its decorators,
helpers and imports; what would run beside it (prints, asserts, a main part, calls of the function) is not.
"""

from __future__ import annotations

import ast
import builtins
import textwrap
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from codearena_plugin.execution.evalplus.problems import BenchmarkName, Problem
from codearena_plugin.fences import split
from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Message

_ASKS = "Please provide a self-contained Python script that solves the following problem in a markdown code block:"
_BEGINS = (
    "Below is a Python script with a self-contained function that solves the problem and passes corresponding tests:"
)
BASE_STOPS: tuple[str, ...] = (
    *("<|endoftext|>", "<|endofmask|>", "</s>"),
    *("\nif __name__", "\ndef main(", "\nprint(", "\nassert", '\n"""', "\n```"),
)
"""Where the completion of a base model ends; good for both benchmarks."""
_NEXT_STOPS = ("\ndef ", "\nclass ", "\nimport ", "\nfrom ")
"""More of them where the prompt has begun the function (HumanEval), so that what is defined next is not part of it."""
_OPENS = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_CONTINUES = ("else", "elif", "except", "finally", ")", "]", "}", "#")
_STARTS = ("def ", "class ", "async def ", "@", "import ", "from ")
_MOST_REPAIRS = 30
_NOT_RUN = frozenset({"print", "input", "main", "unittest", "doctest", "__name__"})
_KNOWN = frozenset(dir(builtins))
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def chat_messages(problem: Problem) -> tuple[Message, ...]:
    """Return the conversation that asks a chat model for the problem's program."""
    return (Message("user", f"{_ASKS}\n```\n{problem.prompt.strip()}\n```\n"),)


def chat_prefill(problem: Problem) -> str:  # the same for all, which callers need not know
    """Return how the answer of a chat model begins; what the model adds starts inside a code block."""
    return f"{_BEGINS}\n```python\n"


def base_prompt(problem: Problem) -> str:
    """Return the text that a base model completes."""
    return problem.prompt.strip() + "\n"


def base_stops(name: BenchmarkName) -> tuple[str, ...]:
    """Return where the completions of a benchmark end."""
    return (*BASE_STOPS, *_NEXT_STOPS) if name == "humaneval" else BASE_STOPS


def solution_of(problem: Problem, text: str, *, style: Literal["chat", "base"]) -> str:
    """Return the program in a model's text.

    Args:
        text: "chat": an answer, whole or from inside the code block that ``chat_prefill`` opens; "base": what follows
            ``base_prompt``.

    Returns:
        A program to run; where none can be found, the text itself, which then fails.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if style == "base":
        whole = base_prompt(problem) + _cut(problem, text).replace("\t", "    ")
        return (_program(whole, problem.entry_point) or _Program(whole)).text
    text, _ = strip_reasoning(text)
    return _answered(text, problem.entry_point) or text


def _cut(problem: Problem, text: str) -> str:
    begun = f"def {problem.entry_point}(" in problem.prompt
    ends = [at for stop in (*BASE_STOPS, *(_NEXT_STOPS if begun else ())) if (at := text.find(stop)) >= 0]
    return text[: min(ends, default=len(text))]


@dataclass(frozen=True, slots=True)
class _Program:
    """A program, or a piece of one.

    Attributes:
        is_whole: all of the text parsed, and not only a part of it.
        defines, uses: names, at its top level and anywhere.
    """

    text: str
    is_whole: bool = False
    defines: frozenset[str] = frozenset()
    uses: frozenset[str] = frozenset()


def _answered(text: str, entry_point: str) -> str | None:
    """Return the program of an answer: of the block that defines the function, and of those with its helpers."""
    readings = (split(text), split(f"```python\n{text}"))  # the second: the block was opened for the model
    best: tuple[tuple[bool, int, bool], _Program, Sequence[_Program]] | None = None
    for number, parts in enumerate(readings):
        programs = [found for block in parts.blocks if (found := _program(textwrap.dedent(block.code), entry_point))]
        for program in programs:
            if entry_point not in program.defines:
                continue
            key = (program.is_whole, sum(1 for line in program.text.splitlines() if line.strip()), number == 0)
            if best is None or key > best[0]:
                best = key, program, programs
    if best is not None:
        return _with_helpers(best[1], best[2])
    whole = _program(text, entry_point)  # a docstring with a fence in it cuts its block in two
    return whole.text if whole and entry_point in whole.defines else None


def _with_helpers(program: _Program, others: Sequence[_Program]) -> str:
    """Return the program after those of the other blocks that define what it lacks."""
    used, pieces = {program.text}, [program.text]
    lacking = program.uses - program.defines - _KNOWN
    for other in others:
        if other.text not in used and other.defines & lacking and not other.defines & program.defines:
            used.add(other.text)
            pieces.insert(len(pieces) - 1, other.text)
            lacking -= other.defines
    return "\n\n".join(pieces)


def _program(code: str, entry_point: str) -> _Program | None:
    """Return what of a text is a program; ``None`` if nothing is."""
    tree = _parsed(code)
    if tree is not None:
        kept = list(_kept([(node, code.split("\n")) for node in tree.body], entry_point))
        is_whole = True
    else:
        pieces = [piece for chunk in _chunks(code) if (piece := _repaired(chunk, entry_point))]
        kept = list(_kept([(node, lines) for lines, body in pieces for node in body], entry_point))
        is_whole = False
    if not kept:
        return None
    nodes = [node for node, _ in kept]
    names = [found for node in nodes for found in ast.walk(node)]
    return _Program(
        "\n".join(text for _, text in kept) + "\n",
        is_whole,
        frozenset(name for node in nodes for name in _defined(node)),
        frozenset(name.id for name in names if isinstance(name, ast.Name)),
    )


def _parsed(code: str) -> ast.Module | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape in a stranger's string is not ours to say
            return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _kept(body: Sequence[tuple[ast.stmt, Sequence[str]]], entry_point: str) -> Iterator[tuple[ast.stmt, str]]:
    """Yield the statements that belong to the program, each with its lines.

    Of several functions of a name the first that does something, as EvalPlus takes the first that returns.
    """
    seen: set[str] = set()
    full = {node.name for node, _ in body if isinstance(node, _FUNCTIONS) and not _is_stub(node)}
    for node, lines in body:
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            if node.name in seen or (node.name in full and isinstance(node, _FUNCTIONS) and _is_stub(node)):
                continue
            seen.add(node.name)
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
        elif isinstance(node, (ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)) or _may_run(node, entry_point):
            first = node.lineno
        else:
            continue
        is_assigned = isinstance(node, (ast.Assign, ast.AnnAssign)) and entry_point in _names(node)
        if is_assigned and entry_point not in _defined(node):
            continue  # the result of trying it out
        yield node, _lines(node, first, lines)


def _is_stub(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether a function has a docstring at most, as in a prompt that was repeated."""
    return all(
        isinstance(item, ast.Pass) or (isinstance(item, ast.Expr) and isinstance(item.value, ast.Constant))
        for item in node.body
    )


def _lines(node: ast.stmt, first: int, lines: Sequence[str]) -> str:
    """Return the text of a statement; two on one line are told apart by their columns."""
    last = node.end_lineno or first
    found = list(lines[first - 1 : last])
    if node.end_col_offset is not None:
        found[-1] = found[-1].encode()[: node.end_col_offset].decode("utf-8", "ignore")
    if first == node.lineno and node.col_offset:
        found[0] = found[0].encode()[node.col_offset :].decode("utf-8", "ignore")
    return "\n".join(found)


def _may_run(node: ast.stmt, entry_point: str) -> bool:
    """Return whether a statement prepares something (a table, a limit) and does not try the function out."""
    if isinstance(node, ast.Assert) or (isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call)):
        return False
    return not (_names(node) & {entry_point, *_NOT_RUN})


def _names(node: ast.AST) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}


def _defined(node: ast.stmt) -> Iterator[str]:
    is_definition = isinstance(node, (*_FUNCTIONS, ast.ClassDef))
    for found in [node] if is_definition else ast.walk(node):  # ``try`` and ``if`` define what is within them
        if isinstance(found, (*_FUNCTIONS, ast.ClassDef)):
            yield found.name
        elif isinstance(found, (ast.Import, ast.ImportFrom)):
            for alias in found.names:
                yield (alias.asname or alias.name).partition(".")[0]
        elif isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store):
            yield found.id


def _repaired(chunk: str, entry_point: str) -> tuple[list[str], list[ast.stmt]] | None:
    """Return a top-level statement, a definition without last lines that do not parse; ``None`` if it is none."""
    tree = _parsed(chunk)
    lines = chunk.split("\n")
    if tree is None and chunk.startswith(_STARTS):
        for _ in range(min(_MOST_REPAIRS, len(lines) - 1)):
            lines.pop()
            tree = _parsed("\n".join(lines))
            if tree is not None:
                break
    if tree is None or not tree.body or _is_prose(tree.body):
        return None
    return lines, tree.body


def _is_prose(body: Sequence[ast.stmt]) -> bool:
    return all(isinstance(node, ast.Expr) and not isinstance(node.value, ast.Call) for node in body)


def _chunks(code: str) -> Iterator[str]:
    """Yield the top-level statements of a text that does not parse as a whole, by where their lines begin.

    A line that begins at the margin begins a statement, unless a string or a bracket is open, or it can only go on what
    was there. A definition or an import at the margin closes brackets that were left open: text has those too.
    """
    chunk: list[str] = []
    depth, quote = 0, ""
    for line in code.split("\n"):
        is_margin = bool(line) and not line[0].isspace() and not quote
        if is_margin and (line.startswith(_STARTS) or depth <= 0) and not line.startswith(_CONTINUES):
            if chunk and not chunk[-1].startswith("@"):
                yield "\n".join(chunk)
                chunk = []
            depth = 0
        chunk.append(line)
        depth, quote = _scan(line, max(depth, 0), quote)
    if chunk:
        yield "\n".join(chunk)


def _scan(line: str, depth: int, quote: str) -> tuple[int, str]:
    """Return how many brackets, and which triple quote, are open after a line."""
    at = 0
    while at < len(line):
        if quote:
            end = line.find(quote, at)
            escaped = end > 0 and line[end - 1] == "\\"
            if end < 0:
                return depth, quote if len(quote) == 3 else ""
            at, quote = end + (1 if escaped else len(quote)), quote if escaped else ""
            continue
        letter = line[at]
        if letter == "#":
            break
        if letter in "\"'":
            quote = letter * 3 if line.startswith(letter * 3, at) else letter
            at += len(quote)
            continue
        depth += _OPENS.get(letter, 0)
        at += 1
    return depth, quote if len(quote) == 3 else ""
