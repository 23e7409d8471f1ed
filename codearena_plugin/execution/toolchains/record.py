"""The table of tool chains, ``toolchains.yaml``, and which of them are on this machine."""

from __future__ import annotations

import dataclasses
import functools
import os
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from codearena_plugin.errors import DataError
from codearena_plugin.execution.sandbox import MIB, Limits, SandboxOptions, search_path
from codearena_plugin.languages import canonical_language

TABLE = Path(__file__).with_name("toolchains.yaml")
_VISIBLE = ("/usr", "/bin", "/lib", "/lib64")
SERVICES = frozenset(("sandbox-fusion",))
"""Sandboxes that run a program by its language, with tools of their own."""
Hints: TypeAlias = tuple[tuple["re.Pattern[str]", str], ...]


@dataclass(frozen=True, slots=True)
class Toolchain:
    r"""One way to check and run a language.

    Attributes:
        language: canonical name (``languages.py``).
        tools: programs that must be there.
        package: the Debian packages that bring them.
        file: name of the program's file.
        rename: (pattern, name): the first pattern that is found in the code names the file instead.
        prefix: (pattern, text): the text goes before code in which the pattern is not found.
        check: command that parses or compiles and runs nothing of it; empty where there is none.
        checks: what a check that passes shows, "parsed" or "compiled".
        is_final: the check knows better than tree-sitter's grammar even where that reads the code.
        compile: command; empty for a language that needs none.
        compiles: what a compiler that ends well shows.
        run: command.
        version: command that prints the version; by default the first tool with ``--version``.
        tells: for a tool without such a command, a program that prints it.
        dated: (pattern of its errors of syntax, why): the tool chain is older or smaller than the language; such an
            error is not held against code that our own parser or tree-sitter's grammar can read.
        goes_on: a program goes on after an error of this kind and may end with 0 all the same.
        env: environment variables of every step.
        memory_mib, processes: at least so much, whatever the caller's limits are.
        report: pattern of the beginning of the interpreter's own report of what ended a program; where standard error
            has one, nothing else that the program printed can excuse it. Not for a value that is not there: that may
            come of an error which the program only printed.
        missing: patterns of error messages; the first group is the module, package or header that is not here.
        elsewhere: (pattern, why): messages that tell of the place it ran in and not of the code; ``\1`` in the why.
        asks: pattern of code that reads standard input; what fails without any was then waiting for it.
        eof: pattern of the message of a program that found its input at an end, for languages whose programs say so:
            then one that ended by itself must have said it.
        arguments: pattern of code that reads command-line arguments.
        unargued: pattern of the interpreter's report on a program that found none; another report is another fault.
        refused: pattern of code that asks the kernel for what no sandbox gives, in a language whose programs may end
            for it without a word of the reason.
    """

    language: str
    tools: tuple[str, ...]
    package: str
    file: str
    run: tuple[str, ...]
    rename: Hints = ()
    prefix: Hints = ()
    check: tuple[str, ...] = ()
    checks: Literal["parsed", "compiled"] = "parsed"
    is_final: bool = False
    compile: tuple[str, ...] = ()
    compiles: Literal["parsed", "compiled"] = "compiled"
    version: tuple[str, ...] = ()
    tells: str = ""
    dated: Hints = ()
    goes_on: bool = False
    env: Mapping[str, str] = field(default_factory=dict)
    memory_mib: int = 0
    processes: int = 0
    report: re.Pattern[str] | None = None
    missing: tuple[re.Pattern[str], ...] = ()
    elsewhere: Hints = ()
    eof: re.Pattern[str] | None = None
    asks: re.Pattern[str] | None = None
    arguments: re.Pattern[str] | None = None
    unargued: re.Pattern[str] | None = None
    refused: re.Pattern[str] | None = None

    def widened(self, limits: Limits) -> Limits:
        """Return limits in which these tools can start at all."""
        return dataclasses.replace(
            limits,
            memory_bytes=max(limits.memory_bytes, self.memory_mib * MIB),
            processes=max(limits.processes, self.processes),
        )


