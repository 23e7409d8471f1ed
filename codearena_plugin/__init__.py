"""CodeArena (Yang et al. 2024, arXiv:2412.05210) as a plugin for the evaluation stacks people already run."""

from __future__ import annotations

import importlib.metadata

from codearena_plugin.hookspecs import Offer, hookimpl

__version__ = importlib.metadata.version("codearena-plugin")
__all__ = ["Offer", "__version__", "hookimpl"]
