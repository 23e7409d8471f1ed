"""The ``static`` judge: compares two answers by what can be read off them, without a model and without running code."""

from __future__ import annotations

NOTICE = "static judge: reads surface traits of answers; a smoke test, not a preference model"
