"""Run a Python program in a fork of the waiting interpreter as a fresh interpreter would."""

from __future__ import annotations

import builtins
import contextlib
import os
import sys
import types
from collections.abc import Callable
from typing import Any

_HIDDEN: list[str] = []
"""Modules that a program must not find: the zygote's, and the ``__main__`` that started it."""


class Modules:
    """The trusted modules of the box, loaded; ``python -m NAME`` runs their code again, as ``__main__``."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._codes = {name: compile(source, f"<{name}>", "exec") for name, source in sources.items()}
        for name, code in self._codes.items():
            module = types.ModuleType(name)
            sys.modules[name] = module
            exec(code, module.__dict__)

        _HIDDEN[:] = ["__main__", *(name for name in sys.modules if name.split(".", 1)[0] == "codearena_plugin")]

    def program(self, argv: list[str]) -> tuple[list[str], Callable[[], Any]] | None:
        """Return ``sys.argv`` and what gives the code of ``python FILE …`` or ``python -m NAME …``; else ``None``."""
        rest = argv[1:]
        if rest[:1] == ["-m"] and len(rest) > 1 and rest[1] in self._codes:
            code = self._codes[rest[1]]
            return rest[1:], lambda: code
        if rest and not rest[0].startswith("-"):
            return rest, lambda: _compiled(os.path.abspath(rest[0]))
        return None


def _compiled(path: str) -> Any:  # a code object
    with open(path, "rb") as file:
        return compile(file.read(), path, "exec", dont_inherit=True)


def run(argv: list[str], code: Callable[[], Any], env: dict[str, str]) -> None:
    """Run a program as ``__main__`` and end the process as Python would. Never returns.

    Args:
        env: variables beside those that this process has.
    """
    if env:
        os.environ.update(env)
    sys.argv = argv
    path = os.path.abspath(argv[0])
    sys.path.insert(0, os.path.dirname(path))
    # Out of sight and not freed: taking a module apart writes to many pages, and each is copied then.
    kept = [sys.modules.pop(name) for name in _HIDDEN]
    main = types.ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __file__=path)
    sys.modules["__main__"] = main
    status = _guarded(lambda: exec(code(), main.__dict__))
    os._exit(_finish(status) if kept else status)


def _guarded(action: Callable[[], Any]) -> int:
    try:
        action()
    except SystemExit as exc:
        return _status(exc.code)
    except BaseException:
        kind, value, trace = sys.exc_info()
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:  # our own frames
            trace = trace.tb_next
        with contextlib.suppress(BaseException):
            sys.excepthook(kind, value.with_traceback(trace), trace)  # type: ignore[arg-type, union-attr]
        return 130 if kind is KeyboardInterrupt else 1
    return 0


def _status(code: object) -> int:
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    with contextlib.suppress(BaseException):
        sys.stderr.write(f"{code}\n")
    return 1


def _finish(status: int) -> int:
    """Wait for threads, call exit functions, flush; return the exit status."""
    threading = sys.modules.get("threading")
    if threading is not None:
        status = _guarded(threading._shutdown) or status
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        _guarded(atexit._run_exitfuncs)
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BaseException:
            status = 120
    return status
