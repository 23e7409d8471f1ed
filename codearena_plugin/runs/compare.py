"""Two or more runs side by side: are they comparable at all, and what are the paired differences of their scores."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codearena_plugin.errors import ConfigError, DataError
from codearena_plugin.records import Outcome, Prompt
from codearena_plugin.runs.files import StoredRun, protocol_of
from codearena_plugin.runs.result import outcomes_of
from codearena_plugin.scoring.flips import Flips, flips
from codearena_plugin.scoring.paired import PairedDifference, difference_of_scores, holm, mean_scores

_SAME_FOR_FLIPS = ("suite", "order", "mode")


@dataclass(frozen=True, slots=True)
class Pair:
    """One paired difference: how much higher the score of ``a`` is than that of ``b``.

    Attributes:
        p_holm: the p-value corrected for the number of pairs that are looked at together.
    """

    a: str
    b: str
    found: PairedDifference
    p_holm: float


def compare_runs(runs: Sequence[StoredRun]) -> tuple[dict[str, StoredRun], list[Pair]]:
    """Return the runs by distinct names, and the paired difference of each two of them.

    Raises:
        ConfigError: fewer than two runs, or one of them twice.
        DataError: a run has no score, or the runs do not compare; says what differs.
    """
    if len(runs) < 2:
        msg = f"Got {len(runs)} run, expected two or more."
        raise ConfigError(msg)
    check_comparable(runs)
    refuse_withheld(runs)
    named = distinct_names(runs)
    return named, pairs_of({name: mean_scores(stored_outcomes(run)) for name, run in named.items()})


def pairs_of(scores: Mapping[str, Mapping[str, float]]) -> list[Pair]:
    """Return the paired difference of each two models, first come first; p-values are corrected for all of them.

    Args:
        scores: name -> prompt id -> score.

    Raises:
        DataError: two of them have no prompt in common, or a score is not finite.
    """
    names = list(itertools.combinations(scores, 2))
    found = []
    for a, b in names:
        try:
            found.append(difference_of_scores(scores[a], scores[b]))
        except ValueError as exc:
            msg = f"{a!r} and {b!r} cannot be compared: {exc}"
            raise DataError(msg) from exc
    corrected = holm([difference.p_value for difference in found])
    return [Pair(a, b, difference, p) for (a, b), difference, p in zip(names, found, corrected, strict=True)]


def check_comparable(runs: Sequence[StoredRun]) -> None:
    """Refuse runs whose scores mean different things, and a run that is given twice.

    Raises:
        ConfigError: one of them twice, by its path.
        DataError: other suites or judges; says what differs.
    """
    refuse_repeated(runs)
    first, *others = runs
    expected = protocol_of(first.result["manifest"])
    for run in others:
        refuse_other_protocol(first, run, expected, protocol_of(run.result["manifest"]))


def refuse_repeated(runs: Sequence[StoredRun]) -> None:
    """Refuse a run that is given twice, by its path."""
    paths = Counter(run.path.resolve() for run in runs)
    twice = next((path for path, n in paths.items() if n > 1), None)
    if twice:
        msg = f"Run {str(twice)!r} is given twice."
        raise ConfigError(msg)


def refuse_other_protocol(
    first: StoredRun, run: StoredRun, expected: Mapping[str, str], got: Mapping[str, str]
) -> None:
    """Refuse a run whose protocol is not that of the first; both are name -> value."""
    differs = [f"{what} {expected[what]!r} and {got[what]!r}" for what in expected if expected[what] != got[what]]
    if differs:
        msg = (
            f"Runs {str(first.path)!r} and {str(run.path)!r} do not compare: {'; '.join(differs)}.{_advice(first, run)}"
        )
        raise DataError(msg)


def _advice(first: StoredRun, run: StoredRun) -> str:
    """Return what to do with two judgements of the same answers; nothing for other runs."""
    manifests = [first.result["manifest"], run.result["manifest"]]
    if not all(manifest.get("answers", {}).get("sha256") for manifest in manifests):
        return ""  # imported without their answers
    one, other = map(_judged, manifests)
    return " Of the same answers 'codearena compare … --flips' tells what differs." if one == other else ""


def flips_of(runs: Sequence[StoredRun]) -> Flips:
    """Return how the verdicts on the same answers differ between two judges, or between two ways to ask one.

    Args:
        runs: the first, as the one without evidence, and the second.

    Raises:
        ConfigError: not two runs. DataError: other answers, prompts or baselines; a run without a score.
    """
    if len(runs) != 2:
        msg = f"Got {len(runs)} runs, expected two: flips are between two judgements of the same answers."
        raise ConfigError(msg)
    refuse_repeated(runs)
    first, second = (_judged(run.result["manifest"]) for run in runs)
    refuse_other_protocol(runs[0], runs[1], first, second)
    refuse_withheld(runs)
    try:
        return flips(stored_outcomes(runs[0]), stored_outcomes(runs[1]))
    except ValueError as exc:
        raise DataError(str(exc)) from exc


def _judged(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return what was judged, and what of the reading must be equal, whoever judged."""
    protocol = protocol_of(manifest)
    return {"answers": f"sha256 {manifest['answers']['sha256'][:12]}", **{k: protocol[k] for k in _SAME_FOR_FLIPS}}


def differences(runs: Sequence[StoredRun]) -> list[str]:
    """Return what differs between the judges of runs, in words."""
    first, second = (protocol_of(run.result["manifest"]) for run in runs)
    return [f"{what}: {first[what]} and {second[what]}" for what in first if first[what] != second[what]]


def refuse_withheld(runs: Sequence[StoredRun]) -> None:
    """Refuse a run without a score."""
    for run in runs:
        if run.result["withheld"]:
            msg = f"Run {str(run.path)!r} ({run.model}) has no score to compare: {run.result['withheld']}."
            raise DataError(msg)


def sampling_notes(runs: Sequence[StoredRun]) -> list[str]:
    """Return what of the asking differs without making the scores incomparable: sampling and attempts."""
    notes = []
    for what in ("sampling", "attempts"):
        used = {str(run.result["manifest"]["judge"][what]) for run in runs}
        if len(used) > 1:
            notes.append(f"the judge's {what} differs: {' and '.join(sorted(used))}")
    return notes


def distinct_names(runs: Sequence[StoredRun]) -> dict[str, StoredRun]:
    """Return the runs by model; models that occur twice by model and directory."""
    models = Counter(run.model for run in runs)
    shorts = Counter((run.model, run.path.name) for run in runs)

    def name(run: StoredRun) -> str:
        if models[run.model] == 1:
            return run.model
        return f"{run.model} [{run.path.name if shorts[run.model, run.path.name] == 1 else run.path}]"

    return {name(run): run for run in runs}


def stored_outcomes(run: StoredRun) -> list[Outcome]:
    """Return the outcome of every prompt of a stored run, in its order."""
    judge = run.result["manifest"]["judge"]
    prompts = [Prompt(answer.prompt_id, messages=()) for answer in run.answers]
    return outcomes_of(prompts, run.games, policy=judge["order"], mode=judge["mode"])
