"""How an answer is written, apart from what it says: the numbers that style control works with."""

from __future__ import annotations

from codearena_plugin.style.counts import FEATURES, Style, contrasts, measure

__all__ = ["FEATURES", "Style", "contrasts", "measure"]
