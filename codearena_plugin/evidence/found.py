"""The evidence of a run: looked for beside the answers, computed where the user agreed, complete or not used at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codearena_plugin.errors import ConfigError
from codearena_plugin.evidence.collect import Collecting, SideText, collect
from codearena_plugin.evidence.files import evidence_path, read_evidence, rows_sha256, write_evidence
from codearena_plugin.evidence.record import RULES, SCHEMA, SIDES, Key, Side, SideRow
from codearena_plugin.evidence.summary import count_grades, side_evidence
from codearena_plugin.execution.sandbox import SandboxOptions
from codearena_plugin.judging.protocol.card import JudgeCard
from codearena_plugin.judging.protocol.evidence import EvidenceOf, PairEvidence
from codearena_plugin.prompts.suite import Suite
from codearena_plugin.records import Answer


@dataclass(frozen=True, slots=True)
class Consent:
    """What the user agreed to: that the code of the answers is run, and where.

    Attributes:
        workers: sandboxes at once; ``None``: one for each core.
        observe: told after every side.
    """

    sandbox: SandboxOptions
    workers: int | None = None
    observe: Callable[[Collecting], None] | None = None


@dataclass(frozen=True)
class Evidence:
    """One row for both sides of every prompt of a run, in the order of the suite."""

    rows: Mapping[tuple[str, Side], SideRow]

    def shown(self) -> EvidenceOf:
        """Return what the judge is shown of each prompt."""
        prompt_ids = dict.fromkeys(prompt_id for prompt_id, _ in self.rows)
        return {
            prompt_id: PairEvidence(*(side_evidence(self.rows[prompt_id, side]) for side in SIDES))
            for prompt_id in prompt_ids
        }

    def describe(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        rows = list(self.rows.values())
        return {
            "schema": SCHEMA,
            "rules": RULES,
            "sha256": rows_sha256(rows),
            "sandbox": ", ".join(sorted({row.sandbox for row in rows})),
            "place": ", ".join(sorted({row.place for row in rows if row.place})),
            "tools": dict(sorted(pair for row in rows for pair in row.tools.items())),
            "notice": "; ".join(sorted({row.notice for row in rows if row.notice})),
            "grades": {side: count_grades(row for row in rows if row.side == side) for side in SIDES},
        }

    def save(self, directory: Path) -> None:
        """Write the rows of this run, and no others, into its directory.

        Raises:
            DataError: they cannot be written.
        """
        write_evidence(evidence_path(directory), self.rows.values())


def side_texts(suite: Suite, answers: Mapping[str, Answer]) -> list[SideText]:
    """Return both sides of every prompt as the judge sees them.

    Args:
        answers: prompt id -> answer, without its reasoning trace.
    """
    return [
        SideText(prompt.id, side, prompt.baselines[suite.baseline] if side == "baseline" else answers[prompt.id].text)
        for prompt in suite.prompts
        for side in SIDES
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Where evidence may be.

    Attributes:
        named: what the user named, a file or a run directory; then only that counts.
        beside: where it lies by itself: at the answers, in the run directory.
        will_run: the user agreed that what is missing is run.
    """

    named: Path | None = None
    beside: tuple[Path, ...] = ()
    will_run: bool = False


def check_wanted(card: JudgeCard, wanted: Wanted) -> None:
    """Refuse what can be known to be wrong before there is an answer.

    Raises:
        ConfigError: the card is shown no evidence, and the user named some or wants code to be run; or what is named is
            not there.
    """
    given = [*["codearena_evidence"] * (wanted.named is not None), *["codearena_execute"] * wanted.will_run]
    if card.prompt.evidence == "none" and given:
        msg = f"Judge {card.name!r} is shown no evidence: leave {given[0]} out, or judge=codearena-evidence."
        raise ConfigError(msg)
    check_named(wanted.named)


def check_named(named: Path | None) -> None:
    """Refuse evidence that the user named and that is not there.

    Raises:
        ConfigError: so it is.
    """
    if named is not None and not named.exists():
        msg = f"codearena_evidence={str(named)!r} is not there, expected an evidence.jsonl or its directory."
        raise ConfigError(msg)


def evidence_for(card: JudgeCard, suite: Suite, answers: Mapping[str, Answer], wanted: Wanted) -> Evidence | None:
    """Return the evidence that a judge is to be shown; ``None`` where there is none, or its card takes none.

    Raises:
        ConfigError: what the user named is not there, or does not hold it for both sides of every prompt and nothing is
            to be run; or the card is shown none.
    """
    check_wanted(card, wanted)
    if card.prompt.evidence == "none":
        return None
    found = find_evidence(suite, answers, [wanted.named] if wanted.named else wanted.beside)
    if found is None and wanted.named is not None and not wanted.will_run:
        msg = (
            f"{str(evidence_path(wanted.named))!r} does not say what both sides' code does for every prompt of these "
            "answers, with the same tools for both. Run: codearena execute ANSWERS, with the same suite and data; or "
            "add codearena_execute=true."
        )
        raise ConfigError(msg)
    return found


def find_evidence(suite: Suite, answers: Mapping[str, Answer], places: Sequence[Path]) -> Evidence | None:
    """Return the evidence that lies in some places, the first that is whole; ``None`` where a side has none.

    A row that was made of another text is not used, nor are rows that were found where other tools were installed: what
    could not be tried on one side could have been on the other.

    Raises:
        DataError: a file there is damaged.
    """
    texts = side_texts(suite, answers)
    for some in (*([place] for place in places), places):
        known = known_rows(some)
        rows = [known[text.key] for text in texts if text.key in known]
        if len(rows) == len(texts) and len({(row.sandbox, row.place) for row in rows}) == 1:
            return _evidence(texts, known)
    return None


def compute_evidence(
    suite: Suite, answers: Mapping[str, Answer], places: Sequence[Path], directory: Path, consent: Consent
) -> Evidence:
    """Return the evidence of every side, running what no row in these places says.

    Args:
        directory: of the run, where rows are kept as they are found; also a place.

    Raises:
        ConfigError: no sandbox works here. DataError: a file is damaged or cannot be written.
    """
    texts = side_texts(suite, answers)
    path = evidence_path(directory)
    rows = collect(
        texts,
        known_rows([directory, *places]),
        path,
        consent.sandbox,
        workers=consent.workers,
        observe=consent.observe,
    )
    return _evidence(texts, rows)


def known_rows(places: Sequence[Path]) -> dict[Key, SideRow]:
    """Return the rows in some places; where two know the same text, the first place counts."""
    known: dict[Key, SideRow] = {}
    for path in dict.fromkeys(evidence_path(place) for place in places):
        known = {**read_evidence(path), **known}
    return known


def _evidence(texts: Sequence[SideText], rows: Mapping[Key, SideRow]) -> Evidence:
    return Evidence({(text.prompt_id, text.side): rows[text.key] for text in texts})
