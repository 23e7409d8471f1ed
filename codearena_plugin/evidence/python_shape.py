"""What a piece of Python is: does it do something, does it only define, which names does it take from elsewhere?"""

from __future__ import annotations

import ast
import builtins
import re
import symtable
import textwrap
import warnings
from dataclasses import dataclass

_GIVEN = frozenset((*dir(builtins), "__name__", "__file__", "__doc__", "__builtins__", "__annotations__", "__spec__"))
_DEFINITIONS = (
    *(ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Pass),
    *(ast.Assign, ast.AnnAssign),
)


@dataclass(frozen=True, slots=True)
class PythonShape:
    """What can be said of Python code without running it.

    Attributes:
        acts: something happens at module level beside definitions, imports and plain assignments.
        is_value: there is nothing but values, such as a list: what a program printed, as a rule.
        bound: names that it defines; missing: names that it uses and nobody defines, sorted.
    """

    acts: bool
    is_value: bool
    bound: frozenset[str]
    missing: tuple[str, ...]


def python_shape(code: str) -> PythonShape | None:
    r"""Return the shape of Python code; ``None`` where Python cannot read it as a module.

    >>> python_shape("def f(x):\n    return g(x)")
    PythonShape(acts=False, is_value=False, bound=frozenset({'f'}), missing=('g',))
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source = textwrap.dedent(code)
            tree = ast.parse(source)
            table = symtable.symtable(source, "block", "exec")
        bound, used = _bound(table), _used_globals(table)  # as deep as the code is nested
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    takes_anything = any(
        isinstance(node, ast.ImportFrom) and any(name.name == "*" for name in node.names) for node in ast.walk(tree)
    )
    missing = () if takes_anything else tuple(sorted(used - bound - _GIVEN))
    acts, is_value = any(map(_acts, tree.body)), bool(tree.body) and all(map(_is_value, tree.body))
    return PythonShape(acts, is_value, frozenset(bound), missing)


def is_skeleton(code: str) -> bool:
    r"""Return whether Python is to be filled in: it can be read once its comment lines are taken for statements.

    >>> is_skeleton("def f():\n    # your turn"), is_skeleton("def f(:\n    # a comment")
    (True, False)
    """
    filled = re.sub(r"^([ \t]*)#", r"\1pass  #", code, flags=re.MULTILINE)
    return filled != code and python_shape(filled) is not None


def _acts(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Constant)
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return any(isinstance(node, ast.Call) for node in ast.walk(statement))
    return not isinstance(statement, _DEFINITIONS)


def _is_value(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and not any(isinstance(node, ast.Call) for node in ast.walk(statement))


def _bound(table: symtable.SymbolTable) -> set[str]:
    """Return the names that module code, or a ``global`` statement somewhere, assigns."""
    found: set[str] = set()
    for symbol in table.get_symbols():
        at_top = table.get_type() == "module" or symbol.is_declared_global()
        if at_top and (symbol.is_assigned() or symbol.is_imported() or symbol.is_namespace()):
            found.add(symbol.get_name())
    for child in table.get_children():
        found |= _bound(child)
    return found


def _used_globals(table: symtable.SymbolTable) -> set[str]:
    is_top = table.get_type() == "module"
    found = {
        symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced() and (is_top or symbol.is_global())
    }
    for child in table.get_children():
        found |= _used_globals(child)
    return found
