"""Who plays on a leaderboard, and what one result is comparable with: names, baselines, protocols.

With one baseline every run is a player. With several, a run's model and a baseline are one player where their answers
are the same, and runs of the same answers against several baselines are one player, too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from codearena_plugin.errors import DataError
from codearena_plugin.runs.compare import distinct_names, refuse_other_protocol, refuse_repeated
from codearena_plugin.runs.files import StoredRun, protocol_of


@dataclass(frozen=True)
class Match:
    """One run as a match: the player whose answers were judged, and the player of the baseline."""

    player: str
    opponent: str
    run: StoredRun


@dataclass(frozen=True)
class Matches:
    """All runs of a leaderboard.

    Attributes:
        reference: the player that scores are against: the only baseline, else the one of most runs.
        protocol: what is equal in all runs, by name.
    """

    matches: tuple[Match, ...]
    reference: str
    protocol: Mapping[str, str]

    @property
    def has_one_baseline(self) -> bool:
        """Is there one baseline, so that a mean score says all?"""
        return len({match.opponent for match in self.matches}) == 1


def matches_of(runs: Sequence[StoredRun]) -> Matches:
    """Return the runs as matches.

    Raises:
        ConfigError: a run is given twice.
        DataError: other questions or judges, or baselines whose questions cannot be told equal; says what differs.
    """
    refuse_repeated(runs)
    first = runs[0].result["manifest"]
    if _is_one_suite(runs):
        protocol = protocol_of(first)
        for run in runs[1:]:
            refuse_other_protocol(runs[0], run, protocol, protocol_of(run.result["manifest"]))
        named = distinct_names(runs)
        baseline = str(first["suite"]["baseline"])
        return Matches(tuple(Match(name, baseline, run) for name, run in named.items()), baseline, protocol)
    protocol = _protocol_without_baseline(runs[0])
    for run in runs[1:]:
        refuse_other_protocol(runs[0], run, protocol, _protocol_without_baseline(run))
    names = _names_by_answers(runs)
    matches = [Match(names[_answers(run)], names[_baseline(run)], run) for run in runs]
    most = Counter(match.opponent for match in matches).most_common(1)[0][0]
    return Matches(tuple(matches), most, protocol)


def _is_one_suite(runs: Sequence[StoredRun]) -> bool:
    """Return whether all runs have one suite, or old ones among them do not say that only their baselines differ."""
    suites = [run.result["manifest"]["suite"] for run in runs]
    same = len({suite["fingerprint"] for suite in suites}) == 1
    return same or (
        len({suite["baseline"] for suite in suites}) == 1 and any("questions_sha256" not in s for s in suites)
    )


_Key = tuple[str, str]  # model name, sha256 of its answers


def _answers(run: StoredRun) -> _Key:
    return run.model, str(run.result["manifest"]["answers"]["sha256"])


def _baseline(run: StoredRun) -> _Key:
    suite = run.result["manifest"]["suite"]
    return str(suite["baseline"]), str(suite.get("baseline_sha256", suite["fingerprint"]))


def _names_by_answers(runs: Sequence[StoredRun]) -> dict[_Key, str]:
    """Return a distinct name for every set of answers; a name that stands for two sets is numbered."""
    keys = dict.fromkeys([*map(_baseline, runs), *map(_answers, runs)])
    seen: Counter[str] = Counter()
    named: dict[_Key, str] = {}
    for key in keys:
        seen[key[0]] += 1
        named[key] = key[0] if seen[key[0]] == 1 else f"{key[0]} [{seen[key[0]]}]"
    return named


def _protocol_without_baseline(run: StoredRun) -> dict[str, str]:
    """Return the protocol of a run with its questions in place of its suite and baseline.

    Raises:
        DataError: the run was made before the hash of its questions was kept.
    """
    manifest = run.result["manifest"]
    questions = manifest["suite"].get("questions_sha256")
    if questions is None:
        msg = (
            f"Run {str(run.path)!r} does not say which questions it asked apart from its baseline, so it compares only "
            "within one baseline. codearena rescore RUN --output DIR adds that."
        )
        raise DataError(msg)
    return {**protocol_of(manifest), "suite": f"{manifest['suite']['name']}, questions {questions[:12]}"}
