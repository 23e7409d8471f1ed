"""What one check of ``codearena doctor`` says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "PROBLEM"]
PROBLEM: State = "PROBLEM"


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found; only a PROBLEM needs the user's hand."""

    name: str
    state: State
    found: str
