"""Read what a step's ending says: that the code is good, that it failed, or that it could not be tried here."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from typing import Literal, TypeAlias

from codearena_plugin.execution.sandbox import MIB, Ending, Limits
from codearena_plugin.execution.toolchains.record import Hints, Toolchain, absent, everywhere, no_tool

Status: TypeAlias = Literal["good", "failed", "timeout", "not-run"]
# Error messages stand at an end of the output; the patterns are kept from reading a megabyte.
_READ = 4_000
_REPORT = 20_000
_LINE = 200
_NO_INPUT = "it reads input, and got none"
_SCRATCH = re.compile(r"(?:file://)?(?:/box/work|(?:/[\w.-]{1,60}){1,8}/codearena-[\w-]{1,60})/")
_ERROR_LINE = re.compile(r"(?m)^[^\n]*?\berror\b[^\n]*", re.IGNORECASE)
_PLACE = re.compile(r"(?m)^[^\n]{0,120}?\b\w+\.\w{1,5}:\d+:[^\n]*|^[^\n]*\b(?:[Ee]rror|what\(\)):[^\n]*")
_THROWN = re.compile(r"(?m)^(?:[\w.:]*(?:Error|Exception|panic|Panic)[\w.]*\b[^\n]*|thread '[^\n]* panicked at [^\n]*)")


def verdict(
    row: Toolchain, ending: Ending, limits: Limits, *, code: str, is_run: bool, has_input: bool
) -> tuple[Status, str]:
    """Return what one step showed, and why in one line.

    Args:
        limits: of the step.
        is_run: whether it ran the program, and did not check or compile it.
        has_input: whether the program was given anything to read.
    """
    report = _report(row, ending) if is_run else ""
    said = report or _said(ending)
    if ending.is_success:
        # What it prints on purpose is no complaint of a command.
        complaints = _ends(ending.stderr.decode("utf-8", "replace"))
        why = _reason(row.elsewhere, complaints) if row.goes_on and is_run else ""
        if why:
            return "not-run", why
        reads = is_run and not has_input and row.asks is not None and row.asks.search(code) is not None
        return "good", _NO_INPUT if reads else ""
    if ending.how == "lost":
        tools = absent(row.tools) if "cannot be started" in ending.problem else []
        return "not-run", no_tool(tools[0], row.package) if tools else ending.problem
    why = _elsewhere(row, said, is_run=is_run) or (
        _wanting(row, ending, code, report) if is_run and not has_input else ""
    )
    if not why and is_run and ending.how in {"exited", "signalled"} and row.refused and row.refused.search(code):
        why = "it shares memory or messages between processes in a way that code may not here"
    if why:
        return "not-run", why
    return _fault(ending, limits, said, is_run=is_run)


def _said(ending: Ending) -> str:
    parts = [_ends(output.decode("utf-8", "replace")) for output in (ending.stderr, ending.stdout)]
    return "\n".join(part for part in parts if part)


def _report(row: Toolchain, ending: Ending) -> str:
    """Return the interpreter's own report of what ended a program; empty where it left none, or none is known."""
    stderr = ending.stderr.decode("utf-8", "replace")[-_REPORT:]
    found = row.report.search(stderr) if row.report is not None else None
    return _ends(stderr[found.start() :]) if found else ""


def _ends(text: str) -> str:
    return text if len(text) <= 2 * _READ else f"{text[:_READ]}\n{text[-_READ:]}"


def _elsewhere(row: Toolchain, said: str, *, is_run: bool) -> str:
    for pattern in row.missing:
        if found := pattern.search(said):
            return f"it needs `{one_line(found[1])}`, which is not here"
    # A compiler repeats lines of the code, which may say anything of networks and displays.
    return _reason((*row.elsewhere, *(everywhere() if is_run else ())), said)


def _wanting(row: Toolchain, ending: Ending, code: str, report: str) -> str:
    """Return what a program that was given nothing had waited for, as far as its message or its code says."""
    waits = bool(row.asks and row.asks.search(code))
    if row.eof is not None and ending.how == "exited":
        waits = waits and bool(row.eof.search(_ends(ending.stderr.decode("utf-8", "replace"))))
    if waits:
        return _NO_INPUT
    takes = row.arguments is not None and row.arguments.search(code) is not None
    if takes and not (report and row.unargued is not None and not row.unargued.search(report)):
        return "it expects command-line arguments"
    return ""


def _fault(ending: Ending, limits: Limits, said: str, *, is_run: bool) -> tuple[Status, str]:
    # The limits are named, and not what was measured: that differs from run to run, and a judge is asked about a text.
    if ending.how == "timeout" or (ending.how == "signalled" and ending.cpu_s >= limits.cpu_s):
        if ending.cpu_s >= 0.8 * limits.cpu_s:
            return "timeout", f"stopped after {limits.cpu_s:g} s of computing"
        return "timeout", f"still waiting after {limits.wall_s:g} s"
    if ending.how == "output":
        return "timeout", f"stopped after {limits.output_bytes // MIB} MiB of output"
    if ending.how == "memory":
        return "failed", f"used more than {limits.memory_bytes // MIB} MiB of memory"
    message = _message(said, is_run=is_run)
    if ending.how == "signalled":
        return "failed", f"died of {_signal(ending.signal)}" + (f": {message}" if message else "")
    return "failed", message or f"ended with {ending.exit_code}"


def _message(said: str, *, is_run: bool) -> str:
    """Return the line that tells most: what was thrown, what a compiler calls an error, else the last."""
    for pattern in (_THROWN, _PLACE) if is_run else (_ERROR_LINE, _THROWN):
        if found := pattern.search(said):
            return one_line(found[0])
    return one_line(next((line for line in reversed(said.splitlines()) if line.strip()), ""))


def one_line(text: str) -> str:
    r"""Return text on one line, of at most 200 characters, without the name of the scratch directory.

    >>> one_line("Cannot find module '/tmp/codearena-job-1/util'\nRequire stack")
    "Cannot find module 'util' Require stack"
    """
    line = _SCRATCH.sub("", " ".join(text.split()))
    return line if len(line) <= _LINE else f"{line[: _LINE - 1]}…"


def _reason(hints: Iterable[tuple[re.Pattern[str], str]], said: str) -> str:
    for pattern, why in hints:
        if found := pattern.search(said):
            return one_line(found.expand(why))
    return ""


def _signal(number: int | None) -> str:
    try:
        return signal.Signals(number or 0).name
    except ValueError:
        return f"signal {number}"


def is_too_new(row: Toolchain, ending: Ending) -> str:
    """Return why an error of syntax may be the tool chain's own, which is older than the language; "" if not."""
    hints: Hints = row.dated
    return _reason(hints, _said(ending)) if ending.how == "exited" else ""
