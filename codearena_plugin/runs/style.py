"""How the answers of a run and the baseline's are written: ``style.json`` in the run directory.

It holds counts and no text, so that a leaderboard can control for style without loading the suite and without any
answer. It is tied to the answers and to the suite by their hashes: counts of other texts are refused, never used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError, UsageError
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Answer
from codearena_plugin.runs.files import StoredRun, answers_sha256
from codearena_plugin.runs.imported import has_answers
from codearena_plugin.style import Style, contrasts, measure

STYLE = "style.json"
SCHEMA = "codearena-style/1"  # raise it when ``style.measure`` counts differently


def save_style(directory: Path, suite: Suite, answers: Sequence[Answer]) -> None:
    """Measure the answers and the baseline's as the judge sees them, and keep the counts beside the answers.

    Raises:
        DataError: they cannot be written.
    """
    stored = {
        "schema": SCHEMA,
        "answers_sha256": answers_sha256(answers),
        "suite_fingerprint": suite.fingerprint,
        "baseline": suite.baseline,
        "counts": Style._fields,
        "prompts": {prompt_id: {"answer": a, "baseline": b} for prompt_id, (a, b) in _measured(suite, answers).items()},
    }
    path = directory / STYLE
    try:
        write_atomically(path, json.dumps(stored) + "\n", encoding="ascii")
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose another directory."
        raise DataError(msg) from exc


def style_of(run: StoredRun, *, data: str | None = None) -> dict[str, tuple[float, ...]]:
    """Return prompt id -> how the answer's style differs from the baseline's, one number per ``style.FEATURES``.

    The counts come from the run's ``style.json``; a run from before there was one is measured, which takes its suite.

    Args:
        run: as it was loaded.
        data: where the suite's file lies now, should it be needed; ``None``: where the run found it.

    Raises:
        DataError: the file is damaged or of other texts; or there is none, and the suite or the answers are not here.
    """
    path = run.path / STYLE
    counted = (
        _read(path, run.result["manifest"], [answer.prompt_id for answer in run.answers])
        if path.exists()
        else _measured_now(run, data)
    )
    return {prompt_id: contrasts(answer, baseline) for prompt_id, (answer, baseline) in counted.items()}


def _measured(suite: Suite, answers: Sequence[Answer]) -> dict[str, tuple[Style, Style]]:
    """Return prompt id -> the style of the answer and of the baseline's, whose text the judge is shown as it is."""
    return {
        answer.prompt_id: (
            measure(strip_reasoning(answer.text)[0]),
            measure(suite.by_id[answer.prompt_id].baselines[suite.baseline]),
        )
        for answer in answers
    }


def _measured_now(run: StoredRun, data: str | None) -> dict[str, tuple[Style, Style]]:
    from codearena_plugin.runs.rescore import suite_of  # which imports runs.judge, which imports this

    where = f"Run {str(run.path)!r} has no {STYLE}, and its style cannot be measured"
    if not has_answers(run.result["manifest"]):
        msg = f"{where}: its games were imported without the answers. Leave the run out, or do not control for style."
        raise DataError(msg)
    try:
        suite = suite_of(run, data)
    except UsageError as exc:
        msg = f"{where}: {exc}"
        raise DataError(msg) from exc
    made_with = run.result["manifest"]["suite"]
    if suite.fingerprint != made_with["fingerprint"]:
        msg = (
            f"{where}: it was made with suite {made_with['name']!r} of fingerprint {made_with['fingerprint'][:12]}, "
            f"and the one found has {suite.fingerprint[:12]}. Give the data that it was made with."
        )
        raise DataError(msg)
    return _measured(suite, run.answers)


def _read(path: Path, manifest: Mapping[str, Any], prompt_ids: Sequence[str]) -> dict[str, tuple[Style, Style]]:
    try:
        stored = json.loads(path.read_text(encoding="ascii"))
        found = {what: stored[what] for what in ("schema", "answers_sha256", "suite_fingerprint", "counts")}
        pairs = {
            prompt_id: (_counts(sides["answer"]), _counts(sides["baseline"]))
            for prompt_id, sides in stored["prompts"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        msg = f"{str(path)!r} cannot be read as the style of a run ({type(exc).__name__}: {exc}). {_DELETE_IT}"
        raise DataError(msg) from exc
    expected = {
        "schema": SCHEMA,
        "answers_sha256": manifest["answers"]["sha256"],
        "suite_fingerprint": manifest["suite"]["fingerprint"],
        "counts": list(Style._fields),
    }
    differs = [
        f"{what} {_short(found[what])}, expected {_short(expected[what])}"
        for what in expected
        if found[what] != expected[what]
    ]
    if not differs and (len(pairs) != len(prompt_ids) or pairs.keys() != set(prompt_ids)):
        differs = [f"{len(pairs)} prompts, expected the {len(prompt_ids)} of the run"]
    if differs:
        msg = f"{str(path)!r} is not of this run: {'; '.join(differs)}. {_DELETE_IT}"
        raise DataError(msg)
    return pairs


_DELETE_IT = "Delete it, and it is measured again from the answers and the suite."


def _short(value: object) -> str:
    return repr(value)[:20]


def _counts(numbers: Any) -> Style:
    if not isinstance(numbers, list) or not all(type(number) is int and number >= 0 for number in numbers):
        msg = f"counts {str(numbers)[:60]}, expected whole numbers"
        raise ValueError(msg)
    counted = Style(*numbers)
    if counted.comment_lines > counted.code_lines:
        msg = f"{counted.comment_lines} comment lines among {counted.code_lines} lines of code"
        raise ValueError(msg)
    return counted
