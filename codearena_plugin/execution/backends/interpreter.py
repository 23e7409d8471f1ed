"""The interpreter that runs Python code in a sandbox, and what of the file system it needs."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from codearena_plugin.errors import ConfigError

_QUESTION = """
import json, sys
print(json.dumps([list(sys.version_info[:2]), sys.prefix, sys.base_prefix, sys.platform]))
import ctypes, resource, select
"""


@dataclass(frozen=True)
class Interpreter:
    """A Python.

    Attributes:
        path: the program.
        flags: with which it is started.
        readable: directories outside ``/usr`` that it needs.
        hidden: directories with packages that are not to be seen.
    """

    path: str
    flags: tuple[str, ...]
    readable: tuple[str, ...]
    hidden: tuple[str, ...]


def interpreter_for(python: str | None) -> Interpreter:
    """Return the interpreter that a user names, with its packages; for ``None`` ours, with the standard library only.

    Raises:
        ConfigError: it cannot be started, or is too old.
    """
    return _named(python) if python else _ours()


@functools.lru_cache(maxsize=1)
def _ours() -> Interpreter:
    path = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
    base = sys.base_prefix
    variables = {"base": base, "platbase": sys.base_exec_prefix}
    packages = {sysconfig.get_path(name, vars=variables) for name in ("purelib", "platlib")}
    packages |= {str(folder) for folder in Path(base).glob("lib*/python3*/site-packages")}
    packages |= {str(folder) for folder in Path(base).glob("lib*/python3*/dist-packages")}
    inside = [os.path.realpath(folder) for folder in packages if folder and Path(folder).is_dir()]
    folders = _outside_usr([path, base, str(Path(path).parents[1])])
    return Interpreter(path, ("-s", "-S", "-B"), folders, tuple(sorted(set(inside))))


@functools.lru_cache(maxsize=8)
def _named(python: str) -> Interpreter:
    path = str(Path(shutil.which(Path(python).expanduser()) or python).absolute())
    try:
        asked = subprocess.run(  # noqa: S603  the interpreter is the user's choice
            [path, "-I", "-c", _QUESTION], capture_output=True, text=True, timeout=30, check=False
        )
        version, prefix, base, _ = json.loads(asked.stdout.splitlines()[0])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it does not answer as a Python does"
        msg = f"codearena_sandbox_python={python!r} cannot be used: {why}; give the path of a Python 3.8 or later."
        raise ConfigError(msg) from exc
    if version < [3, 8]:
        msg = f"codearena_sandbox_python={python!r} is Python {version[0]}.{version[1]}; it must be 3.8 or later."
        raise ConfigError(msg)
    if asked.returncode:
        why = (asked.stderr.strip().splitlines() or [f"exit code {asked.returncode}"])[-1]
        msg = f"codearena_sandbox_python={python!r} cannot be used: {why}."
        raise ConfigError(msg)
    real = os.path.realpath(path)
    return Interpreter(path, ("-s", "-B"), _outside_usr([path, real, prefix, base, str(Path(real).parents[1])]), ())


def _outside_usr(paths: list[str]) -> tuple[str, ...]:
    """Return what of a program and its prefixes must be made visible: programs and libraries, no whole home."""
    found: dict[str, None] = {}
    for path in paths:
        if Path(path).is_file():
            found[path] = None
            continue
        for name in ("bin", "lib", "lib64", "pyvenv.cfg"):
            part = Path(path, name)
            if part.exists() and not part.is_symlink():
                found[str(part)] = None
    outside = [path for path in found if not path.startswith("/usr/")]
    return tuple(
        path for path in outside if not any(path.startswith(other + "/") for other in outside if other != path)
    )
