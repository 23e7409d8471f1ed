"""What each language is checked, compiled and run with, and what came of it: evidence, never a score.

A program that cannot be run here, for want of a tool chain, a module, a network or a display, did not fail.
"""

from __future__ import annotations

from codearena_plugin.execution.toolchains.pages import try_page
from codearena_plugin.execution.toolchains.reading import Status
from codearena_plugin.execution.toolchains.record import Toolchain, missing, toolchain, toolchains
from codearena_plugin.execution.toolchains.trial import Level, Trial, check_code, try_program
from codearena_plugin.execution.toolchains.versions import tool_version
from codearena_plugin.execution.toolchains.wrapping import as_page

__all__ = [
    "Level",
    "Status",
    "Toolchain",
    "Trial",
    "as_page",
    "check_code",
    "missing",
    "tool_version",
    "toolchain",
    "toolchains",
    "try_page",
    "try_program",
]
