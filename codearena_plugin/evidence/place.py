"""Where code was tried, as one word: what is installed decides what can be tried, and so what counts for nobody.

Rows of two places are never shown beside each other: a compiler that came in between would judge one side only.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

from codearena_plugin.execution.sandbox import SandboxOptions, search_path
from codearena_plugin.execution.toolchains import toolchains
from codearena_plugin.execution.toolchains.pages import BROWSERS
from codearena_plugin.execution.toolchains.record import SERVICES
from codearena_plugin.syntax import parsing

_DIGITS = 16


def place_of(sandbox: str, options: SandboxOptions) -> str:
    """Return a hash of all that decides what can be tried: sandbox, interpreter and its packages, tools, parsers.

    Args:
        sandbox: name of the executor; a service has tools of its own, of which only its address is known.
    """
    made_of: list[object] = [sandbox, parsing.parsers(), options.url]
    if sandbox not in SERVICES:
        python = Path(options.python or sys.executable).absolute()
        names = dict.fromkeys([*(tool for row in toolchains() for tool in row.tools), *BROWSERS])
        tools = [shutil.which(name, path=search_path(options)) for name in names if name != "python"]
        made_of += [_packages(python), [_file(Path(tool)) for tool in (str(python), *filter(None, tools))]]
    return hashlib.sha256(json.dumps(made_of).encode("ascii")).hexdigest()[:_DIGITS]


def _packages(python: Path) -> list[str]:
    return sorted(path.name for path in python.parent.parent.glob("lib/python3*/*-packages/*-info"))


def _file(path: Path) -> list[object]:
    try:
        about = path.stat()
    except OSError:
        return [str(path)]
    return [str(path.resolve()), about.st_size, int(about.st_mtime)]
