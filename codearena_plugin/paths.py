"""Where things lie: shipped definitions, and the user's own directory.

In a wheel `tasks/` and `judges/` lie inside the package (`_data/`), in a checkout beside it.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def data_dir(kind: Literal["tasks", "judges"]) -> Path:
    """Return the directory of the shipped definitions, in a wheel or in a checkout."""
    packaged = _PACKAGE / "_data" / kind
    return packaged if packaged.is_dir() else _PACKAGE.parent / kind


def home_dir() -> Path:
    """Return the user's own directory (replies paid for, runs): ``CODEARENA_HOME``, else the XDG data place.

    It is not created here; whoever writes first does that.
    """
    chosen = os.environ.get("CODEARENA_HOME")
    if chosen:
        return Path(chosen).expanduser()
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "codearena"


def default_store() -> Path:
    """Return the reply store that all harnesses on this machine share unless told otherwise."""
    return home_dir() / "replies.sqlite3"
