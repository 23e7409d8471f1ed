"""Try a piece of code in a sandbox and say what became of it, as a grade that counts only what is the code's own doing.

What the place lacks (a tool chain, a package, the network, input, arguments, a display) is not runnable here. So is a
fragment that does not stand alone, and code that uses names which its block does not define: the developer has the
rest, we have not. A program that is still running at the end of its time may be a server; it neither ran nor failed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from dataclasses import replace

from codearena_plugin.evidence.excerpt import error_excerpt, one_line, output_excerpt
from codearena_plugin.evidence.pages import is_whole
from codearena_plugin.evidence.pieces import Piece
from codearena_plugin.evidence.record import BlockEvidence, Level
from codearena_plugin.execution.sandbox import Sandbox
from codearena_plugin.execution.toolchains import Trial, check_code, toolchain, try_page, try_program
from codearena_plugin.execution.toolchains.trial import RUN

MOST_SCREENSHOT = 48 * 1024
"""Bytes of a picture that is kept; a larger one is left out."""
WAITED = 0.1
"""Below this share of processor time in its time a program waited: a busy machine did not make it late."""
_SLOWER = RUN.wall_s / RUN.cpu_s
_PNG = b"\x89PNG\r\n\x1a\n"
_NO_NAME = re.compile(r"[^\w./:@$+\\-]+")
_LONGEST_NAME = 60
_FAULT = re.compile(r"(?i)\b(?:fatal|uncaught|exception|traceback|panic)")
_WANTS_HEADERS = frozenset(("C", "C++"))  # macros and types of the rest decide whether a definition even parses
_NO_ELEMENT = re.compile(r"\bof null\b")
_IMPORTS = re.compile(r"^[ \t]*(?:import|using)\b[^;()=]{0,200};[ \t]*$", re.MULTILINE)
_PUBLIC = re.compile(r"^public (?=(?:abstract |final |static )*(?:class|interface|enum|record)\b)", re.MULTILINE)
# what an interpreter says, on standard error, of a name that a fragment takes from elsewhere
_UNDEFINED: Mapping[str, re.Pattern[str]] = {
    "Python": re.compile(r"^NameError: name '(\w{1,60})' is not defined[^\n]*\s*\Z", re.MULTILINE),
    **dict.fromkeys(("JavaScript", "TypeScript"), re.compile(r"ReferenceError: ([\w$]{1,60}) is not defined")),
    "PHP": re.compile(
        r"(?:undefined (?:function|method)|Class \"?|Undefined (?:variable|constant)) ?\"?([\w:$\\]{1,60})"
    ),
    "Ruby": re.compile(r"(?:undefined local variable or method|uninitialized constant) [`'‘]?([\w:]{1,60})"),
    "Perl": re.compile(r"Undefined subroutine &?([\w:]{1,60})|Global symbol \"([$@%&]?[\w:]{1,60})\" requires"),
    "Lua": re.compile(r"(?:global|field) '([\w.]{1,60})'"),
    "R": re.compile(r"could not find function [\"“]([\w.<>%+*/|-]{1,60})|object '([\w.]{1,60})' not found"),
    "SQL": re.compile(r"no such (?:table|column|function): ([\w.]{1,60})"),
}


def try_piece(sandbox: Sandbox, piece: Piece) -> BlockEvidence:
    """Return what became of a piece of code; never raises for what it does."""
    nothing = left_alone(piece, piece.why)
    if piece.kind in {"text", "patch"}:
        return nothing
    nothing = replace(nothing, tried=True)
    if piece.kind == "program":
        return _program(sandbox, piece, nothing)
    if piece.kind == "page":
        return _page(sandbox, piece, nothing)
    return _check(sandbox, piece, nothing)


def left_alone(piece: Piece, why: str) -> BlockEvidence:
    """Return what is said of a piece with which nothing was done."""
    n_lines = piece.code.count("\n") + 1
    return BlockEvidence(piece.key, piece.kind, piece.language, piece.n_blocks, n_lines, tried=False, why=why)


def cost(block: BlockEvidence) -> float:
    """Return the seconds that a piece took for itself: of work, or, where it waited, of waiting.

    That it took longer on a busy machine counts little, or what is left alone would depend on that; it counts as much
    as the limits of a run allow.
    """
    return block.wall_s if block.cpu_s < WAITED * block.wall_s else max(block.cpu_s, block.wall_s / _SLOWER)


def may_be_late(block: BlockEvidence) -> bool:
    """Return whether a busy machine may have made a piece late: it was stopped for its time, and worked in it."""
    return block.is_late and block.cpu_s >= WAITED * block.wall_s


def _program(sandbox: Sandbox, piece: Piece, nothing: BlockEvidence) -> BlockEvidence:
    code = piece.code
    if piece.language == "Python" and piece.beside:  # its missing names are defined there
        code = _joined(piece)
    found = _ran(sandbox, piece, nothing, code)
    if found.grade != "ran" and piece.beside and code == piece.code:
        together = _ran(sandbox, piece, nothing, _joined(piece))
        if together.grade == "ran" or (found.failed is not None and together.failed is None):
            return replace(together, n_blocks=1 + len(piece.beside))
        if found.failed is not None:
            return replace(
                found, failed=None, why="it does not work alone, and what is beside it could not be joined", excerpt=""
            )
    return replace(found, n_blocks=1 + len(piece.beside)) if code != piece.code else found


def _ran(sandbox: Sandbox, piece: Piece, nothing: BlockEvidence, code: str) -> BlockEvidence:
    trial = _plain(try_program(sandbox, piece.language, code))
    found = replace(_with_times(nothing, trial), reached=trial.reached, why=trial.why)
    if trial.status == "good":
        return replace(found, excerpt=output_excerpt(trial.stdout, trial.stderr))
    if trial.status == "timeout":
        return replace(found, excerpt=output_excerpt(trial.stdout), is_late=True)
    if trial.status == "not-run":
        checked = _check(sandbox, replace(piece, code=code), nothing)
        if checked.failed is not None:  # it would not have run anywhere
            return checked
        return replace(checked, reached=trial.reached or checked.reached, why=trial.why)
    return _fault(found, trial)


def _fault(found: BlockEvidence, trial: Trial) -> BlockEvidence:
    """Return what a program that ended badly shows of itself, and not of what its block leaves to the reader."""
    failed = _failed_at(trial)
    if failed == "ran":
        undefined = _undefined(found.language, trial.stderr)
        if undefined:
            return replace(found, why=f"it uses what its block does not define: {undefined}")
        if trial.exit_code and not trial.stderr.strip() and not _FAULT.search(trial.stdout):
            why = f"with exit code {trial.exit_code}, which may be meant"
            return replace(found, reached="ran", why=why, excerpt=output_excerpt(trial.stdout))
    return replace(found, failed=failed, excerpt=error_excerpt(trial.stderr or trial.stdout))


def _failed_at(trial: Trial) -> Level:
    """Return the level at which a program failed, from how far it came."""
    if trial.reached is None:
        return "parsed"
    row = toolchain(trial.language)
    return "compiled" if trial.reached == "parsed" and row is not None and row.compile else "ran"


def _check(sandbox: Sandbox, piece: Piece, nothing: BlockEvidence) -> BlockEvidence:
    """Return whether code can be read, without running it."""
    trial = _plain(check_code(sandbox, piece.language, piece.code))
    found = _with_times(nothing, trial)
    if trial.status == "good":  # a compiler takes `f(x);` for a declaration of old: a fragment only parses
        reached = "parsed" if piece.kind == "snippet" else trial.reached or trial.tried
        return replace(found, reached=reached, why=piece.why)
    if trial.status in {"not-run", "timeout"}:
        why = trial.why or "it could not be read in time"
        return replace(found, why=why, is_late=trial.status == "timeout")
    if piece.kind in {"snippet", "shell"} or (piece.kind == "function" and piece.language in _WANTS_HEADERS):
        return replace(found, why=piece.why or "a fragment that does not stand alone")
    excerpt = error_excerpt(trial.stderr or trial.stdout)
    return replace(found, failed="parsed", why=trial.why, excerpt=excerpt)  # whatever compiles here also parses here


def _page(sandbox: Sandbox, piece: Piece, nothing: BlockEvidence) -> BlockEvidence:
    others = {path: code.encode("utf-8", "replace") for path, code in piece.others.items()}
    trial = _plain(try_page(sandbox, piece.code, others=others))
    picture = _picture(trial.screenshot)
    found = replace(_with_times(nothing, trial), reached=trial.reached, why=trial.why, screenshot=picture)
    if trial.status in {"not-run", "timeout"}:
        reached = trial.reached or _check(sandbox, piece, nothing).reached
        return replace(found, reached=reached, is_late=trial.status == "timeout")
    said = "\n".join(trial.console)
    excuse = _excuse(piece, said) if trial.status == "failed" else ""
    if excuse:
        return replace(found, why=excuse)
    return replace(found, failed="rendered" if trial.status == "failed" else None, excerpt=error_excerpt(said))


def _excuse(piece: Piece, said: str) -> str:
    """Return why the error of a page's script need not be the page's own; empty where it is."""
    if undefined := _undefined("JavaScript", said):
        return f"it uses what its blocks do not define: {undefined}"
    if piece.is_guess:
        return "its scripts, which no block joins to it, threw an error together"
    if _NO_ELEMENT.search(said) and not is_whole(piece.code):
        return "its scripts look for elements that are not in its block"
    return ""


def _plain(trial: Trial) -> Trial:
    """Return a trial whose reason is one plain line, and what the code named in it no more than a name."""
    return replace(trial, why=one_line(own_words(trial.why)))


def own_words(why: str) -> str:
    """Return a reason of ours in which what stands between backticks, which a program can print, says nothing.

    A judge reads a reason as our own word, where an excerpt is behind a bar. So no sentence passes for a name.

    >>> own_words("it needs `x`, which is not here) it ran (`, which is not here")
    'it needs `x_which_is_not_here_it_ran_`, which is not here'
    """
    before, tick, rest = why.partition("`")
    if not tick:
        return why
    name, closing, after = rest.rpartition("`")
    if not closing or rest.endswith("…"):  # it was cut: the last backtick need not be ours
        name, after = rest, ""
    return f"{before}`{_NO_NAME.sub('_', name)[:_LONGEST_NAME]}`{after}"


def _picture(png: bytes | None) -> str | None:
    if png is None or len(png) > MOST_SCREENSHOT or not png.startswith(_PNG):
        return None
    return base64.b64encode(png).decode("ascii")


def _with_times(nothing: BlockEvidence, trial: Trial) -> BlockEvidence:
    return replace(nothing, cpu_s=round(trial.cpu_s, 3), wall_s=round(trial.wall_s, 3))


def _undefined(language: str, said: str) -> str:
    pattern = _UNDEFINED.get(language)
    found = pattern.search(said) if pattern else None
    return next(filter(None, found.groups()), "") if found else ""


def _joined(piece: Piece) -> str:
    """Return a program with the definitions beside it, in one text; Java and C# want their imports first."""
    parts = [*piece.beside, piece.code]
    if piece.language not in {"Java", "C#"}:
        return "\n\n".join(parts)
    imports = dict.fromkeys(line.strip() for part in parts for line in _IMPORTS.findall(part))
    bodies = [_IMPORTS.sub("", part) for part in parts]
    bodies = [*(_PUBLIC.sub("", body) for body in bodies[:-1]), bodies[-1]]
    return "\n".join([*imports, *bodies])
