"""What an import becomes: run directories like every other, whose manifests do not pretend to know more than the files.

``manifest["imported"]`` holds ``format``, ``files`` (path, sha256, rows, skipped), ``rows`` (of this model),
``replies`` (how our own parser reads them, the verdicts of the file being of record), ``disagreements`` (their number),
``stated`` (what the user said) and ``at``. ``runs/imported.py`` says what stands in the rest of a manifest where
something is not known.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import codearena_plugin
from codearena_plugin.atomic import write_atomically
from codearena_plugin.errors import DataError
from codearena_plugin.interchange.reading import Agreement, ImportOptions, SourceFile
from codearena_plugin.prompts.suite import Suite, SuiteOptions, load_suite
from codearena_plugin.reasoning import strip_reasoning
from codearena_plugin.records import Answer, Game
from codearena_plugin.runs.files import (
    RESULT,
    answers_sha256,
    made,
    refuse_foreign_run,
    save_answers,
    save_games,
    save_result,
)
from codearena_plugin.runs.imported import UNKNOWN
from codearena_plugin.runs.judge import now, sealed, suite_to_json
from codearena_plugin.runs.result import STRATA, Result, make_result
from codearena_plugin.runs.strata import save_strata
from codearena_plugin.runs.style import save_style

SUITE_FILE = "prompts.jsonl"
_MIN_COVERAGE = 0.95  # as in every run unless the user says otherwise


@dataclass(frozen=True)
class Import:
    """One model's games as they were found, before they are a run.

    Attributes:
        suite: with its questions, or bare ids.
        games: of every prompt of the suite, in its order, baseline first.
        answers: to every prompt; each of them may be absent.
        judge: as a manifest describes it.
        labels: what tells this import from another of the same model, for the name of its directory.
        suite_rows: the suite as rows of a suite file, to be kept beside the run; none where it has a place of its own.
        original: the result of the very run that is imported, where that is known.
    """

    model: str
    suite: Suite
    has_questions: bool
    games: tuple[Game, ...]
    answers: tuple[Answer, ...]
    judge: Mapping[str, Any]
    format: str
    files: tuple[SourceFile, ...]
    n_rows: int
    agreement: Agreement
    stated: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    suite_rows: tuple[Mapping[str, Any], ...] = ()
    original: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Kept:
    """An import that is a run now: where it lies, and its result in JSON form."""

    path: Path
    result: Mapping[str, Any]


def known_suite(options: ImportOptions, baseline: str) -> Suite | None:
    """Return the suite that the user named, with this baseline; ``None`` where none was named.

    Raises:
        UsageError: it cannot be loaded, or has no answers of the baseline.
    """
    if options.suite is None and options.data is None:
        return None
    return load_suite(options.suite or "codearena", SuiteOptions(data=options.data, baseline=baseline))


def judge_of_import(model: str, *, card: str, notice: str, min_coverage: float | None) -> dict[str, Any]:
    """Return the description of a judge of whom only the name is known; ``None`` is "not known" throughout."""
    unknown = ("base_url", "sampling", "attempts", "concurrency", "max_cost_usd", "max_calls", "timeout_s")
    return {
        "card": card,
        "comparable_as": card,
        "prompt_sha256": UNKNOWN,
        "backend": "imported",
        "model": model,
        "order": "both",
        "mode": "default",
        "min_coverage": _MIN_COVERAGE if min_coverage is None else min_coverage,
        **dict.fromkeys((*unknown, "deadline_s", "tries", "context_tokens", "store", "replay")),
        "again": [],
        "chosen_by": {},
        "notice": notice,
    }


def imported_block(found: Import) -> dict[str, Any]:
    """Return what a manifest says about where a run comes from."""
    return {
        "format": found.format,
        "files": [
            {"file": str(file.path), "sha256": file.sha256, "rows": file.rows, "skipped": file.skipped}
            for file in found.files
        ],
        "rows": found.n_rows,
        "replies": dict(sorted(found.agreement.counts.items())),
        "disagreements": found.agreement.disagreements,
        "stated": dict(found.stated),
        "at": now(),
    }


def answers_block(answers: Sequence[Answer]) -> dict[str, Any]:
    """Return what a manifest says about the answers, with as little as is known where their texts are absent."""
    if any(answer.is_absent for answer in answers):
        unknown = dict.fromkeys(("empty", "reasoning_stripped", "cut_at_token_limit"))
        return {"n": len(answers), "sha256": answers_sha256(answers), "absent": True, **unknown}
    stripped = [strip_reasoning(answer.text) for answer in answers]
    reasons = [answer.finish_reason for answer in answers if answer.finish_reason is not None]
    return {
        "n": len(answers),
        "sha256": answers_sha256(answers),
        "empty": sum(not text.strip() for text, _ in stripped),
        "reasoning_stripped": sum(was for _, was in stripped),
        "cut_at_token_limit": sum(reason == "length" for reason in reasons) if reasons else None,
    }


def keep_imports(imports: Sequence[Import], directory: Path) -> list[Kept]:
    """Write every import as a run in a directory of its own below ``directory``; all of them are checked before.

    Importing the same files again writes the same runs again.

    Raises:
        DataError: a directory holds another run, or cannot be written.
    """
    places = run_places(imports, directory)
    manifests = [_manifest(found) for found in imports]
    for place, manifest in zip(places, manifests, strict=True):
        refuse_foreign_run(place, manifest)
    return [_keep(*item) for item in zip(imports, manifests, places, strict=True)]


def run_places(imports: Sequence[Import], directory: Path) -> list[Path]:
    """Return a directory for each import, named for its model; whatever names hold, all lie directly in ``directory``.

    A name that is no file name everywhere, or that another differs from only in case, gets the beginning of its hash.
    """
    names = ["--".join([found.model, *found.labels]) for found in imports]
    plain = [re.sub(r"[^\w.+-]+", "_", name, flags=re.ASCII).strip("._")[:80] for name in names]
    alike = Counter(name.lower() for name in plain)
    return [
        directory
        / (short if short == name and alike[short.lower()] == 1 else f"{short or 'model'}-{_short_hash(name)}")
        for name, short in zip(names, plain, strict=True)
    ]


def write_text(path: Path, text: str) -> None:
    """Write a file of a run whole or not at all.

    Raises:
        DataError: it cannot be written.
    """
    try:
        write_atomically(path, text)
    except OSError as exc:
        msg = f"{str(path)!r} cannot be written: {exc.strerror or exc}. Free the disk or choose another directory."
        raise DataError(msg) from exc


def _keep(found: Import, manifest: Mapping[str, Any], place: Path) -> Kept:
    made(place)
    save_answers(place, found.answers)
    if found.suite_rows:
        write_text(place / SUITE_FILE, "".join(json.dumps(row) + "\n" for row in found.suite_rows))
        manifest = {**manifest, "suite": {**manifest["suite"], "file": str((place / SUITE_FILE).resolve())}}
    if found.has_questions:
        save_strata(place, found.suite.prompts)
    if found.has_questions and not found.answers[0].is_absent:
        save_style(place, found.suite, found.answers)
    whole = sealed(manifest, found.games, place)
    if found.original is not None:
        result = {**found.original, "manifest": whole}
        save_games(place, found.games)
        write_text(place / RESULT, json.dumps(result, indent=1) + "\n")
        return Kept(place, result)
    made_now = _result(found, whole)
    save_result(place, found.games, made_now)
    return Kept(place, made_now.to_json())


def _result(found: Import, manifest: Mapping[str, Any]) -> Result:
    judge = found.judge
    result = make_result(
        found.suite,
        found.games,
        manifest,
        policy=judge["order"],
        mode=judge["mode"],
        min_coverage=judge["min_coverage"],
    )
    return result if found.has_questions else replace(result, strata={kind: [] for kind in STRATA})


def _manifest(found: Import) -> dict[str, Any]:
    if found.original is not None:
        manifest: dict[str, Any] = {**found.original["manifest"], "imported": imported_block(found)}
        if found.answers[0].is_absent:
            manifest["answers"] = answers_block(found.answers) | {"judged_sha256": manifest["answers"]["sha256"]}
        return manifest
    return {
        "package": {"name": "codearena-plugin", "version": codearena_plugin.__version__},
        "created": now(),
        "model": found.model,
        "suite": suite_to_json(found.suite, has_questions=found.has_questions),
        "answers": answers_block(found.answers),
        "judge": dict(found.judge),
        "harness": {"name": "codearena import"},
        "platform": {},
        "imported": imported_block(found),
    }


def _short_hash(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
