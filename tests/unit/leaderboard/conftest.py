from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from unit_runs import write_run

from codearena_plugin.runs.files import StoredRun


@pytest.fixture
def make_run(tmp_path: Path) -> Callable[..., StoredRun]:
    """Return a function that writes a run and loads it: ``make_run("m", "wwtl")``."""
    return partial(write_run, tmp_path)
