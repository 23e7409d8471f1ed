"""Try one block of code: run it as a program, or only check it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from codearena_plugin.execution.sandbox import MIB, Ending, Job, Limits, Sandbox, Step
from codearena_plugin.execution.toolchains.naming import file_name, main_class
from codearena_plugin.execution.toolchains.reading import Status, is_too_new, verdict
from codearena_plugin.execution.toolchains.record import SERVICES, Toolchain, toolchain
from codearena_plugin.languages import canonical_language
from codearena_plugin.syntax import parsing
from codearena_plugin.syntax.grammars import grammar

Level: TypeAlias = Literal["parsed", "compiled", "ran", "rendered"]
COMPILE = Limits(cpu_s=15.0, wall_s=60.0, memory_bytes=1024 * MIB, processes=64)
MAX_CHARS = 200_000
RUN = Limits(cpu_s=5.0, wall_s=20.0, memory_bytes=512 * MIB, processes=64)


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of one try.

    Attributes:
        language: canonical name, or the spelling that the table does not know.
        tried: how far it was to go.
        status: "good"; "failed", by its own fault; "timeout", stopped by a limit of time or output; or "not-run": what
            it needs is not here, and nothing is known of the rest.
        reached: how far it got, whatever the status; ``None``: not even parsed, or that is not known.
        why: one line, empty for what is good without a remark.
        stdout, stderr: of the last step, at most ``Limits.output_bytes`` each.
        exit_code: of the last step; ``None`` where it did not end by itself.
        cpu_s, wall_s: of all steps, in seconds.
        screenshot: of a page, as PNG.
        console: of a page, its errors and what it could not load.
    """

    language: str
    tried: Level
    status: Status
    reached: Level | None
    why: str = ""
    stdout: str = ""
    stderr: str = ""
    exit_code: int | None = None
    cpu_s: float = 0.0
    wall_s: float = 0.0
    screenshot: bytes | None = None
    console: tuple[str, ...] = ()


def try_program(
    sandbox: Sandbox,
    language: str,
    code: str,
    *,
    stdin: bytes = b"",
    others: Mapping[str, bytes] | None = None,
    limits: Limits = RUN,
) -> Trial:
    """Compile and run a program.

    Args:
        language: in any spelling.
        others: more files beside it, by relative path.
        limits: of the run; widened to what the language's tools need to start at all.
    """
    row = toolchain(language)
    if row is None:
        return Trial(named(language), "ran", "not-run", None, f"no tool chain for {named(language)} is known")
    if len(code) > MAX_CHARS:
        return Trial(row.language, "ran", "not-run", None, f"longer than {MAX_CHARS:,} characters")
    code = _prefixed(row, code)
    levels: list[Level] = ["ran"]
    steps = [Step(_filled(row.run, row, code), stdin, row.widened(limits), row.env)]
    before = row.compile or (() if sandbox.name in SERVICES else row.check)
    if before:
        levels.insert(0, row.compiles if row.compile else row.checks)
        steps.insert(0, Step(_filled(before, row, code), limits=row.widened(COMPILE), env=row.env))
    main = file_name(row, code)
    finished = sandbox.run(Job(tuple(steps), {**(others or {}), main: encoded(code)}, language=row.language, main=main))
    at = -1 if finished.last.is_success else len(finished.endings) - 1
    status, why = verdict(
        row, finished.last, steps[at].limits, code=code, is_run=levels[at] == "ran", has_input=bool(stdin)
    )
    before_it = levels[at - 1] if len(finished.endings) > 1 else None
    reached: Level | None = "ran" if status == "good" else before_it
    if reached is None and not (row.is_final and levels[at] == "parsed") and parsing.parses(row.language, code):
        reached = "parsed"
    was_read = levels[at] != "ran" or not before  # by the tool chain, for the first time, in the step that failed
    if status == "failed" and reached == "parsed" and was_read and (new := is_too_new(row, finished.last)):
        status, why = "not-run", new
    return _trial(row, "ran", (status, reached, why), finished.endings)


def check_code(sandbox: Sandbox, language: str, code: str) -> Trial:
    """Parse or compile a piece of code and run nothing of it.

    A piece that a compiler refuses as a whole file may still be a good piece: it failed only if our own parser, or
    tree-sitter's grammar, does not read it either. Where neither can say, it was not run.
    """
    row = toolchain(language)
    if row is None or not row.check or len(code) > MAX_CHARS:
        return _parsed(language, code)
    code = _prefixed(row, code)
    step = Step(_filled(row.check, row, code), limits=row.widened(COMPILE), env=row.env)
    # No language: a service would run the code.
    finished = sandbox.run(Job((step,), {file_name(row, code): encoded(code)}))
    status, why = verdict(row, finished.last, step.limits, code=code, is_run=False, has_input=False)
    reached: Level | None = row.checks if status == "good" else None
    if status != "good" and finished.last.how != "exited":
        other = _parsed(language, code)
        return (
            other
            if other.reached or other.status == "failed"
            else _trial(row, row.checks, (status, None, why), finished.endings)
        )
    if status != "good" and not row.is_final:
        reads = parsing.parses(row.language, code)
        if reads:
            status, reached = "good", "parsed"
        elif reads is None and status == "failed":
            status, why = "not-run", f"nothing here can tell whether it is a piece of {row.language}"
    return _trial(row, row.checks, (status, reached, why), finished.endings)


def _parsed(language: str, code: str) -> Trial:
    name = named(language)
    reads = parsing.parses(name, code)
    if reads is None:
        more = grammar(name) is not None and not parsing.has_extra()
        why = f"nothing here can tell whether this {name} parses" + (
            " (pip install 'codearena-plugin[syntax]')" if more else ""
        )
        return Trial(name, "parsed", "not-run", None, why)
    return Trial(
        name, "parsed", "good" if reads else "failed", "parsed" if reads else None, "" if reads else "does not parse"
    )


def _trial(
    row: Toolchain, tried: Level, outcome: tuple[Status, Level | None, str], endings: tuple[Ending, ...]
) -> Trial:
    last = endings[-1]
    status, reached, why = outcome
    return Trial(
        language=row.language,
        tried=tried,
        status=status,
        reached=reached,
        why=why,
        stdout=last.stdout.decode("utf-8", "replace"),
        stderr=last.stderr.decode("utf-8", "replace"),
        exit_code=last.exit_code,
        cpu_s=sum(ending.cpu_s for ending in endings),
        wall_s=sum(ending.wall_s for ending in endings),
    )


def _filled(argv: tuple[str, ...], row: Toolchain, code: str) -> tuple[str, ...]:
    values = {"{file}": file_name(row, code), "{class}": main_class(code) if row.language == "Java" else ""}
    return tuple(re.sub(r"\{(?:file|class)\}", lambda place: values[place[0]], word) for word in argv)


def _prefixed(row: Toolchain, code: str) -> str:
    return "".join(text for pattern, text in row.prefix if not pattern.search(code)) + code


def named(language: str) -> str:
    """Return the canonical name of a language, or the spelling where there is none."""
    return canonical_language(language) or language


def encoded(code: str) -> bytes:
    """Return code as the bytes of a file; a lone surrogate becomes a question mark."""
    return code.encode("utf-8", "replace")
