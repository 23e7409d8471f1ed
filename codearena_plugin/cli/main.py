"""The command line ``codearena``: its commands, and the one place where an error becomes a line and an exit code.

Exit codes: 0 good, 2 the user's mistake, 3 incomplete (no trustworthy score yet), 130 interrupted, 1 a bug of ours.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import logging
import os
import re
import signal
import sys
from collections.abc import Iterable, Sequence
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from codearena_plugin import __version__, plugins
from codearena_plugin.cli import (
    compare,
    doctor,
    execute,
    gap,
    interchange,
    judge,
    leaderboard,
    lm_eval,
    opencompass,
    passk,
    path,
    report,
    rescore,
    show,
)
from codearena_plugin.cli import plugins as plugins_command
from codearena_plugin.errors import CodeArenaError, UsageError
from codearena_plugin.report.plain import degrade_output
from codearena_plugin.report.untrusted import one_line

_log = logging.getLogger(__name__)
_LONGEST_LINE = 2000
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO}
_TASK_OPTION = re.compile(r"""(?<![\w/\\.'"-])((?:codearena|judge)_[a-z_]+)(=true|=false)?(?![\w/\\'"-]|\.\w)""")
_KEY_ADVICE = " A judge key is no option: set CODEARENA_JUDGE_API_KEY in the environment."


class InterruptedRunError(CodeArenaError):
    """The user pressed Ctrl-C."""

    exit_code = 130


class _Group(TyperGroup):
    """The commands; Ctrl-C in one of them is an error of ours, so that it ends with a line that says what is kept."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as exc:
            raise InterruptedRunError(str(exc) or "interrupted") from None
        except UsageError as exc:
            command = self.commands.get(ctx.invoked_subcommand or "")
            exc.args = (_as_typed(str(exc), command.params if command else ()), *exc.args[1:])
            raise


def _as_typed(message: str, params: Iterable[Any]) -> str:
    """Return a message that names options as tasks take them (``codearena_output``) in the words of the command.

    What stands in quotes or in a path is the user's own, and stays.
    """
    if "--set" in message or "judge option" in message:  # of --set, which takes them as tasks do
        return message
    flags: dict[str, str] = {}
    for param in (param for param in params if param.opts):
        flags[param.name] = param.opts[0]
        if getattr(param, "is_flag", False):  # it takes no value
            flags[f"{param.name}=true"] = param.opts[0]
            flags[f"{param.name}=false"] = next(iter(param.secondary_opts), "")

    def typed(found: re.Match[str]) -> str:
        return flags.get(found[0]) or flags.get(found[1], found[1]) + (found[2] or "")

    return _TASK_OPTION.sub(typed, message)


app = typer.Typer(
    name="codearena",
    cls=_Group,
    add_completion=False,
    pretty_exceptions_enable=False,  # they print local variables, and one of those may be a key
    help="CodeArena: do developers prefer this model's answers? Judge answers, compare runs, look into them.",
)


@app.callback(invoke_without_command=True)
def _start(ctx: typer.Context, version: Annotated[bool, typer.Option("--version", help="Print it.")] = False) -> None:
    if version:
        typer.echo(f"codearena-plugin {__version__}")
    elif ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())
        raise typer.Exit(2)


_JUDGING = (judge, execute, passk, rescore)
_READING = (compare, leaderboard, gap, report, show, interchange)
_AROUND = (path, lm_eval, opencompass, plugins_command, doctor)
for command in (*_JUDGING, *_READING, *_AROUND):
    command.add_to(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code; a bug of ours is raised, with its traceback."""
    degrade_output()
    _add_plugin_commands()
    try:
        code = app(arguments, prog_name="codearena", standalone_mode=False)
        sys.stdout.flush()
    except CodeArenaError as exc:
        return _say(str(exc), exc.exit_code)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as exc:
        if exc.errno not in _FULL:
            raise
        return _say(f"the output cannot be written: {exc.strerror}", 2)
    except Exception as exc:
        usage = getattr(exc, "format_message", None)  # typer's usage errors; what class they are depends on its version
        if usage is None:
            raise
        return _say(_usage_line(exc, usage()), 2)
    return code if isinstance(code, int) else 0


def _say(message: str, code: int) -> int:
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    print(f"codearena: {one_line(message, _LONGEST_LINE)}", file=sys.stderr, flush=True)  # noqa: T201  the one line
    return code


def _usage_line(exc: Exception, message: str) -> str:
    context = getattr(exc, "ctx", None)
    where = f" See {context.command_path} --help." if context is not None else ""
    advice = _KEY_ADVICE if "--" in message and "key" in message else ""
    return f"{message}{advice}{where}"


@functools.cache
def _add_plugin_commands() -> None:
    """Let plugins add commands; one that fails is named and skipped."""
    for hook in plugins.manager().hook.codearena_commands.get_hookimpls():
        try:
            hook.function(*(app for _ in hook.argnames))
        except Exception as exc:  # the boundary to strangers' code
            _log.warning("commands of plugin %r are skipped: %s: %s", hook.plugin_name, type(exc).__name__, exc)