def toolchains() -> tuple[Toolchain, ...]:
    """Return every row of the table, in its order.

    >>> len({row.language for row in toolchains()}) >= 18
    True
    """
    return _table()[0]


def everywhere() -> Hints:
    """Return what a failed program of any language may say of the place it ran in, and the reason it stands for."""
    return _table()[1]


def toolchain(language: str) -> Toolchain | None:
    """Return the tool chain of a language, in any spelling: the first that is on this machine, else the first.

    >>> row = toolchain("py")
    >>> row.run if row else None, toolchain("Swift")
    (('python', 'main.py'), None)
    """
    rows = [row for row in toolchains() if row.language == canonical_language(language)]
    return next((row for row in rows if not absent(row.tools)), rows[0] if rows else None)


def missing(language: str, options: SandboxOptions | None = None) -> str:
    """Return why a language cannot be run here, in one line; empty where it can."""
    options = options or SandboxOptions()
    row = toolchain(language)
    if row is None:
        return f"no tool chain for {language} is known"
    if options.name in SERVICES:  # the service has tools of its own
        return ""
    tools = absent(row.tools, options.read_only)
    return no_tool(tools[0], row.package, options.read_only) if tools else ""


def absent(tools: Sequence[str], read_only: Sequence[str] = ()) -> list[str]:
    """Return those programs that code in a sandbox does not find."""
    return [tool for tool in tools if tool != "python" and not _is_seen(tool, read_only)]


def no_tool(tool: str, package: str, read_only: Sequence[str] = ()) -> str:
    """Return the line that says that a program is not there, and what to do about it."""
    advice = f"Debian package{'s' if ' ' in package else ''} {package}"
    outside = shutil.which(tool)
    if outside is None or _is_seen(tool, read_only):
        return f"no `{tool}` here ({advice})"
    return (
        f"no `{tool}` in the sandbox, which does not see {outside} ({advice}, or its place in codearena_sandbox_read)"
    )


def _is_seen(tool: str, read_only: Sequence[str]) -> bool:
    found = shutil.which(tool, path=search_path(SandboxOptions(read_only=tuple(read_only))))
    if found is None:
        return False
    real = os.path.realpath(found)  # a link in /usr/local/bin may lead out of what code there can see
    return any(real.startswith(f"{os.path.realpath(root)}/") for root in (*_VISIBLE, *read_only))


@functools.cache
def _table() -> tuple[tuple[Toolchain, ...], Hints]:
    import yaml

    try:
        raw = yaml.safe_load(TABLE.read_text(encoding="utf-8"))
        return tuple(_row(row) for row in raw["toolchains"]), _hints(raw["elsewhere"])
    except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, re.error) as exc:
        msg = (
            f"{str(TABLE)!r} is no table of tool chains ({' '.join(str(exc).split())}). "
            "It is a file of this package: install codearena-plugin again."
        )
        raise DataError(msg) from exc


def _row(raw: Mapping[str, Any]) -> Toolchain:
    row = dict(raw)
    for name in ("tools", "check", "compile", "run", "version"):
        row[name] = tuple(row.get(name, ()))
    for name in ("rename", "elsewhere"):
        row[name] = _hints(row.get(name, ()))
    for name in ("prefix", "dated"):
        row[name] = _hints([row[name]] if name in row else ())
    row["missing"] = tuple(re.compile(pattern) for pattern in row.get("missing", ()))
    for name in ("report", "eof", "asks", "arguments", "unargued", "refused"):
        if name in row:
            row[name] = re.compile(row[name])
    return Toolchain(**row)


def _hints(pairs: Sequence[Sequence[str]]) -> Hints:
    return tuple((re.compile(pattern), text) for pattern, text in pairs)
