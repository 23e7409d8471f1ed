"""What the tools call themselves: a reader of "it compiles" wants to know with what."""

from __future__ import annotations

import re

from codearena_plugin.execution.sandbox import Job, Sandbox, Step
from codearena_plugin.execution.toolchains.pages import LIMITS, browser
from codearena_plugin.execution.toolchains.reading import one_line
from codearena_plugin.execution.toolchains.record import SERVICES, absent, toolchain
from codearena_plugin.execution.toolchains.trial import COMPILE, encoded

_BARE = re.compile(r"v?\d")


def tool_version(sandbox: Sandbox, language: str) -> str:
    """Return the line with which the tool of a language says its version, asked in the sandbox, where code finds it.

    Empty where nothing here runs or compiles the language, or where a service does with tools of its own.

    Args:
        language: in any spelling; "HTML" is the browser's.
    """
    tool, job = _question(language)
    if job is None or sandbox.name in SERVICES:
        return ""
    ending = sandbox.run(job).last
    said = (ending.stdout or ending.stderr).decode("utf-8", "replace")
    line = one_line(next((line for line in said.splitlines() if line.strip()), ""))
    if not ending.is_success or not line:
        return ""
    return f"{tool} {line}" if _BARE.match(line) else line


def _question(language: str) -> tuple[str, Job | None]:
    """Return the tool of a language, and the job that makes it say its version."""
    row, program = toolchain(language), browser()
    if language == "HTML" and program:
        return program, Job((Step((program, "--version"), limits=LIMITS),), profile="browser")
    if row is None or absent(row.tools):
        return "", None
    argv, files = row.version or (row.tools[0], "--version"), {}
    if row.tells:
        argv, files = tuple(word.replace("{file}", row.file) for word in row.run), {row.file: encoded(row.tells)}
    return row.tools[0], Job((Step(argv, limits=row.widened(COMPILE), env=row.env),), files)
