"""What OpenCompass' runner does not do: one line for a user's mistake, and exit codes that mean something.

Every task is a process of its own whose exit code the runner notes, logs and forgets: ``opencompass`` ends with 0 even
if all of them failed. Inside somebody's own program our errors are ordinary exceptions.
"""

from __future__ import annotations

import functools
import re
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError, IncompleteRunError, UsageError
from codearena_plugin.harness.exits import is_called_from, one_line_where

_TASK_SCRIPTS = ("openicl_infer.py", "openicl_eval.py", "subjective_eval.py")
_OURS = re.compile(r"^codearena: (.*) \(exit code (\d+)\)$", re.MULTILINE)  # our one line, in a task's log
_UNMATCHED = re.compile(r"^\|\s*([^\s|-]\S*)\s*\|$", re.MULTILINE)  # the rows of the table in its message
_CLI_MODULE = "opencompass.cli.main"


def plain_errors() -> AbstractContextManager[None]:
    """In a process of OpenCompass, turn a handled error into its one line and exit code."""
    return one_line_where(_in_opencompass, "codearena: {error} (exit code {code})")


def _in_opencompass() -> bool:
    """Return whether this process is one of its tasks, or its command line runs a task itself (``--debug``)."""
    script = Path(getattr(sys.modules.get("__main__"), "__file__", None) or "")
    if script.name in _TASK_SCRIPTS and script.parent.name == "tasks":
        return True
    return is_called_from(_CLI_MODULE)


class Ended:
    """How the tasks of one call of ``opencompass`` ended, as far as its runners and their logs tell.

    Attributes:
        config: of the call, with its true ``work_dir``; ``None`` before it was read.
        failed: name and exit code of each task that failed.
    """

    def __init__(self) -> None:
        self.config: Any = None
        self.failed: list[tuple[str, int]] = []

    @property
    def code(self) -> int:
        """The worst of the codes: 1 for what is not ours, then 2, then 3; 0 if no task failed."""
        codes = {said[1] if (said := self._last_words(name)) else code for name, code in self.failed}
        ours = (UsageError.exit_code, IncompleteRunError.exit_code)
        if codes - set(ours):
            return 1
        return next((code for code in ours if code in codes), 0)

    @property
    def lines(self) -> list[str]:
        """What each task that failed said when it ended, or at least that it failed."""
        said = ((self._last_words(name), f"{name} failed with code {code}; see its log") for name, code in self.failed)
        return list(dict.fromkeys(words[0] if words else failed for words, failed in said))

    def _last_words(self, task: str) -> tuple[str, int] | None:
        """Return our line in a task's log, and the exit code in it: a launcher of several processes hides the code.

        A task is called ``OpenICLEval[model/dataset,…]``; its log bears the first of these names.
        """
        if self.config is None:
            return None
        first = task.partition("[")[2].rpartition("]")[0].partition(",")[0]
        kind = "infer" if task.startswith("OpenICLInfer") else "eval"
        log = Path(str(self.config["work_dir"]), "logs", kind, f"{first}.out")
        if not log.is_file():
            return None
        found = _OURS.findall(log.read_text(encoding="utf-8", errors="replace"))
        return (found[-1][0], int(found[-1][1])) if found else None


def watch(main: Any, runner: Any) -> Ended:
    """Note how tasks end from now on.

    A name that matches no config is one line then, no traceback (``ConfigError``).

    Args:
        main: the module ``opencompass.cli.main``.
        runner: the class ``BaseRunner``; every runner reports to its ``summarize``.
    """
    ended = Ended()
    read_config, summarize = main.get_config_from_arg, runner.summarize

    @functools.wraps(read_config)
    def get_config_from_arg(args: Any) -> Any:
        try:
            ended.config = read_config(args)
        except ValueError as exc:
            unknown = _UNMATCHED.findall(str(exc)) if "pattern matches 0" in str(exc) else []
            if not unknown:
                raise
            msg = f"OpenCompass finds no config {', '.join(unknown)}: look at --datasets, --models and --summarizer."
            raise ConfigError(msg) from None
        return ended.config

    @functools.wraps(summarize)
    def noted(self: Any, status: Any) -> Any:
        ended.failed += [(str(name), int(code)) for name, code in status if code]
        return summarize(self, status)

    main.get_config_from_arg, runner.summarize = get_config_from_arg, noted
    return ended
