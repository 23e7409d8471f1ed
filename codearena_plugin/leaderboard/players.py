"""Who plays on a leaderboard, and what one result is comparable with: names, baselines, protocols.

With one baseline every run is a player. With several, a player is a set of answers, whoever gave them: a run's model
and a baseline are one player where their answers are the same, and so are runs of the same answers against several
baselines.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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

    @property
    def has_score(self) -> bool:
        """May its score be shown."""
        return not self.run.result["withheld"]


@dataclass(frozen=True)
class Matches:
    """All runs of a leaderboard.

    Attributes:
        scored: with a score; all against ``reference``, or a league of several baselines.
        withheld: without one.
        reference: the player that scores are against: the only baseline of the runs with a score, else the one of most
            of them, the first by name where several are.
        protocol: what is equal in all runs, by name.
        notes: what a reader should know about who is who.
    """

    scored: tuple[Match, ...]
    withheld: tuple[Match, ...]
    reference: str
    protocol: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @property
    def all(self) -> tuple[Match, ...]:
        """Return all runs, those with a score first."""
        return (*self.scored, *self.withheld)

    @property
    def has_one_baseline(self) -> bool:
        """Is there one baseline, so that a mean score says all?"""
        return len({match.opponent for match in self.scored}) <= 1

    def label(self, match: Match) -> str:
        """Return the name of one run among the others: with its baseline where there are several."""
        is_league = len({match.opponent for match in self.all}) > 1
        return f"{match.player} against {match.opponent}" if is_league else match.player


def matches_of(runs: Sequence[StoredRun]) -> Matches:
    """Return the runs as matches.

    Raises:
        ConfigError: a run is given twice.
        DataError: other questions or judges, or baselines whose questions cannot be told equal; says what differs. Or
            two runs of the same answers against the same one of several baselines.
    """
    refuse_repeated(runs)
    if _is_one_suite(runs):
        return _one_baseline(runs)
    protocol = _protocol_without_baseline(runs[0])
    for run in runs[1:]:
        refuse_other_protocol(runs[0], run, protocol, _protocol_without_baseline(run))
    names = _names_by_answers(runs)
    matches = [Match(names[_answers(run)], names[_baseline(run)], run) for run in runs]
    kept = [match for match in matches if match.player != match.opponent]
    _refuse_repeated_pairs(kept)
    if not kept:
        msg = f"Run {str(runs[0].path)!r} was judged against its own answers; such runs make no leaderboard."
        raise DataError(msg)
    scored = tuple(match for match in kept if match.has_score)
    withheld = tuple(match for match in kept if not match.has_score)
    counted = Counter(match.opponent for match in scored or kept)
    reference = min(counted, key=lambda name: (-counted[name], name))
    return Matches(scored, withheld, reference, protocol, tuple(_notes(runs, matches, names)))


def _one_baseline(runs: Sequence[StoredRun]) -> Matches:
    first = runs[0].result["manifest"]
    protocol = protocol_of(first)
    for run in runs[1:]:
        refuse_other_protocol(runs[0], run, protocol, protocol_of(run.result["manifest"]))
    baseline = str(first["suite"]["baseline"])
    matches = [
        # a run of the baseline's own model is a player beside the baseline, as a check of the judge
        Match(f"{name} [run]" if name == baseline else name, baseline, run)
        for name, run in distinct_names(runs).items()
    ]
    scored = tuple(match for match in matches if match.has_score)
    return Matches(scored, tuple(match for match in matches if not match.has_score), baseline, protocol)


def _refuse_repeated_pairs(matches: Sequence[Match]) -> None:
    """Refuse two runs of one player against one baseline: in a league they would count twice."""
    found: dict[tuple[str, str], StoredRun] = {}
    for match in matches:
        other = found.setdefault((match.player, match.opponent), match.run)
        if other is not match.run:
            msg = (
                f"Runs {str(other.path)!r} and {str(match.run.path)!r} judged the same answers of {match.player!r} "
                f"against the same baseline {match.opponent!r}; with several baselines give one of them."
            )
            raise DataError(msg)


def _notes(runs: Sequence[StoredRun], matches: Sequence[Match], names: Mapping[_Key, str]) -> Iterator[str]:
    alone = [match for match in matches if match.player == match.opponent]
    for match in alone:
        yield f"{match.player} was judged against its own answers, which says nothing about its strength: left out"
    for match in matches:
        if not match.has_score:
            yield f"{match.player} against {match.opponent} is not in the fit: {match.run.result['withheld']}"
    for run in runs:
        for model, key in ((run.model, _answers(run)), (_baseline_name(run), _baseline(run))):
            if names[key] != model and not names[key].startswith(f"{model} ["):
                yield f"{model} gave the same answers as {names[key]}: one player"


def _is_one_suite(runs: Sequence[StoredRun]) -> bool:
    """Return whether all runs have one suite, or old ones among them do not say that only their baselines differ."""
    suites = [run.result["manifest"]["suite"] for run in runs]
    same = len({suite["fingerprint"] for suite in suites}) == 1
    return same or (
        len({suite["baseline"] for suite in suites}) == 1 and any("questions_sha256" not in s for s in suites)
    )


_Key = str  # what tells sets of answers apart


def _answers(run: StoredRun) -> _Key:
    """Return the hash of a run's answers; where their texts are absent nobody knows whether two runs had the same."""
    answers = run.result["manifest"]["answers"]
    return f"run {run.path}" if answers.get("absent") else str(answers["sha256"])


def _baseline(run: StoredRun) -> _Key:
    return str(run.result["manifest"]["suite"]["baseline_sha256"])


def _baseline_name(run: StoredRun) -> str:
    return str(run.result["manifest"]["suite"]["baseline"])


def _names_by_answers(runs: Sequence[StoredRun]) -> dict[_Key, str]:
    """Return a distinct name for every set of answers; a name that stands for two sets is numbered."""
    keys = {_baseline(run): _baseline_name(run) for run in reversed(runs)}
    keys |= {key: run.model for run in reversed(runs) if (key := _answers(run)) not in keys}
    seen: Counter[str] = Counter()
    named: dict[_Key, str] = {}
    for key, name in keys.items():
        seen[name] += 1
        named[key] = name if seen[name] == 1 else f"{name} [{seen[name]}]"
    return named


def _protocol_without_baseline(run: StoredRun) -> dict[str, str]:
    """Return the protocol of a run with its questions in place of its suite and baseline.

    Raises:
        DataError: the run was made before the hash of its questions was kept.
    """
    manifest = run.result["manifest"]
    name, n = manifest["suite"]["name"], manifest["suite"]["n_prompts"]
    questions = manifest["suite"].get("questions_sha256")
    if questions is None:
        msg = (
            f"Run {str(run.path)!r} does not say which questions it asked apart from its baseline, so it compares only "
            "within one baseline. codearena rescore RUN --output DIR adds that."
        )
        raise DataError(msg)
    return {**protocol_of(manifest), "suite": f"{name}, {n} prompts, questions {questions[:12]}"}
