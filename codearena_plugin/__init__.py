"""CodeArena (Yang et al. 2024, arXiv:2412.05210) as a plugin for the evaluation stacks people already run."""

from __future__ import annotations

from codearena_plugin.hookspecs import Offer, hookimpl

__all__ = ["Offer", "hookimpl"]


def __getattr__(name: str) -> str:
    """Return ``__version__`` when asked: reading it costs as much as all the rest of this import."""
    if name == "__version__":
        from importlib.metadata import version

        return version("codearena-plugin")
    msg = f"module {__name__!r} has no attribute {name!r}"
    raise AttributeError(msg)
