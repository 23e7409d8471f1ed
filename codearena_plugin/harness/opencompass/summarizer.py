"""OpenCompass' tables, with a line under them for what a table cannot say: why no score, which judge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from opencompass.summarizers import DefaultSubjectiveSummarizer, DefaultSummarizer

from codearena_plugin.harness.opencompass.suites.parts import unjoined
from codearena_plugin.harness.passing.run import EXECUTION
from codearena_plugin.harness.place import is_aside
from codearena_plugin.runs.files import RESULT
from codearena_plugin.runs.incomplete import incomplete_line


class _SaysWhy:
    """Adds the lines to a summarizer of OpenCompass."""

    work_dir: str

    def summarize(self, *args: Any, **options: Any) -> Any:
        """Print and write the tables, then what they cannot say."""
        done = super().summarize(*args, **options)  # type: ignore[misc]
        for line in lines_of(Path(self.work_dir)):
            print(line)  # noqa: T201  as its tables are
        return done


class CodeArenaSummarizer(_SaysWhy, DefaultSummarizer):  # type: ignore[misc]
    """The table of the objective pipeline."""


class CodeArenaSubjectiveSummarizer(_SaysWhy, DefaultSubjectiveSummarizer):  # type: ignore[misc]
    """The tables of the subjective pipeline, one for each judge."""


def lines_of(work_dir: Path) -> Iterator[str]:
    """Yield what there is to say of our runs below a work directory: why no score, which judge is only a smoke test."""
    for file in sorted(work_dir.glob(f"results/*/*/{RESULT}")):
        place = file.parent
        if is_aside(place):
            continue
        result = json.loads(file.read_text(encoding="utf-8"))
        gave_results = place.with_name(f"{place.name}.json").exists()
        line = result["manifest"]["judge"]["notice"] if gave_results else incomplete_line(result, place)
        if line:
            yield f"{place.parent.name}/{place.name}: {line}"
    for file in sorted(work_dir.glob(f"results/*/*/{EXECUTION}")):
        if not is_aside(file.parent):
            yield from _of_benchmark(file)
    yield from unjoined(work_dir)


def _of_benchmark(file: Path) -> Iterator[str]:
    """Yield what there is to say of a benchmark that was run: what ran the code, on what; why no score."""
    found = json.loads(file.read_text(encoding="utf-8"))
    name = f"{file.parent.parent.name}/{file.parent.name}"
    yield f"{name}: {found['engine']}, {found['label']} {found['version']}, sandbox {found['sandbox']}"
    for line in [*found["notices"], *([f"NO SCORE: {found['withheld']}"] if found["withheld"] else [])]:
        yield f"{name}: {line}"
