"""Evidence inside an lm-eval run: wanted before generation, found after it, carried to rank 0 at the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.found import Consent, Evidence, Wanted, check_wanted, compute_evidence, evidence_for
from codearena_plugin.evidence.record import SIDES, SideRow, row_from_json, row_to_json
from codearena_plugin.execution.choose import choose
from codearena_plugin.judging.settings import JudgeSettings
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import Answer
from codearena_plugin.report.progress import running_progress
from codearena_plugin.runs.judge import visible
from codearena_plugin.runs.options import RunOptions


def check_ahead(settings: JudgeSettings, options: RunOptions) -> None:
    """Refuse, before the first token is generated, a judge that will lack the evidence it needs.

    Raises:
        ConfigError: nobody agreed to run code and no evidence is named; it is named, or code is to be run, for a judge
            that is shown none; or no sandbox works here.
    """
    check_wanted(settings.card, Wanted(options.evidence, will_run=options.execute))
    if settings.card.prompt.evidence == "none":
        return
    if options.execute:
        choose(options.sandbox)
    elif settings.card.prompt.evidence == "needed" and options.evidence is None:
        msg = (
            f"Judge {settings.card.name!r} is shown what the answers' code does when it is run. Agree to run it in a "
            "sandbox with codearena_execute=true and --confirm_run_unsafe_code, or name codearena_evidence."
        )
        raise ConfigError(msg)


def found_evidence(
    settings: JudgeSettings, suite: Suite, answers: Sequence[Answer], options: RunOptions, directory: Path
) -> Evidence | None:
    """Return the evidence of a run's answers that lies where the user says, or in the run's directory.

    Raises:
        ConfigError, DataError: what the user named does not hold it, or is damaged.
    """
    wanted = Wanted(options.evidence, (directory,), will_run=options.execute)
    return evidence_for(settings.card, suite, visible(answers), wanted)


def run_code(suite: Suite, answers: Sequence[Answer], options: RunOptions, directory: Path) -> Evidence:
    """Return the evidence of a run's answers, running what is missing; rows are kept as they are found.

    Raises:
        ConfigError, DataError: no sandbox, or the directory cannot be written.
    """
    with running_progress() as observe:
        consent = Consent(options.sandbox, options.workers, observe=lambda state: observe(state.done, state.total))
        return compute_evidence(suite, visible(answers), [*filter(None, [options.evidence])], directory, consent)


def as_rows(evidence: Evidence | None, prompt_id: str) -> list[dict[str, Any]]:
    """Return what there is of one prompt, as it travels to rank 0."""
    if evidence is None:
        return []
    rows = (evidence.rows.get((prompt_id, side)) for side in SIDES)
    return [row_to_json(row) for row in rows if row is not None]


def from_rows(suite: Suite, rows: Iterable[Mapping[str, Any]]) -> Evidence | None:
    """Return the evidence that came from all ranks, in the order of the suite; ``None`` where there is none.

    A rank that could run nothing sent none: then there is none of its prompts, and they have no games either.
    """
    read: list[SideRow] = [row for data in rows if (row := row_from_json(data)) is not None]
    found = {(row.prompt_id, row.side): row for row in read}
    if not found:
        return None
    return Evidence({(p.id, side): found[p.id, side] for p in suite.prompts for side in SIDES if (p.id, side) in found})
