"""What the code of one side did, as lines on a terminal: a grade, words, and an excerpt behind a bar."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from codearena_plugin.evidence.record import BlockEvidence
from codearena_plugin.evidence.summary import name_of, said
from codearena_plugin.report.evidence.parts import grade_in_words
from codearena_plugin.report.untrusted import one_line, visible


def print_blocks(console: Console, blocks: Sequence[BlockEvidence]) -> None:
    """Print a line for each piece of code, and under it what was quoted of its output."""
    if not blocks:
        console.print("no code block")
    for block in blocks:
        shown = one_line(f"{grade_in_words(block)}: {name_of(block)}: {said(block)}", 300)
        console.print(Text(f"{shown} (picture in the report)" if block.screenshot else shown), soft_wrap=True)
        for line in visible(block.excerpt).split("\n") if block.excerpt else ():
            console.print(Text(f"| {line}", style="dim"), soft_wrap=True)
