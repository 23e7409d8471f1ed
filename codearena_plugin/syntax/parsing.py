"""Does a piece of code parse? Nothing is ever run, imported or resolved.

The standard library reads Python, JSON, TOML (3.11+), XML and HTML; ``tree-sitter-language-pack`` (extra ``syntax``)
reads the rest. Where neither can, the answer is ``None``: unknown, which must count for nobody.
"""

from __future__ import annotations

import ast
import functools
import importlib.metadata
import json
import re
import sys
import textwrap
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from codearena_plugin.languages import canonical_language
from codearena_plugin.syntax import markup
from codearena_plugin.syntax.grammars import grammar as grammar_of

MAX_CHARS = 200_000
# tree-sitter's error recovery takes quadratic time on some garbage: up to 2 s at 20 kB, measured.
MAX_CHARS_SLOW = 20_000
MAX_NESTING = 100
# These grammars flag valid programs (Bash: 11 of 96 measured), so that an error of theirs proves nothing.
_UNSURE = frozenset(("Bash", "GLSL", "Groovy", "PowerShell", "SQL", "Tcl", "Verilog"))
_PAIRS = {")": "(", "]": "[", "}": "{"}
_BRACKET = re.compile(r"[()\[\]{}]")


@functools.cache
def extra_version() -> str | None:
    """Return which version of the extra ``syntax`` is installed, if it is one that brings its grammars along.

    From 1.0 on the package downloads them when they are first asked for; such a one is left alone.
    """
    try:
        version = importlib.metadata.version("tree-sitter-language-pack")
    except importlib.metadata.PackageNotFoundError:
        return None
    return version if version.startswith("0.") else None


def has_extra() -> bool:
    """Return whether languages can be read that the standard library cannot."""
    return extra_version() is not None


def parsers() -> str:
    """Return what reads code here, in one word: who parses differently may judge differently.

    The standard library's parsers change with Python's minor version, the grammars with the pack's.
    """
    python = f"python-{sys.version_info.major}.{sys.version_info.minor}"
    version = extra_version()
    return python if version is None else f"{python}+tree-sitter-{'.'.join(version.split('.')[:2])}"


def limit(language: str) -> int:
    """Return how many characters of this language are read at most; longer code is unknown."""
    return MAX_CHARS if canonical_language(language) in _FAST else MAX_CHARS_SLOW


def parses(language: str, code: str) -> bool | None:
    """Return whether code parses as a language; ``None`` where that cannot be known.

    Unknown are: a language without a parser here, code beyond ``limit`` or nested deeper than ``MAX_NESTING``, and
    an error from a grammar that also flags valid programs.

    >>> parses("Python", "print(1)"), parses("Python", "print(1"), parses("Pine Script", "plot(close)")
    (True, False, None)
    """
    name = canonical_language(language)
    if name is None or len(code) > limit(name) or _is_deep(code):
        return None
    if "\0" in code:
        return False
    clean = code.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate becomes "?"
    reader = _STANDARD_LIBRARY.get(name)
    try:
        return reader(clean) if reader else _tree_sitter(name, clean)
    except (RecursionError, MemoryError):
        return None


def _is_deep(code: str) -> bool:
    depth = dict.fromkeys("([{", 0)
    for match in _BRACKET.finditer(code):
        bracket = match.group()
        opener = _PAIRS.get(bracket, bracket)
        depth[opener] += 1 if opener == bracket else -1
        if abs(depth[opener]) > MAX_NESTING:
            return True
    return False


def _python(code: str) -> bool:
    lines = code.split("\n")
    if _is_python(["" if line.lstrip().startswith(("%", "!")) else line for line in lines]):  # "%": notebook magic
        return True
    bare = [line.lstrip() for line in lines]
    said = [line[4:] for line in bare if line.startswith((">>>", "..."))]  # an interactive session: prompts carry it
    return any(line.startswith(">>>") for line in bare) and _is_python(said)


def _is_python(lines: Sequence[str]) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an invalid escape such as "\d" warns; it is no error
            ast.parse(textwrap.dedent("\n".join(lines)))
    except (SyntaxError, ValueError):
        return False
    return True


def _json(code: str) -> bool:
    try:
        json.loads(code)
    except ValueError:
        lines = [line for line in code.split("\n") if line.strip()]
        return len(lines) > 1 and all(_is_json_object(line) for line in lines)  # JSON lines
    return True


def _is_json_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), (dict, list))
    except ValueError:
        return False


def _toml(code: str) -> bool | None:
    if sys.version_info >= (3, 11):
        import tomllib

        try:
            tomllib.loads(code)
        except ValueError:
            return False
        return True
    return None


def _tree_sitter(name: str, code: str) -> bool | None:
    grammar = grammar_of(name)
    if grammar is None:
        return None
    if name == "PHP" and "<?" not in code:  # without its tag, all of it is text to the grammar
        code = "<?php\n" + code
    names = (grammar, "tsx") if name == "TypeScript" else (grammar,)
    results = [_has_no_error(one, code) for one in names]
    if None in results:
        return None
    if any(results):
        return True
    return None if name in _UNSURE else False


def _has_no_error(grammar: str, code: str) -> bool | None:
    parser = _parser(grammar)
    if parser is None:
        return None
    return not parser.parse(f"{code}\n".encode()).root_node.has_error


@functools.cache
def _parser(grammar: str) -> Any:
    if not has_extra():
        return None
    try:
        import tree_sitter_language_pack

        return tree_sitter_language_pack.get_parser(grammar)  # type: ignore[arg-type,unused-ignore]
    except (ImportError, LookupError, TypeError, ValueError):  # it lacks this grammar, or fits no tree-sitter here
        return None


_STANDARD_LIBRARY: dict[str, Callable[[str], bool | None]] = {
    "HTML": markup.html,
    "JSON": _json,
    "Python": _python,
    "SVG": markup.xml,
    "TOML": _toml,
    "XML": markup.xml,
    "XSLT": markup.xml,
}
_FAST = frozenset(_STANDARD_LIBRARY) - {"HTML"}
