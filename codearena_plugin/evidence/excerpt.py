"""Short, bounded excerpts of what strangers' programs said, without what differs from run to run."""

from __future__ import annotations

import re

LONGEST = 400
"""Characters of an excerpt, for either side."""
_MOST_LINES = 8
_COMPLAINTS = 160
_READ = 20_000
_LONGEST_LINE = 160
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|.)", re.DOTALL)
_INVISIBLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,16}\b")
_SCRATCH = re.compile(r"(?:/(?:tmp|scratch|work|box|run|home|var)(?:/[\w.@+-]{1,80})*/)(?=[\w.-])")
_ERROR = re.compile(r"(?i)\berror\b|exception|traceback|panicked|fatal|undefined|unexpected|expected|cannot|failed")


def output_excerpt(stdout: str, stderr: str = "") -> str:
    r"""Return the beginning of what a program printed, and of what it complained of.

    >>> output_excerpt("\x1b[31m1\x1b[0m\n\n2\n<obj at 0x7f3a9c2b10d0>")
    '1\n2\n<obj at 0x…>'
    >>> output_excerpt("1", "warning: x")
    '1\nstderr: warning: x'
    """
    complaints = _bounded(_lines(error_excerpt(stderr)), _COMPLAINTS).split("\n") if stderr.strip() else []
    marked = [f"stderr: {line}" for line in complaints if line]
    lines = _lines(stdout[:_READ])[: _MOST_LINES - len(marked)]
    return "\n".join(filter(None, [_bounded(lines, LONGEST - sum(map(len, marked)) - len(marked)), *marked]))


def error_excerpt(text: str) -> str:
    """Return the lines of an error that say most: the end of a Python traceback, else the first lines that name one."""
    lines = _lines(text[-_READ:] if "Traceback" in text[-_READ:] else text[:_READ])
    if any(line.startswith("Traceback") for line in lines):
        where = [line.strip() for line in lines if line.lstrip().startswith("File ")]
        said = [line for line in lines[-6:] if not line.startswith((" ", "Traceback"))]
        return _bounded([*where[-1:], *said[-3:]])
    telling = next((i for i, line in enumerate(lines) if _ERROR.search(line)), 0)
    return _bounded(lines[telling : telling + 4])


def one_line(text: str) -> str:
    r"""Return a text of ours with a stranger's name in it as one plain line.

    >>> one_line("no module `a\x1b[2Jb`\n")
    'no module `ab`'
    """
    return _cut(" ".join(" ".join(_lines(text)).split()), _LONGEST_LINE)


def _lines(text: str) -> list[str]:
    plain = _ANSI.sub("", text.replace("\r\n", "\n"))
    plain = _INVISIBLE.sub("\ufffd", plain.replace("\r", "\n"))
    plain = _SCRATCH.sub("", _ADDRESS.sub("0x…", plain))
    return [_cut(line.rstrip(), _LONGEST_LINE) for line in plain.split("\n") if line.strip()]


def _bounded(lines: list[str], room: int = LONGEST) -> str:
    kept: list[str] = []
    for line in lines[:_MOST_LINES]:
        if room < 8:
            break
        kept.append(_cut(line, room))
        room -= len(kept[-1]) + 1
    return "\n".join(kept)


def _cut(line: str, limit: int) -> str:
    return line if len(line) <= limit else line[: limit - 1] + "…"
